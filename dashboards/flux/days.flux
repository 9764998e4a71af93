// days: the days of a period, as they are in a time zone.
//
// Parameters: start (its whole day is the first), stop, zone.
// Columns: begins, ends (times; the last day ends at `stop`), key (1, to join by). In order.
import "date"
import "generate"
import "timezone"

days = (start, stop, zone="Europe/Oslo") => {
    location = timezone.location(name: zone)
    opening = dawn(t: start, zone: zone)
    count = (int(v: stop) - int(v: opening)) / 86400000000000 + 2
    later = (n) => date.add(d: duration(v: string(v: n) + "d"), to: opening, location: location)

    return
        generate.from(count: count, fn: (n) => n, start: opening, stop: stop)
            |> map(
                fn: (r) => {
                    ends = later(n: r._value + 1)

                    return {begins: later(n: r._value), ends: if ends < stop then ends else stop, key: 1}
                },
            )
            |> filter(fn: (r) => r.begins < r.ends)
}
