// stood: from when to when each patient stood in which zone, in which service and municipality, as was known then.
//
// Of whoever is on the board: those in referral too, who are not monitored.
// Parameters: bucket, start, stop.
// Columns: patient, _time (`start` for what began before it), ends (`stop` for what goes on), zone_rank, service,
//   municipality. One table, no order; a patient's next row may say the same again.
stood = (bucket, start, stop) => {
    ranks =
        (tables=<-) =>
            tables
                |> filter(fn: (r) => r._measurement == "status" and r._field == "zone_rank")
    told =
        (tables=<-) =>
            tables
                |> group()
                |> sort(columns: ["patient"])  // in one piece: see `places`
                |> map(
                    fn: (r) =>
                        ({
                            patient: r.patient,
                            _time: r._time,
                            zone_rank: r._value,
                            stands: r.patient,
                            order: 1.0,
                        }),
                )
                |> drop(columns: [])
    belongs = places(bucket: bucket, stop: stop)

    return
        union(
            tables: [
                from(bucket: bucket) |> range(start: time(v: 0), stop: start) |> ranks() |> last() |> told(),
                from(bucket: bucket) |> range(start: start, stop: stop) |> ranks() |> told(),
                belongs
                    |> map(
                        fn: (r) =>
                            ({
                                patient: r.patient,
                                _time: r._time,
                                recorded: r.recorded,
                                whose: r.whose,
                                service: r.service,
                                municipality: r.municipality,
                                pathway: r.pathway,
                                listed: r.listed,
                                order: 0.0,
                            }),
                    )
                    |> drop(columns: []),
                nowhere()
                    |> map(fn: (r) => ({r with zone_rank: -1.0, stands: "", order: 0.0}))
                    |> drop(columns: []),
                // Where a patient's last row ends.
                belongs
                    |> unique(column: "patient")
                    |> map(fn: (r) => ({patient: r.patient, _time: stop, order: 2.0}))
                    |> drop(columns: []),
            ],
        )
            |> group()
            |> sort(columns: ["patient", "_time", "order", "recorded"])
            |> fill(column: "zone_rank", usePrevious: true)
            |> fill(column: "stands", usePrevious: true)
            |> fill(column: "whose", usePrevious: true)
            |> fill(column: "listed", usePrevious: true)
            |> fill(column: "municipality", usePrevious: true)
            |> fill(column: "pathway", usePrevious: true)
            |> fill(column: "service", usePrevious: true)
            |> map(fn: (r) => ({r with now: int(v: r._time), turned: int(v: r._time)}))
            // Backwards, so that what is known of the row before is when this one ends.
            |> sort(columns: ["patient", "_time", "order", "recorded"], desc: true)
            |> difference(columns: ["turned"], keepFirst: true)
            |> filter(
                fn: (r) =>
                    r.order != 2.0 and exists r.stands and r.stands == r.patient and exists r.whose and r.whose
                        ==
                        r.patient and r.listed == 1.0 and r.municipality != "" and r.pathway != "canary",
            )
            |> map(
                fn: (r) =>
                    ({
                        patient: r.patient,
                        _time: if r._time < start then start else r._time,
                        ends: time(v: r.now - r.turned),
                        zone_rank: r.zone_rank,
                        service: r.service,
                        municipality: r.municipality,
                    }),
            )
            |> filter(fn: (r) => r.ends > r._time)
}
