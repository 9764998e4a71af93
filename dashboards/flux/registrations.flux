// registrations: the registrations that count as done, as they stand now, each at its own time.
//
// Not those entered in error, and not those in which nothing could be judged, which are not what was due.
// Parameters: bucket, start, stop, which (a function of a row with patient: whose).
// Columns: patient, _time (the time of the session, also where a correction moved it). One table, no order. A registration
//   that a correction moved by more than 3 days, into the period or out of it, may be missed.
import "experimental"

registrations = (bucket, start, stop, which=(r) => true) =>
    from(bucket: bucket)
        |> range(
            start: experimental.subDuration(d: 3d, from: start),
            stop: experimental.addDuration(d: 3d, to: stop),
        )
        |> filter(
            fn: (r) =>
                r._measurement == "assessment" and (r._field == "at" or r._field == "entered_in_error" or r._field
                        ==
                        "zone_rank"),
        )
        |> filter(fn: which)
        |> keep(columns: ["patient", "_time", "_field", "_value"])
        |> group()
        |> pivot(rowKey: ["patient", "_time"], columnKey: ["_field"], valueColumn: "_value")
        |> filter(fn: (r) => r.entered_in_error == 0.0 and r.zone_rank != 1.0)
        |> map(fn: (r) => ({patient: r.patient, _time: instant(ms: r.at)}))
        |> filter(fn: (r) => r._time >= start and r._time < stop)
