// worklist: who needs somebody's attention just before an instant, why, and for how long already.
//
// Red, yellow, no data (but not who has nothing to send yet), and not monitored for a cause that staff can mend: not
// paused, ended, referred or never enrolled. The order is that of the board: zone, what nobody has taken over, then
// whoever waits longest.
// Parameters: bucket, at, services, municipalities.
// Columns: patient, zone, zone_rank, rule, vital, detail, since, unacknowledged, waiting_s [s] (since the newest
//   worsening of an alert that nobody has taken over, else since the zone began), respond_by, late (respond_by is past and
//   nobody has answered), service, municipality, phase, open_pages.
worklist = (bucket, at, services=["*"], municipalities=["*"]) =>
    standings(bucket: bucket, at: at, services: services, municipalities: municipalities)
        |> filter(fn: (r) => r.followed and r.zone != "green")
        |> detailed()
        |> filter(
            fn: (r) =>
                r.rule != "awaiting_registration" and not (r.zone == "not_monitored" and contains(
                            value: r.detail,
                            set: ["paused", "referral", "ended", "not_enrolled"],
                        )),
        )
        |> map(
            fn: (r) => {
                waits = r.unacknowledged or r.zone == "no_data"
                began = if r.unacknowledged and exists r.worsened then r.worsened else r.since

                return {
                    patient: r.patient,
                    zone: r.zone,
                    zone_rank: r.zone_rank,
                    rule: r.rule,
                    vital: r.vital,
                    detail: r.detail,
                    since: r.since,
                    unacknowledged: r.unacknowledged,
                    waiting_s: float(v: int(v: at) - int(v: began)) / 1000000000.0,
                    respond_by: r.respond_by,
                    late: waits and exists r.respond_by and r.respond_by < at,
                    service: r.service,
                    municipality: r.municipality,
                    phase: r.phase,
                    open_pages: r.open_pages,
                    place:
                        if r.unacknowledged or r.zone_rank < 2.0 then
                            -2.0 * r.zone_rank
                        else
                            1.0 - 2.0 * r.zone_rank,
                }
            },
        )
        |> sort(columns: ["place", "since", "patient"])
        |> drop(columns: ["place"])
