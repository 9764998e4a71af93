// summedWeeks: the points of a daily rollup added up by weeks, which begin on Monday.
//
// What counts patients at the end of a day (`patients`, `stood_<zone>`) is that of the week's last day, or of the last before `stop`.
// Parameters: bucket (the raw bucket's name), measurement (of the daily bucket), tags (array of text), start (whole weeks
//   from its own on), stop, zone.
// Columns: the tags, _time (the beginning of the week), a column for each field. One table, no order.
import "array"
import "date"
import "experimental"
import "timezone"

summedWeeks = (bucket, measurement, tags, start, stop, zone="Europe/Oslo") => {
    location = timezone.location(name: zone)
    last_day = dawn(t: experimental.subDuration(d: 1ns, from: stop), zone: zone)

    // Windows of a week begin on Thursday, as the first of January 1970 was one.
    weekly = (tables=<-, fn) =>
        tables
            |> aggregateWindow(
                every: 1w,
                offset: 4d,
                fn: fn,
                createEmpty: false,
                timeSrc: "_start",
                location: location,
            )
            |> group()
            |> keep(columns: array.concat(arr: tags, v: ["_time", "_field", "_value"]))
    ofItsEnd = (r) => r._field == "patients" or r._field =~ /^stood_/
    points =
        from(bucket: bucket + "-daily")
            |> range(start: monday(t: start, zone: zone), stop: stop)
            |> filter(fn: (r) => r._measurement == measurement)

    return
        union(
            tables: [
                points |> filter(fn: (r) => not ofItsEnd(r: r)) |> weekly(fn: sum),
                points
                    |> filter(
                        fn: (r) =>
                            ofItsEnd(r: r) and (r._time == last_day or date.weekDay(
                                        t: r._time,
                                        location: location,
                                    ) == 0),
                    )
                    |> weekly(fn: last),
            ],
        )
            |> pivot(
                rowKey: array.concat(arr: tags, v: ["_time"]),
                columnKey: ["_field"],
                valueColumn: "_value",
            )
}
