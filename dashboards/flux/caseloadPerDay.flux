// caseloadPerDay: how many patients each service followed at the end of each day.
//
// Of the running day: just before the last run. By weeks: at the end of the week's last day.
// Parameters: bucket, start (whole days or weeks from its own on), stop, weeks (whether by weeks, from the weekly bucket),
//   services, municipalities, zone. From rollups: as new as their last run.
// Columns: _time (the beginning of the day or week), _value [patients]; a series a service, by `series`.
caseloadPerDay = (
    bucket,
    start,
    stop,
    weeks=false,
    services=["*"],
    municipalities=["*"],
    zone="Europe/Oslo",
) =>
    rolled(
        bucket: bucket,
        measurement: "service",
        start: start,
        stop: stop,
        which: (r) => r._field == "patients",
        weeks: weeks,
        services: services,
        municipalities: municipalities,
        zone: zone,
    )
        |> group(columns: ["service"])
        |> byTime(weeks: weeks, zone: zone)
        |> map(fn: (r) => ({_time: r._time, _value: r._value, series: r.service}))
        |> group(columns: ["series"])
