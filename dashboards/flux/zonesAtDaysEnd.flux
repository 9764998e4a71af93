// zonesAtDaysEnd: how many patients stood in each zone at the end of each day, as was known then.
//
// Of the running day: just before the last run. By weeks: at the end of the week's last day. See `stood`.
// Parameters: bucket, start (whole days or weeks from its own on), stop, weeks (whether by weeks, from the weekly bucket),
//   services, municipalities, zone. From rollups: as new as their last run.
// Columns: _time (the beginning of the day or week), _value [patients]; the five zones, by `series`.
import "strings"

zonesAtDaysEnd = (
    bucket,
    start,
    stop,
    weeks=false,
    services=["*"],
    municipalities=["*"],
    zone="Europe/Oslo",
) =>
    rolledSeries(
        bucket: bucket,
        measurement: "service",
        start: start,
        stop: stop,
        which: (r) => r._field =~ /^stood_/,
        named: (r) => strings.trimPrefix(v: r._field, prefix: "stood_"),
        weeks: weeks,
        services: services,
        municipalities: municipalities,
        zone: zone,
    )
