// patientZones: in which zone a patient stood when, as is known now.
//
// Parameters: bucket, patient, start, stop.
// Columns: _time, zone, zone_rank; where the patient stood at `start`, each change that stands, and at the last nanosecond
//   before `stop` where the patient stood last: draw steps that hold to the next row. Before the first change of all nobody
//   is monitored.
import "array"
import "experimental"

patientZones = (bucket, patient, start, stop) => {
    changes =
        union(
            tables: [
                zoneChanges(bucket: bucket, start: start, stop: stop, which: (r) => r.patient == patient)
                    |> map(fn: (r) => ({since: r._time, rank: r.rank})),
                array.from(rows: [{since: time(v: 0), rank: -1.0}]),
            ],
        )
            |> sort(columns: ["since"])

    return
        union(
            tables: [
                changes
                    |> filter(fn: (r) => r.since <= start)
                    |> last(column: "since")
                    |> map(fn: (r) => ({_time: start, rank: r.rank})),
                changes
                    |> filter(fn: (r) => r.since > start)
                    |> map(fn: (r) => ({_time: r.since, rank: r.rank})),
                changes
                    |> last(column: "since")
                    |> map(fn: (r) => ({_time: experimental.subDuration(d: 1ns, from: stop), rank: r.rank})),
            ],
        )
            |> sort(columns: ["_time"])
            |> map(fn: (r) => ({_time: r._time, zone: zoneOf(rank: r.rank), zone_rank: r.rank}))
}
