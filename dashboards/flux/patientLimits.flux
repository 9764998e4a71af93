// patientLimits: the limits of a vital in a patient's plan, as steps over a period; see `limits`.
//
// Parameters: bucket, patient, vital, start, stop.
// Columns: _time, _value [the vital's unit; empty: none from there on]; series `red_low`, `yellow_low`, `yellow_high` and
//   `red_high`, by `series`, those alone that have a value at all. What held before stands at `start`, and what holds last
//   stands again at the last nanosecond before `stop`: draw steps that hold to the next row.
import "experimental"
import "internal/debug"

patientLimits = (bucket, patient, vital, start, stop) => {
    held =
        limits(bucket: bucket, stop: stop, which: (r) => r.patient == patient)
            |> filter(fn: (r) => r.vital == vital)
    end = experimental.subDuration(d: 1ns, from: stop)
    step = (name, of) => {
        steps =
            held
                |> map(
                    fn: (r) => ({_time: r._time, edge: of(r: r), version: r.plan_version, written: r.recorded}),
                )
                |> sort(columns: ["_time", "version", "written"])
        earlier = steps |> filter(fn: (r) => r._time <= start) |> last(column: "edge") |> map(
            fn: (r) => ({_time: start, edge: r.edge, series: name}),
        )
        later = steps |> filter(fn: (r) => r._time > start) |> map(
            fn: (r) => ({_time: r._time, edge: r.edge, series: name}),
        )
        newest = steps |> last(column: "edge") |> map(fn: (r) => ({_time: end, edge: r.edge, series: name}))

        return union(tables: [earlier, later, newest])
    }

    return
        union(
            tables: [
                step(name: "red_low", of: (r) => r.red_low),
                step(name: "yellow_low", of: (r) => r.yellow_low),
                step(name: "yellow_high", of: (r) => r.yellow_high),
                step(name: "red_high", of: (r) => r.red_high),
            ],
        )
            |> group(columns: ["series"])
            |> sort(columns: ["edge"], desc: true)
            |> map(fn: (r) => ({r with given: if r.edge >= 0.0 then r.edge else debug.null(type: "float")}))
            |> fill(column: "given", usePrevious: true)
            |> filter(fn: (r) => exists r.given)
            |> sort(columns: ["_time"])
            |> map(
                fn: (r) =>
                    ({
                        _time: r._time,
                        _value: if r.edge < 0.0 then debug.null(type: "float") else r.edge,
                        series: r.series,
                    }),
            )
}
