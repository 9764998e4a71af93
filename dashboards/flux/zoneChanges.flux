// zoneChanges: the changes of zone that stand, as is known now, each patient's in order.
//
// Two changes of a patient in one millisecond stand in no order of their own: they are put into the one in which each
// leads to the next, and count as one.
// Parameters: bucket, start, stop, which (a function of a row with patient: whose).
// Columns: patient, _time, left and rank (the zones before and after, see `rankOf`). One table, no order; from before
//   `start` each patient's last two.
zoneChanges = (bucket, start, stop, which=(r) => true) => {
    standing = (tables=<-) =>
        tables
            |> filter(fn: (r) => r._measurement == "zone_change" and r._field == "retracted")
            |> filter(fn: which)
            |> filter(fn: (r) => r._value == 0.0)
            |> keep(columns: ["patient", "_time", "from_zone", "to_zone"])
            |> group(columns: ["patient"])
            |> sort(columns: ["_time"])
    beside = (tables=<-) =>
        tables
            |> duplicate(column: "came_from", as: "d_from")
            |> duplicate(column: "came_to", as: "d_to")
            |> duplicate(column: "ms", as: "d_ms")
            |> difference(columns: ["d_from", "d_to", "d_ms"], keepFirst: true)
    // Whether the row beside this one is of the same millisecond, and really comes from where this one leads; or the
    // other way round.
    same = (r) => exists r.d_ms and r.d_ms == 0.0
    leadsThere = (r) => r.came_to == r.came_from - r.d_from
    ledHere = (r) => r.came_to - r.d_to == r.came_from

    return
        union(
            tables: [
                from(bucket: bucket) |> range(start: time(v: 0), stop: start) |> standing() |> tail(n: 2),
                from(bucket: bucket) |> range(start: start, stop: stop) |> standing(),
            ],
        )
            |> group(columns: ["patient"])
            |> sort(columns: ["_time"])
            |> map(
                fn: (r) =>
                    ({
                        patient: r.patient,
                        _time: r._time,
                        came_from: rankOf(zone: r.from_zone),
                        came_to: rankOf(zone: r.to_zone),
                        left: rankOf(zone: r.from_zone),
                        rank: rankOf(zone: r.to_zone),
                        ms: float(v: int(v: r._time) / 1000000),
                    }),
            )
            |> beside()
            |> map(
                fn: (r) =>
                    ({r with rank:
                            if same(r: r) and leadsThere(r: r) and not ledHere(r: r) then
                                r.came_to - r.d_to
                            else
                                r.rank,
                    }),
            )
            |> sort(columns: ["_time"], desc: true)
            |> beside()
            |> map(
                fn: (r) =>
                    ({r with left:
                            if same(r: r) and ledHere(r: r) and not leadsThere(r: r) then
                                r.came_from - r.d_from
                            else
                                r.left,
                    }),
            )
            |> group()
            |> keep(columns: ["patient", "_time", "left", "rank"])
}
