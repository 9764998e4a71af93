// equipmentOut: which devices are with patients just before an instant, with whom and for how long.
//
// A device is out while the last that happened to it is that it was handed out.
// Parameters: bucket, at, services, municipalities (where the patient belongs at `at`).
// Columns: device, equipment (its kind), patient, handed_out, days [d], service, municipality; the longest first.

equipmentOut = (bucket, at, services=["*"], municipalities=["*"]) => {
    events = (kind, field) =>
        from(bucket: bucket)
            |> range(start: time(v: 0), stop: at)
            |> filter(fn: (r) => r._measurement == "care_event" and r.kind == kind and r._field == field)
            |> group()

    return
        union(
            tables: [
                events(kind: "equipment_handed_out", field: "equipment")
                    |> rename(columns: {_value: "equipment"})
                    |> keep(columns: ["device", "patient", "kind", "_time", "equipment"]),
                events(kind: "equipment_returned", field: "recorded")
                    |> keep(columns: ["device", "patient", "kind", "_time"]),
            ],
        )
            |> group()
            |> sort(columns: ["_time"], desc: true)
            |> unique(column: "device")
            |> filter(fn: (r) => r.kind == "equipment_handed_out")
            |> map(
                fn: (r) =>
                    ({
                        device: r.device,
                        equipment: r.equipment,
                        patient: r.patient,
                        handed_out: r._time,
                        days: secondsBetween(from: r._time, to: at) / 86400.0,
                        _time: at,
                    }),
            )
            |> placed(bucket: bucket, stop: at, services: services, municipalities: municipalities)
            |> keep(
                columns: [
                    "device",
                    "equipment",
                    "patient",
                    "handed_out",
                    "days",
                    "service",
                    "municipality",
                ],
            )
            |> sort(columns: ["handed_out", "device"])
}
