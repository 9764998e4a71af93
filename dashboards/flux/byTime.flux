// byTime: points of a rollup added up at each of their times, a table a series.
//
// Parameters: points with _time at the beginning of days or weeks, piped in, grouped by what makes a series; weeks, zone.
// Columns: _time, _value, and those of the group.
import "timezone"

byTime = (tables=<-, weeks=false, zone="Europe/Oslo") =>
    // Windows of a week begin on Thursday, as the first of January 1970 was one.
    tables
        |> aggregateWindow(
            every: if weeks then 1w else 1d,
            offset: if weeks then 4d else 0s,
            fn: sum,
            createEmpty: false,
            timeSrc: "_start",
            location: timezone.location(name: zone),
        )
