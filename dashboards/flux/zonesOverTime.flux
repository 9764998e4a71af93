// zonesOverTime: how many patients stood in each zone at each moment of a period, as was known then.
//
// Parameters: bucket, start, stop, every (a duration below a day), services, municipalities (where each patient belonged at
//   that moment).
// Columns: _time (the end of each window of `every`, and `stop`), _value [patients]; the five zones, by `series`.
import "array"

zonesOverTime = (bucket, start, stop, every, services=["*"], municipalities=["*"]) => {
    ranks =
        (tables=<-) =>
            tables
                |> filter(fn: (r) => r._measurement == "status" and r._field == "zone_rank")
    // Outside of what is asked for, or of the service, a patient stands in no zone.
    nowhere = 9.0
    moves =
        union(
            tables: [
                from(bucket: bucket)
                    |> range(start: time(v: 0), stop: start)
                    |> ranks()
                    |> last()
                    |> group()
                    |> map(fn: (r) => ({patient: r.patient, _time: r._time, rank: r._value, order: 1.0}))
                    |> drop(columns: []),
                from(bucket: bucket)
                    |> range(start: start, stop: stop)
                    |> ranks()
                    |> group()
                    |> map(fn: (r) => ({patient: r.patient, _time: r._time, rank: r._value, order: 1.0}))
                    |> drop(columns: []),
                places(bucket: bucket, stop: stop)
                    |> map(fn: (r) => ({r with order: 0.0}))
                    |> drop(columns: []),
            ],
        )
            |> group(columns: ["patient"])
            |> sort(columns: ["_time", "order", "recorded"])
            |> fill(column: "rank", usePrevious: true)
            |> fill(column: "listed", usePrevious: true)
            |> fill(column: "municipality", usePrevious: true)
            |> fill(column: "pathway", usePrevious: true)
            |> fill(column: "service", usePrevious: true)
            |> map(
                fn: (r) => {
                    counts =
                        exists r.rank and exists r.municipality and r.listed == 1.0 and r.pathway != "canary" and wants(
                                set: services,
                                value: r.service,
                            ) and wants(set: municipalities, value: r.municipality)
                    rank = if counts then r.rank else nowhere

                    return {
                        patient: r.patient,
                        _time: if r._time < start then start else r._time,
                        to: rank,
                        step: rank,
                    }
                },
            )
            |> difference(columns: ["step"], keepFirst: true)
            |> group()
    named =
        (rank) =>
            if rank == 3.0 then
                "red"
            else if rank == 2.0 then
                "yellow"
            else if rank == 1.0 then
                "no_data"
            else if rank == 0.0 then "green" else "not_monitored"

    return
        union(
            tables: [
                moves
                    |> filter(fn: (r) => r.to != nowhere and (not exists r.step or r.step != 0.0))
                    |> map(fn: (r) => ({_time: r._time, _value: 1.0, series: named(rank: r.to)})),
                moves
                    |> filter(fn: (r) => exists r.step and r.step != 0.0 and r.to - r.step != nowhere)
                    |> map(fn: (r) => ({_time: r._time, _value: -1.0, series: named(rank: r.to - r.step)})),
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
}
