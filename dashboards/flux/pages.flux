// pages: what people were asked to look at, each step of a ladder one; tests of the way are left out.
//
// Parameters: bucket, start, stop (of when the patient came into the zone).
// Columns: patient, _time (when the patient came into the zone). One table, no order.
pages = (bucket, start, stop) =>
    from(bucket: bucket)
        |> range(start: start, stop: stop)
        |> filter(fn: (r) => r._measurement == "page" and (r._field == "action" or r._field == "test"))
        |> keep(columns: ["patient", "_time", "_field", "_value"])
        |> group(columns: ["_field"])
        |> pivot(rowKey: ["patient", "_time"], columnKey: ["_field"], valueColumn: "_value")
        |> filter(fn: (r) => r.action == "trigger" and r.test == 0.0)
        |> keep(columns: ["patient", "_time"])
