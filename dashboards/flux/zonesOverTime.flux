// zonesOverTime: how many patients stood in each zone at each moment of a period, as was known then.
//
// It is for days, not months: see `zonesAtDaysEnd`.
// Parameters: bucket, start, stop, every (a duration below a day), services, municipalities (where each patient belonged at
//   that moment).
// Columns: _time (the end of each window of `every`, and `stop`), _value [patients]; the five zones, by `series`.
import "array"

zonesOverTime = (bucket, start, stop, every, services=["*"], municipalities=["*"]) =>
    union(
        tables: [
            stood(bucket: bucket, start: start, stop: stop)
                |> filter(
                    fn: (r) =>
                        wants(set: services, value: r.service) and wants(set: municipalities, value: r.municipality),
                )
                |> zoneMoves()
                |> keep(columns: ["_time", "_value", "series"]),
            array.from(
                rows:
                    ["red", "yellow", "no_data", "not_monitored", "green"]
                        |> array.map(fn: (x) => ({_time: start, _value: 0.0, series: x})),
            ),
        ],
    )
        |> group(columns: ["series"])
        |> sort(columns: ["_time"])
        |> cumulativeSum()
        |> range(start: start, stop: stop)
        |> aggregateWindow(every: every, fn: last, createEmpty: true)
        |> fill(usePrevious: true)
        |> keep(columns: ["_time", "_value", "series"])
