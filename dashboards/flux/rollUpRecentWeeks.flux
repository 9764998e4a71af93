// rollUpRecentWeeks: write this week and the one before it; see `rollUpWeeks`.
//
// Parameters: bucket, at (now), zone.
// Columns: _measurement, points.
import "date"
import "timezone"

rollUpRecentWeeks = (bucket, at, zone="Europe/Oslo") =>
    rollUpWeeks(
        bucket: bucket,
        start: date.sub(d: 7d, from: at, location: timezone.location(name: zone)),
        stop: at,
        zone: zone,
    )
