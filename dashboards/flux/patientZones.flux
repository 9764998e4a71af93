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
                zoneChanges(bucket: bucket, start: time(v: 0), stop: stop, which: (r) => r.patient == patient)
                    |> map(fn: (r) => ({since: r._time, zone: r.to_zone})),
                array.from(rows: [{since: time(v: 0), zone: "not_monitored"}]),
            ],
        )
            |> sort(columns: ["since"])

    return
        union(
            tables: [
                changes
                    |> filter(fn: (r) => r.since <= start)
                    |> last(column: "since")
                    |> map(fn: (r) => ({_time: start, zone: r.zone})),
                changes
                    |> filter(fn: (r) => r.since > start)
                    |> map(fn: (r) => ({_time: r.since, zone: r.zone})),
                changes
                    |> last(column: "since")
                    |> map(fn: (r) => ({_time: experimental.subDuration(d: 1ns, from: stop), zone: r.zone})),
            ],
        )
            |> sort(columns: ["_time"])
            |> map(fn: (r) => ({_time: r._time, zone: r.zone, zone_rank: rankOf(zone: r.zone)}))
}
