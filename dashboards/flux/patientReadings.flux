// patientReadings: what was measured of one vital of one patient, as it stands now.
//
// Left out: what was withdrawn, and what is quarantined, which says nothing of the patient.
// Parameters: bucket, patient, vital, start, stop.
// Columns: _time (when it was measured), _value [the vital's unit], quality (`valid` or `implausible`); a series a device.
patientReadings = (bucket, patient, vital, start, stop) =>
    from(bucket: bucket)
        |> range(start: start, stop: stop)
        |> filter(
            fn: (r) =>
                r._measurement == "reading" and r.patient == patient and r.vital == vital and (r._field == "value" or r._field
                        ==
                        "quality" or r._field == "withdrawn"),
        )
        |> keep(columns: ["device", "_time", "_field", "_value"])
        |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
        |> filter(fn: (r) => r.withdrawn == 0.0 and r.quality != "quarantined")
        |> rename(columns: {value: "_value", device: "series"})
        |> keep(columns: ["_time", "_value", "quality", "series"])
