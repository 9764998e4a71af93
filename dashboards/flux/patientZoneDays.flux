// patientZoneDays: for how long each patient stood in each zone on each day, as is known now.
//
// Counted is the time in the service alone: in start-up, follow-up and evaluation. The worst zone of a day is the worst of all
// in which the patient stood for a millisecond of it, in the order red, yellow, no data, green, not monitored.
// Parameters: bucket, start (whole days from its day on), stop, zone (the time zone of days), which (a function of a row
//   with patient: whose).
// Columns: patient, _time (the day's beginning), field and value: `seconds_<zone>` [s], `worst_<zone>` 1.0, and
//   `bed_days` 1.0: the night that begins on the day, at whose end the patient lay in hospital and was followed. One table, no order; what would be 0 has no row.

patientZoneDays = (bucket, start, stop, zone="Europe/Oslo", which=(r) => true) => {
    calendar = days(start: start, stop: stop, zone: zone)
    opening = dawn(t: start, zone: zone)
    belongs = places(bucket: bucket, stop: stop, which: which)
    everybody = belongs |> group(columns: ["patient"]) |> first(column: "recorded") |> group()
    // At the beginning of the first day and at the end of each, so that no interval lies on two days: `day` is the one
    // that a mark ends, `next` the one that begins there.
    marks =
        join(
            tables: {
                patients: everybody |> map(fn: (r) => ({patient: r.patient, key: 1})),
                times:
                    union(
                        tables: [
                            calendar
                                |> limit(n: 1)
                                |> map(fn: (r) => ({_time: r.begins, day: r.begins, night: 0.0, key: 1})),
                            // The period may stop within a day, of which no night has begun then.
                            calendar
                                |> map(
                                    fn: (r) =>
                                        ({
                                            _time: r.ends,
                                            day: r.begins,
                                            night: if dawn(t: r.ends, zone: zone) == r.ends then 1.0 else 0.0,
                                            key: 1,
                                        }),
                                ),
                        ],
                    ),
            },
            on: ["key"],
        )
            |> map(
                fn: (r) =>
                    ({
                        patient: r.patient,
                        _time: r._time,
                        place: 0,
                        day: r.day,
                        next: r._time,
                        night: r.night,
                    }),
            )
    // Before all that is known, so that what is not said later has a value.
    before =
        everybody
            |> map(
                fn: (r) =>
                    ({
                        patient: r.patient,
                        _time: time(v: 0),
                        place: 0,
                        recorded: 0.0,
                        rank: -1.0,
                        followed: 0.0,
                        bed: 0.0,
                    }),
            )
    changes =
        zoneChanges(bucket: bucket, start: opening, stop: stop, which: which)
            |> map(
                fn: (r) =>
                    ({
                        patient: r.patient,
                        _time: r._time,
                        place: 1,
                        left: r.left,
                        rank: r.rank,
                    }),
            )
    intervals =
        union(
            tables: [
                before |> drop(columns: []),
                marks |> drop(columns: []),
                changes |> drop(columns: []),
                belongs
                    |> map(
                        fn: (r) =>
                            ({
                                patient: r.patient,
                                _time: r._time,
                                place: 1,
                                recorded: r.recorded,
                                followed: r.followed,
                                pathway: r.pathway,
                            }),
                    )
                    |> drop(columns: []),
                stays(bucket: bucket, stop: stop, which: which)
                    |> map(fn: (r) => ({patient: r.patient, _time: r._time, place: 1, bed: r.bed}))
                    |> drop(columns: []),
            ],
        )
            |> group(columns: ["patient"])
            |> sort(columns: ["_time", "place", "recorded"])
            |> fill(column: "rank", usePrevious: true)
            |> fill(column: "followed", usePrevious: true)
            |> fill(column: "bed", usePrevious: true)
            |> fill(column: "pathway", usePrevious: true)
            |> fill(column: "next", usePrevious: true)
            |> duplicate(column: "rank", as: "up")
            |> duplicate(column: "followed", as: "came")
            |> duplicate(column: "bed", as: "in")
            |> difference(columns: ["up", "came", "in"], keepFirst: true)
            |> elapsed(unit: 1ns)
            |> group()
            |> filter(fn: (r) => r._time > opening and r.followed - r.came == 1.0 and r.pathway != "canary")
            |> map(
                fn: (r) =>
                    ({
                        patient: r.patient,
                        day: if exists r.day then r.day else r.next,
                        stood: if exists r.left then r.left else r.rank - r.up,
                        seconds: float(v: r.elapsed) / 1000000000.0,
                        night: if exists r.night then r.night * (r.bed - r.in) else 0.0,
                    }),
            )
    value = (tables=<-) => tables |> group() |> rename(columns: {day: "_time"})

    return
        union(
            tables: [
                intervals
                    |> group(columns: ["patient", "day", "stood"])
                    |> sum(column: "seconds")
                    |> value()
                    |> map(
                        fn: (r) =>
                            ({
                                patient: r.patient,
                                _time: r._time,
                                field: "seconds_" + zoneOf(rank: r.stood),
                                value: r.seconds,
                            }),
                    ),
                intervals
                    |> filter(fn: (r) => r.seconds >= 0.001)
                    |> group(columns: ["patient", "day"])
                    |> max(column: "stood")
                    |> value()
                    |> map(
                        fn: (r) =>
                            ({
                                patient: r.patient,
                                _time: r._time,
                                field: "worst_" + zoneOf(rank: r.stood),
                                value: 1.0,
                            }),
                    ),
                intervals
                    |> filter(fn: (r) => r.night == 1.0)
                    |> value()
                    |> map(fn: (r) => ({patient: r.patient, _time: r._time, field: "bed_days", value: 1.0})),
            ],
        )
            |> filter(fn: (r) => r.value != 0.0)
}
