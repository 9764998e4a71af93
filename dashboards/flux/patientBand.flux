// patientBand: what was normal for one patient at each reading of a vital: two spreads either way of the center.
//
// Where a reading was held against the patient's own normal: the band in which the deviation score stays below 2.
// Parameters: bucket, patient, vital, start, stop.
// Columns: _time, _value [the vital's unit]; series `low`, `center` and `high`, by `series`.
patientBand = (bucket, patient, vital, start, stop) => {
    scored =
        from(bucket: bucket)
            |> range(start: start, stop: stop)
            |> filter(
                fn: (r) =>
                    r._measurement == "reading" and r.patient == patient and r.vital == vital and (r._field == "center" or r._field
                            ==
                            "spread" or r._field == "scored" or r._field == "withdrawn"),
            )
            |> keep(columns: ["device", "_time", "_field", "_value"])
            |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
            |> group()
            |> filter(fn: (r) => r.scored == 1.0 and r.withdrawn == 0.0)
    edge = (name, spreads) =>
        scored |> map(fn: (r) => ({_time: r._time, _value: r.center + spreads * r.spread, series: name}))

    return
        union(
            tables: [
                edge(name: "low", spreads: -2.0),
                edge(name: "center", spreads: 0.0),
                edge(name: "high", spreads: 2.0),
            ],
        )
            |> group(columns: ["series"])
            |> sort(columns: ["_time"])
}
