// readings: everything that was measured and not withdrawn, and whether it was within the limits that held.
//
// A reading is quarantined where it says nothing of the patient. Any other is limited where the plan in force when it was
// measured has a limit for its vital; it is in range while it breaks none: it lies between the yellow limits, or where
// there is no yellow one the red. A value at a limit breaks it.
// Parameters: bucket, start, stop, which (a function of a row with patient: whose).
// Columns: patient, vital, device, _time, _value [the vital's unit], quarantined, limited, in_range (1.0 or 0.0). One
//   table, no order.
readings = (bucket, start, stop, which=(r) => true) =>
    union(
        tables: [
            from(bucket: bucket)
                |> range(start: start, stop: stop)
                |> filter(
                    fn: (r) =>
                        r._measurement == "reading" and (r._field == "value" or r._field == "quality" or r._field
                                ==
                                "withdrawn"),
                )
                |> filter(fn: which)
                |> keep(columns: ["patient", "vital", "device", "_time", "_field", "_value"])
                |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
                |> group()
                |> filter(fn: (r) => r.withdrawn == 0.0)
                |> set(key: "what", value: "reading"),
            limits(bucket: bucket, stop: stop, which: which)
                |> map(
                    fn: (r) =>
                        ({
                            patient: r.patient,
                            vital: r.vital,
                            _time: r._time,
                            plan_version: r.plan_version,
                            recorded: r.recorded,
                            low: if r.yellow_low >= 0.0 then r.yellow_low else r.red_low,
                            high: if r.yellow_high >= 0.0 then r.yellow_high else r.red_high,
                            what: "limit",
                        }),
                )
                |> drop(columns: []),
        ],
    )
        |> group(columns: ["patient", "vital"])
        |> sort(columns: ["_time", "what", "plan_version", "recorded"])
        |> fill(column: "low", usePrevious: true)
        |> fill(column: "high", usePrevious: true)
        |> group()
        |> filter(fn: (r) => r.what == "reading")
        |> map(
            fn: (r) => {
                quarantined = r.quality == "quarantined"
                limited = not quarantined and (exists r.low and r.low >= 0.0 or exists r.high and r.high >= 0.0)
                broken =
                    exists r.low and r.low >= 0.0 and r.value <= r.low or exists r.high and r.high >= 0.0 and r.value
                        >=
                        r.high

                return {
                    patient: r.patient,
                    vital: r.vital,
                    device: r.device,
                    _time: r._time,
                    _value: r.value,
                    quarantined: if quarantined then 1.0 else 0.0,
                    limited: if limited then 1.0 else 0.0,
                    in_range: if limited and not broken then 1.0 else 0.0,
                }
            },
        )
