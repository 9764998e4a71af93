// monday: the beginning of the week on which an instant lies; weeks begin on Monday (ISO 8601).
//
// Parameters: t (time), zone (the time zone of days).
// Returns: a time.
import "date"
import "timezone"

monday = (t, zone="Europe/Oslo") => {
    location = timezone.location(name: zone)
    since = (date.weekDay(t: t, location: location) + 6) % 7

    return date.sub(d: duration(v: string(v: since) + "d"), from: dawn(t: t, zone: zone), location: location)
}
