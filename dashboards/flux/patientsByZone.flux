// patientsByZone: how many patients who were followed stood in each zone just before an instant, as was known then.
//
// Parameters: bucket, at, services, municipalities.
// Columns: zone, zone_rank, patients; five rows, the highest rank first, also where there are 0 patients,
//   and none where the store knows of nobody: see `anybody`.
patientsByZone = (bucket, at, services=["*"], municipalities=["*"]) => {
    known = anybody(bucket: bucket, at: at)

    return
        union(
            tables: [
                standings(bucket: bucket, at: at, services: services, municipalities: municipalities)
                    |> filter(fn: (r) => r.followed)
                    |> map(fn: (r) => ({zone: r.zone, zone_rank: r.zone_rank, patients: 1.0})),
                zones(),
            ],
        )
            |> group(columns: ["zone", "zone_rank"])
            |> sum(column: "patients")
            |> group()
            |> sort(columns: ["zone_rank"], desc: true)
            |> filter(fn: (r) => known)
}
