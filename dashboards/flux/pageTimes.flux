// pageTimes: each red that somebody was asked to look at, when they were told, and when somebody took it over.
//
// One row a zone change that a page was asked for (of all its asks and steps), retracted or not: somebody was told. Tests
// of the way are left out.
// Parameters: bucket, start, stop (of when the patient came into the zone; what followed may be later), services,
//   municipalities (where the patient belonged then).
// Columns: _time (when the patient came into the zone), patient, service, municipality, delivered and acknowledged (times;
//   empty: not), delivered_s [s] (from _time to the first delivery of any of its pages), acknowledged_s [s] (from that
//   delivery to the first acknowledgement of the change; 0 where that came first; empty where either is missing).
import "internal/debug"

pageTimes = (bucket, start, stop, services=["*"], municipalities=["*"]) => {
    asked =
        from(bucket: bucket)
            |> range(start: start, stop: stop)
            |> filter(
                fn: (r) =>
                    r._measurement == "page" and (r._field == "page_id" or r._field == "zone_change_id" or r._field
                            ==
                            "action" or r._field == "test"),
            )
            |> keep(columns: ["patient", "_time", "_field", "_value"])
            |> group(columns: ["_field"])
            |> pivot(rowKey: ["patient", "_time"], columnKey: ["_field"], valueColumn: "_value")
            |> filter(fn: (r) => r.action == "trigger" and r.test == 0.0)
            |> map(
                fn: (r) =>
                    ({
                        page_id: r.page_id,
                        patient: r.patient,
                        _time: r._time,
                        zone_change_id: r.zone_change_id,
                        what: "1 asked",
                    }),
            )
    // What happened first stands last, so that it is what is filled in below.
    told =
        from(bucket: bucket)
            |> range(start: start)
            |> filter(
                fn: (r) => r._measurement == "page_receipt" and (r._field == "page_id" or r._field == "outcome"),
            )
            |> keep(columns: ["patient", "_time", "_field", "_value"])
            |> group(columns: ["_field"])
            |> pivot(rowKey: ["patient", "_time"], columnKey: ["_field"], valueColumn: "_value")
            |> filter(fn: (r) => r.outcome == "delivered")
            |> map(
                fn: (r) =>
                    ({
                        page_id: r.page_id,
                        told: r.page_id,
                        delivered: r._time,
                        what: "0 told",
                        order: -int(v: r._time),
                    }),
            )
    taken =
        acknowledgements(bucket: bucket, start: start)
            |> map(
                fn: (r) =>
                    ({
                        zone_change_id: r.zone_change_id,
                        taken: r.zone_change_id,
                        acknowledged: r._time,
                        what: "0 taken",
                        order: -int(v: r._time),
                    }),
            )
    pages =
        union(tables: [told |> drop(columns: []), asked |> drop(columns: [])])
            |> group()
            |> sort(columns: ["page_id", "what", "order"])
            |> fill(column: "delivered", usePrevious: true)
            |> fill(column: "told", usePrevious: true)
            |> filter(fn: (r) => r.what == "1 asked")
            |> map(
                fn: (r) => {
                    told = exists r.told and r.told == r.page_id

                    return {
                        patient: r.patient,
                        _time: r._time,
                        zone_change_id: r.zone_change_id,
                        delivered: if told then r.delivered else debug.null(type: "time"),
                        what: "1 asked",
                        order: if told then int(v: r.delivered) else 9223372036854775807,
                    }
                },
            )

    return
        union(tables: [taken |> drop(columns: []), pages |> drop(columns: [])])
            |> group()
            |> sort(columns: ["zone_change_id", "what", "order"])
            |> fill(column: "acknowledged", usePrevious: true)
            |> fill(column: "taken", usePrevious: true)
            |> filter(fn: (r) => r.what == "1 asked")
            |> unique(column: "zone_change_id")
            |> map(
                fn: (r) => {
                    taken = exists r.taken and r.taken == r.zone_change_id
                    acknowledged = if taken then r.acknowledged else debug.null(type: "time")
                    took_s = secondsBetween(from: r.delivered, to: acknowledged)

                    return {
                        _time: r._time,
                        patient: r.patient,
                        delivered: r.delivered,
                        acknowledged: acknowledged,
                        delivered_s: secondsBetween(from: r._time, to: r.delivered),
                        acknowledged_s: if exists took_s and took_s < 0.0 then 0.0 else took_s,
                    }
                },
            )
            |> placed(bucket: bucket, stop: stop, services: services, municipalities: municipalities)
            |> drop(columns: ["followed", "pathway"])
            |> sort(columns: ["_time", "patient"])
}
