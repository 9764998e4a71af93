// oldestUnacknowledgedRed: for how long the red that nobody has taken over for longest has waited.
//
// Parameters: bucket, at, services, municipalities.
// Columns: waiting_s [s] since its newest worsening, 0 where there is none; patients, how many such reds there are. One
//   row, and none where the store knows of nobody: see `anybody`.
import "array"

oldestUnacknowledgedRed = (bucket, at, services=["*"], municipalities=["*"]) => {
    known = anybody(bucket: bucket, at: at)

    return
        union(
            tables: [
                standings(bucket: bucket, at: at, services: services, municipalities: municipalities)
                    |> filter(fn: (r) => r.followed and r.zone == "red")
                    |> detailed()
                    |> filter(fn: (r) => r.unacknowledged)
                    |> map(
                        fn: (r) =>
                            ({
                                waiting_s: float(v: int(v: at) - int(v: r.worsened)) / 1000000000.0,
                                patients: 1.0,
                            }),
                    ),
                array.from(rows: [{waiting_s: 0.0, patients: 0.0}]),
            ],
        )
            |> reduce(
                identity: {waiting_s: 0.0, patients: 0.0},
                fn: (r, accumulator) =>
                    ({
                        waiting_s:
                            if r.waiting_s > accumulator.waiting_s then r.waiting_s else accumulator.waiting_s,
                        patients: accumulator.patients + r.patients,
                    }),
            )
            |> filter(fn: (r) => known)
}
