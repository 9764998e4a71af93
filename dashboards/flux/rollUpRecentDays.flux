// rollUpRecentDays: write today and the two days before it; see `rollUpDays`.
//
// Parameters: bucket, at (now), zone.
// Columns: _measurement, points.
import "date"
import "timezone"

rollUpRecentDays = (bucket, at, zone="Europe/Oslo") =>
    rollUpDays(
        bucket: bucket,
        start: date.sub(d: 2d, from: at, location: timezone.location(name: zone)),
        stop: at,
        zone: zone,
    )
