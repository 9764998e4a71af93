// rollUpLateWeeks: write one week of the past anew, another in each hour of the day, for what came late.
//
// Within a day every week is written that lies 2 to 15 weeks before this one; see `rollUpWeeks`.
// Parameters: bucket, at (now), zone.
// Columns: _measurement, points.
import "date"
import "timezone"

rollUpLateWeeks = (bucket, at, zone="Europe/Oslo") => {
    location = timezone.location(name: zone)
    weeks = 2 + date.hour(t: at, location: location) % 14
    ago = (weeks) =>
        date.sub(
            d: duration(v: string(v: 7 * weeks) + "d"),
            from: monday(t: at, zone: zone),
            location: location,
        )

    return rollUpWeeks(bucket: bucket, start: ago(weeks: weeks), stop: ago(weeks: weeks - 1), zone: zone)
}
