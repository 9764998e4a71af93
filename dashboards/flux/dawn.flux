// dawn: the beginning of the day on which an instant lies.
//
// Parameters: t (time), zone (the time zone of days).
// Returns: a time.
import "date"
import "timezone"

dawn = (t, zone="Europe/Oslo") => date.truncate(t: t, unit: 1d, location: timezone.location(name: zone))
