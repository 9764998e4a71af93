// zoneMoves: who came into a zone and who went out of one, as steps that add up to how many stood there.
//
// Parameters: rows of `stood`, piped in.
// Columns: _time, service, municipality, series (the zone), _value (1.0: one came, -1.0: one went). One table, no order.
zoneMoves = (tables=<-) => {
    moved = (tables=<-, at, by) =>
        tables
            |> map(
                fn: (r) =>
                    ({
                        _time: at(r: r),
                        service: r.service,
                        municipality: r.municipality,
                        series: zoneOf(rank: r.zone_rank),
                        _value: by,
                    }),
            )
            |> drop(columns: [])

    return
        union(
            tables: [tables |> moved(at: (r) => r._time, by: 1.0), tables |> moved(at: (r) => r.ends, by: -1.0)],
        )
}
