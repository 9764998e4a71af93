// overdue: whose registration was due before an instant and had not come, as was known then.
//
// Nothing is due from who is not monitored. Overdue is from the due instant on; the zone turns to no data after the
// plan's grace.
// Parameters: bucket, at, services, municipalities.
// Columns: patient, due, overdue_s [s], zone, last_submission, service, municipality; the longest first.
overdue = (bucket, at, services=["*"], municipalities=["*"]) =>
    standings(bucket: bucket, at: at, services: services, municipalities: municipalities)
        |> filter(
            fn: (r) =>
                r.followed and r.zone != "not_monitored" and r.due_ms >= 0.0 and r.due_ms < float(v: int(v: at))
                    /
                    1000000.0,
        )
        |> detailed()
        |> map(
            fn: (r) =>
                ({
                    patient: r.patient,
                    due: r.due,
                    overdue_s: float(v: int(v: at) - int(v: r.due)) / 1000000000.0,
                    zone: r.zone,
                    last_submission: r.last_submission,
                    service: r.service,
                    municipality: r.municipality,
                }),
        )
        |> sort(columns: ["due", "patient"])
