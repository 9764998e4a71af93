// zoneChanges: the changes of zone that stand, as is known now.
//
// Parameters: bucket, start, stop, which (a function of a row with patient: whose).
// Columns: patient, _time, from_zone, to_zone. One table, no order.
zoneChanges = (bucket, start, stop, which=(r) => true) =>
    from(bucket: bucket)
        |> range(start: start, stop: stop)
        |> filter(fn: (r) => r._measurement == "zone_change" and r._field == "retracted")
        |> filter(fn: which)
        |> filter(fn: (r) => r._value == 0.0)
        |> keep(columns: ["patient", "_time", "from_zone", "to_zone"])
        |> group()
