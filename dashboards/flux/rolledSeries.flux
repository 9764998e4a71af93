// rolledSeries: a rollup of services added up over all of them, as series over time.
//
// Parameters: as in `rolled`, and named (a function of a row with _field: what its series is called).
// Columns: _time (the beginning of the day or week), _value; a table a series, by `series`.
rolledSeries = (
    bucket,
    measurement,
    start,
    stop,
    which,
    named,
    weeks=false,
    services=["*"],
    municipalities=["*"],
    zone="Europe/Oslo",
) =>
    rolled(
        bucket: bucket,
        measurement: measurement,
        start: start,
        stop: stop,
        which: which,
        weeks: weeks,
        services: services,
        municipalities: municipalities,
        zone: zone,
    )
        |> group(columns: ["_field"])
        |> byTime(weeks: weeks, zone: zone)
        |> map(fn: (r) => ({_time: r._time, _value: r._value, series: named(r: r)}))
        |> group(columns: ["series"])
