// acknowledgements: each time that staff took an alert over, and whether they said that it was right.
//
// Right are the reason codes `true` and `exacerbation`; wrong are `technique`, `device`, `already-known` and `other`; any
// other code says neither.
// Parameters: bucket, start (nothing from before).
// Columns: zone_change_id, _time, recorded [ms since 1970], event_id, reason_code, right and wrong (1.0 or 0.0). One
//   table, no order.
acknowledgements = (bucket, start) =>
    from(bucket: bucket)
        |> range(start: start)
        |> filter(
            fn: (r) =>
                r._measurement == "care_event" and r.kind == "acknowledged" and (r._field == "zone_change_id" or r._field
                        ==
                        "reason_code" or r._field == "recorded" or r._field == "event_id"),
        )
        |> keep(columns: ["patient", "_time", "_field", "_value"])
        |> group(columns: ["_field"])
        |> pivot(rowKey: ["patient", "_time"], columnKey: ["_field"], valueColumn: "_value")
        |> map(
            fn: (r) =>
                ({
                    zone_change_id: r.zone_change_id,
                    _time: r._time,
                    recorded: r.recorded,
                    event_id: r.event_id,
                    reason_code: r.reason_code,
                    right: if contains(value: r.reason_code, set: ["true", "exacerbation"]) then 1.0 else 0.0,
                    wrong:
                        if contains(value: r.reason_code, set: ["technique", "device", "already-known", "other"]) then
                            1.0
                        else
                            0.0,
                }),
        )
