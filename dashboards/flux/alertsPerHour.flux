// alertsPerHour: how many alerts there were in each hour, by the zone that they led to; see `alerts` for what counts.
//
// Parameters: bucket, start, stop, services, municipalities (where the patient belonged when it happened).
// Columns: _time (the beginning of the hour, or `start`), _value [alerts]; series `yellow` and `red`, by `series`.
alertsPerHour = (bucket, start, stop, services=["*"], municipalities=["*"]) =>
    alerts(bucket: bucket, start: start, stop: stop)
        |> placed(bucket: bucket, stop: stop, services: services, municipalities: municipalities)
        |> map(fn: (r) => ({_time: r._time, _value: 1.0, series: r.to_zone}))
        |> perWindow(start: start, stop: stop, every: 1h, series: ["yellow", "red"])
