// vitalDays: each patient's readings of each vital on each day or in each week, in few numbers.
//
// A mean hides desaturations: there is none. The median is the middle value, or half-way between the two in the middle.
// Parameters: rows of `readings`, piped in; weeks (whether by weeks, which begin on Monday), zone (the time zone of days).
// Columns: patient, vital, _time (the beginning of the day or week), count, min, median and max (of what is not quarantined
//   [the vital's unit]; where count is 0 they are 0 and say nothing), quarantined, limited, in_range (readings each, see
//   `readings`). One table, no order; a day without readings has no row.
vitalDays = (tables=<-, weeks=false, zone="Europe/Oslo") => {
    begins = (t) => if weeks then monday(t: t, zone: zone) else dawn(t: t, zone: zone)
    measured =
        tables
            |> map(
                fn: (r) =>
                    ({
                        patient: r.patient,
                        vital: r.vital,
                        at: begins(t: r._time),
                        _value: r._value,
                        good: 1.0 - r.quarantined,
                        quarantined: r.quarantined,
                        limited: r.limited,
                        in_range: r.in_range,
                    }),
            )
            |> group(columns: ["patient", "vital", "at"])
    medians =
        measured
            |> filter(fn: (r) => r.good == 1.0)
            |> median(method: "exact_mean")
            |> group()
            |> map(
                fn: (r) => ({patient: r.patient, vital: r.vital, _time: r.at, median: r._value, what: "0 median"}),
            )
    rest =
        measured
            |> reduce(
                identity: {
                    count: 0.0,
                    min: 0.0,
                    max: 0.0,
                    quarantined: 0.0,
                    limited: 0.0,
                    in_range: 0.0,
                },
                fn: (r, accumulator) =>
                    ({
                        count: accumulator.count + r.good,
                        min:
                            if r.good == 1.0 and (accumulator.count == 0.0 or r._value < accumulator.min) then
                                r._value
                            else
                                accumulator.min,
                        max:
                            if r.good == 1.0 and (accumulator.count == 0.0 or r._value > accumulator.max) then
                                r._value
                            else
                                accumulator.max,
                        quarantined: accumulator.quarantined + r.quarantined,
                        limited: accumulator.limited + r.limited,
                        in_range: accumulator.in_range + r.in_range,
                    }),
            )
            |> group()
            |> rename(columns: {at: "_time"})
            |> set(key: "what", value: "1 rest")

    return
        union(tables: [medians |> drop(columns: []), rest |> drop(columns: [])])
            |> group(columns: ["patient", "vital"])
            |> sort(columns: ["_time", "what"])
            |> fill(column: "median", usePrevious: true)
            |> group()
            |> filter(fn: (r) => r.what == "1 rest")
            |> map(fn: (r) => ({r with median: if r.count > 0.0 then r.median else 0.0}))
            |> drop(columns: ["what"])
}
