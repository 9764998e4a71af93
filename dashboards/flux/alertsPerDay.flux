// alertsPerDay: how many alerts there were on each day, and how many pages they led to.
//
// See `alerts` and `pages`.
// Parameters: bucket, start (whole days or weeks from its own on), stop, weeks (whether by weeks, from the weekly bucket),
//   services, municipalities, zone. From rollups: as new as their last run.
// Columns: _time (the beginning of the day or week), _value [alerts; pages]; series `yellow`, `red` and `pages`, by `series`.
import "strings"

alertsPerDay = (
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
        which: (r) => r._field == "alerts_yellow" or r._field == "alerts_red" or r._field == "pages",
        named: (r) => strings.trimPrefix(v: r._field, prefix: "alerts_"),
        weeks: weeks,
        services: services,
        municipalities: municipalities,
        zone: zone,
    )
