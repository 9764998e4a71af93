// equipmentKinds: what kind of equipment each device is that was ever handed out.
//
// Parameters: bucket, stop (handed out before).
// Columns: device, equipment. One table, no order.
equipmentKinds = (bucket, stop) =>
    from(bucket: bucket)
        |> range(start: time(v: 0), stop: stop)
        |> filter(
            fn: (r) =>
                r._measurement == "care_event" and r.kind == "equipment_handed_out" and r._field == "equipment",
        )
        |> group()
        |> sort(columns: ["_time"], desc: true)
        |> unique(column: "device")
        |> rename(columns: {_value: "equipment"})
        |> keep(columns: ["device", "equipment"])
