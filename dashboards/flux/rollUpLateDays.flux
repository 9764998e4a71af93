// rollUpLateDays: write four whole days of the past anew, others in each hour of the day, for what came late.
//
// Within a day every day is written that lies 3 to 98 days before today; see `rollUpDays`.
// Parameters: bucket, at (now), zone.
// Columns: _measurement, points.
import "date"
import "timezone"

rollUpLateDays = (bucket, at, zone="Europe/Oslo") => {
    location = timezone.location(name: zone)
    hour = date.hour(t: at, location: location)
    ago = (days) =>
        date.sub(
            d: duration(v: string(v: 2 + days) + "d"),
            from: dawn(t: at, zone: zone),
            location: location,
        )

    return rollUpDays(bucket: bucket, start: ago(days: 4 * (hour + 1)), stop: ago(days: 4 * hour), zone: zone)
}
