// qualityDays: how much was measured each day, how much of it says nothing, and how much was within limits.
//
// By the service and municipality to which the patient belonged when it was measured, by vital, and by the kind
// of equipment: that under which the device was handed out, `own` for a device that never was. See `readings`.
// Parameters: rows of `readings`, piped in; bucket, stop (later than every row), zone (the time zone of days).
// Columns: service, municipality, vital, equipment, _time (the day's beginning), readings, quarantined, limited,
//   in_range (readings each). One table, no order.
qualityDays = (tables=<-, bucket, stop, zone="Europe/Oslo") =>
    union(
        tables: [
            equipmentKinds(bucket: bucket, stop: stop)
                |> map(
                    fn: (r) => ({device: r.device, equipment: r.equipment, named: r.device, what: "0 kind"}),
                )
                |> drop(columns: []),
            tables |> set(key: "what", value: "1 reading") |> drop(columns: []),
        ],
    )
        |> group()
        |> sort(columns: ["device", "what"])
        |> fill(column: "equipment", usePrevious: true)
        |> fill(column: "named", usePrevious: true)
        |> filter(fn: (r) => r.what == "1 reading")
        |> placed(bucket: bucket, stop: stop)
        |> map(
            fn: (r) =>
                ({
                    service: r.service,
                    municipality: r.municipality,
                    vital: r.vital,
                    equipment: if exists r.named and r.named == r.device then r.equipment else "own",
                    _time: dawn(t: r._time, zone: zone),
                    readings: 1.0,
                    quarantined: r.quarantined,
                    limited: r.limited,
                    in_range: r.in_range,
                }),
        )
        |> group(columns: ["service", "municipality", "vital", "equipment", "_time"])
        |> reduce(
            identity: {readings: 0.0, quarantined: 0.0, limited: 0.0, in_range: 0.0},
            fn: (r, accumulator) =>
                ({
                    readings: accumulator.readings + r.readings,
                    quarantined: accumulator.quarantined + r.quarantined,
                    limited: accumulator.limited + r.limited,
                    in_range: accumulator.in_range + r.in_range,
                }),
        )
        |> group()
