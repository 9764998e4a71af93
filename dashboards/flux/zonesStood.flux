// zonesStood: how many patients stood in each zone in the course of days or of months, as was known then.
//
// `zonesOverTime` where `every` is below six hours, which is live; else `zonesAtDaysEnd`, as new as the rollups' last run.
// Parameters: bucket, start, stop, every (a duration), services, municipalities, zone (the time zone of days).
// Columns: _time, _value [patients]; the five zones, by `series`.
zonesStood = (
    bucket,
    start,
    stop,
    every,
    services=["*"],
    municipalities=["*"],
    zone="Europe/Oslo",
) =>
    if int(v: every) < int(v: 6h) then
        zonesOverTime(
            bucket: bucket,
            start: start,
            stop: stop,
            every: every,
            services: services,
            municipalities: municipalities,
        )
    else
        zonesAtDaysEnd(
            bucket: bucket,
            start: start,
            stop: stop,
            services: services,
            municipalities: municipalities,
            zone: zone,
        )
