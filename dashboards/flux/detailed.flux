// detailed: standings with all that is known of them.
//
// Parameters: rows of `standings`, piped in.
// Columns: patient, zone, zone_rank, since, rule, vital and detail (of the first reason), service, municipality, pathway,
//   phase, plan_version, due, last_submission, respond_by, trial_ends, worsened (of the open episode), unacknowledged (a
//   yellow or red that nobody has taken over), open_pages, followed.
import "experimental/json"

detailed = (tables=<-) =>
    tables
        |> map(
            fn: (r) => {
                s = json.parse(data: bytes(v: r.told))

                return {
                    patient: r.patient,
                    zone: r.zone,
                    zone_rank: r.zone_rank,
                    since: instant(ms: s.since),
                    rule: s.rule,
                    vital: s.vital,
                    detail: s.detail,
                    service: r.service,
                    municipality: r.municipality,
                    pathway: r.pathway,
                    phase: r.phase,
                    plan_version: s.plan_version,
                    due: instant(ms: s.due),
                    last_submission: instant(ms: s.last_submission),
                    respond_by: instant(ms: s.respond_by),
                    trial_ends: instant(ms: s.trial_ends),
                    worsened: instant(ms: s.worsened),
                    unacknowledged: (s.episode == "opened" or s.episode == "worsened") and s.acknowledged == 0.0,
                    open_pages: s.open_pages,
                    followed: r.followed,
                }
            },
        )
