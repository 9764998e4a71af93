// perWindow: sums of `_value` by series in windows of time, 0 where nothing happened.
//
// Parameters: rows with _time, _value (float) and `series`, piped in; start, stop; every (a duration; windows of a day or
//   longer begin at midnight in `zone`), series (array of text: those that are shown even where nothing happened), zone.
// Columns: _time (the beginning of the window), _value; one table a series, by `series`.
import "array"
import "timezone"

perWindow = (tables=<-, start, stop, every, series, zone="Europe/Oslo") =>
    union(
        tables: [
            tables |> group() |> keep(columns: ["_time", "_value", "series"]),
            array.from(rows: series |> array.map(fn: (x) => ({_time: start, _value: 0.0, series: x}))),
        ],
    )
        |> group(columns: ["series"])
        |> range(start: start, stop: stop)
        |> aggregateWindow(
            every: every,
            fn: sum,
            createEmpty: true,
            timeSrc: "_start",
            location: timezone.location(name: zone),
        )
        |> fill(value: 0.0)
        |> keep(columns: ["_time", "_value", "series"])
