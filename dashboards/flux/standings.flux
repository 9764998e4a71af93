// standings: where each patient stood just before an instant, as was known then; what most questions need of it.
//
// The newest `status` before `at`, one row a patient. Patients of the pathway `canary` are nobody. A patient whose
// state could not be read belongs to no service that is known, and is in the answer whatever is asked for. A status older
// than the bucket keeps is gone. `detailed` adds the rest, which costs more: filter first.
// Parameters: bucket, at, services, municipalities.
// Columns: patient, zone, zone_rank (3 red, 2 yellow, 1 no_data, 0 green, -1 not_monitored), phase, followed (not ended,
//   and enrolled or unreadable), due_ms [ms since 1970; -1: nothing is due], service, municipality, told. No order.
import "experimental/json"

standings = (bucket, at, services=["*"], municipalities=["*"]) => {
    everywhere = contains(value: "*", set: services) and contains(value: "*", set: municipalities)

    return
        from(bucket: bucket)
            |> range(start: time(v: 0), stop: at)
            |> filter(fn: (r) => r._measurement == "status" and r._field == "standing")
            |> last()
            |> group()
            |> sort(columns: ["patient"])  // in one piece: see `places`
            |> map(
                fn: (r) => {
                    s = json.parse(data: bytes(v: r._value))

                    return {
                        patient: r.patient,
                        told: r._value,
                        zone: s.zone,
                        zone_rank: s.zone_rank,
                        phase: s.phase,
                        followed: s.phase != "ended" and (s.phase != "none" or s.detail == "unreadable_state"),
                        due_ms: s.due,
                        service: s.service,
                        municipality: s.municipality,
                        pathway: s.pathway,
                    }
                },
            )
            |> filter(
                fn: (r) =>
                    r.pathway != "canary" and (everywhere or (r.service == "none" or wants(
                                set: services,
                                value: r.service,
                            )) and (r.municipality == "none" or wants(set: municipalities, value: r.municipality))),
            )
}
