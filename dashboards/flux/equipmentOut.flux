// equipmentOut: which devices are with patients just before an instant, with whom and for how long.
//
// A device is out while the last that happened to it is that it was handed out.
// Parameters: bucket, at, services, municipalities (where the patient belongs at `at`).
// Columns: device, equipment (its kind), patient, handed_out, days [d], service, municipality; the longest first.

equipmentOut = (bucket, at, services=["*"], municipalities=["*"]) => {
    out =
        from(bucket: bucket)
            |> range(start: time(v: 0), stop: at)
            |> filter(
                fn: (r) =>
                    r._measurement == "care_event" and (r.kind == "equipment_handed_out" or r.kind
                            ==
                            "equipment_returned") and r._field == "recorded",
            )
            |> group(columns: ["device"])
            |> sort(columns: ["_time", "_value"])
            |> last(column: "kind")
            |> group()
            |> filter(fn: (r) => r.kind == "equipment_handed_out")
            |> map(fn: (r) => ({device: r.device, patient: r.patient, handed_out: r._time, _time: at}))
            |> placed(bucket: bucket, stop: at, services: services, municipalities: municipalities)

    return
        union(
            tables: [
                equipmentKinds(bucket: bucket, stop: at) |> set(key: "what", value: "kind") |> drop(columns: []),
                out |> set(key: "what", value: "out") |> drop(columns: []),
            ],
        )
            |> group(columns: ["device"])
            |> sort(columns: ["what"])
            |> fill(column: "equipment", usePrevious: true)
            |> group()
            |> filter(fn: (r) => r.what == "out")
            |> map(
                fn: (r) =>
                    ({
                        device: r.device,
                        equipment: r.equipment,
                        patient: r.patient,
                        handed_out: r.handed_out,
                        days: secondsBetween(from: r.handed_out, to: at) / 86400.0,
                        service: r.service,
                        municipality: r.municipality,
                    }),
            )
            |> sort(columns: ["handed_out", "device"])
}
