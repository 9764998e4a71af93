// written: write rows of a rollup, so that the same raw points leave the same rollup whatever stood there.
//
// Every field of a point is written every time. A point that was written before and has no row any more gets 0 in every
// field: nothing can be taken away in a task, and an earlier value must not stand.
// Parameters: rows with the tags, _time and a column for each field, piped in; zeros (such a row with 0 in every field, see
//   `serviceZeros`), filled (a function that puts 0 where a field has no value), into (bucket), measurement, tags (array of
//   text), field (any of the fields), start and stop (of the period that the rows are about).
// Columns: _measurement, points (how many were written).
import "array"
import "influxdata/influxdb"

written = (tables=<-, zeros, filled, into, measurement, tags, field, start, stop) => {
    before =
        from(bucket: into)
            |> range(start: start, stop: stop)
            |> filter(fn: (r) => r._measurement == measurement and r._field == field)
            |> group()
            |> keep(columns: array.concat(arr: tags, v: ["_time"]))
            |> set(key: "what", value: "1 before")

    return
        union(
            tables: [
                tables |> set(key: "what", value: "0 now") |> drop(columns: []),
                before,
                // So that every field has a column, whatever there is.
                zeros |> set(key: "what", value: "0 now") |> drop(columns: []),
            ],
        )
            |> group(columns: tags)
            |> sort(columns: ["_time", "what"])
            |> map(fn: (r) => ({r with step: int(v: r._time)}))
            |> difference(columns: ["step"], keepFirst: true)
            |> filter(
                fn: (r) =>
                    r._time >= start and (r.what == "0 now" or not exists r.step or r.step != 0),
            )
            |> drop(columns: ["what", "step"])
            |> filled()
            |> set(key: "_measurement", value: measurement)
            |> group(columns: array.concat(arr: tags, v: ["_measurement"]))
            |> influxdb.wideTo(bucket: into)
            |> group(columns: ["_measurement"])
            |> map(fn: (r) => ({_measurement: r._measurement, points: 1}))
            |> sum(column: "points")
}
