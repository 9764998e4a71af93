// phasesAt: how many patients were in each phase of the service just before an instant, as was known then.
//
// Parameters: bucket, at, services, municipalities.
// Columns: phase, patients; in the order of the pathway, 0 where there is nobody. `ended` is everybody who ever ended.
import "array"

phasesAt = (bucket, at, services=["*"], municipalities=["*"]) =>
    union(
        tables: [
            standings(bucket: bucket, at: at, services: services, municipalities: municipalities)
                |> filter(fn: (r) => r.phase != "none")
                |> map(fn: (r) => ({phase: r.phase, patients: 1.0})),
            array.from(
                rows: [
                    {phase: "referral", patients: 0.0},
                    {phase: "start_up", patients: 0.0},
                    {phase: "follow_up", patients: 0.0},
                    {phase: "evaluation", patients: 0.0},
                    {phase: "ended", patients: 0.0},
                ],
            ),
        ],
    )
        |> group(columns: ["phase"])
        |> sum(column: "patients")
        |> group()
        |> map(
            fn: (r) =>
                ({r with place:
                    if r.phase == "referral" then
                        0
                    else if r.phase == "start_up" then
                        1
                    else if r.phase == "follow_up" then
                        2
                    else if r.phase == "evaluation" then 3 else 4,
                }),
        )
        |> sort(columns: ["place"])
        |> drop(columns: ["place"])
