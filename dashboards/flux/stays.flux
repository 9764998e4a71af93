// stays: when each patient came into hospital and left it, as is known now; as `pipeline/outcomes/stays.py` has it.
//
// Somebody who is admitted while in hospital, or within 8 hours of a discharge, is transferred: that is no further
// admission, and the stay is acute if its first admission was. A discharge of somebody who is in none says nothing. At
// one millisecond whoever is in hospital leaves before entering again, and anybody else enters before leaving.
// Parameters: bucket, stop (nothing from there on, but whether a discharge was a transfer), which (a function of a row with patient: whose).
// Columns: patient, _time (whole milliseconds), bed (1.0: in hospital from there on; 0.0: not), acute (1.0, 0.0; of an
//   admission), readmission (1.0: an acute admission within 30 days of the discharge before it; else 0.0). One table, by
//   patient and time.
import "experimental"
import "internal/debug"

stays = (bucket, stop, which=(r) => true) => {
    hour_ms = 3600000.0
    inOrder = (tables=<-, desc) =>
        tables
            |> group(columns: ["patient"])
            |> sort(columns: ["at_ms", "place"], desc: desc)
    // How far the row before lies, in the order that holds [ms]; empty at a patient's first.
    apart = (tables=<-) =>
        tables
            |> drop(columns: ["apart_ms"])
            |> duplicate(column: "at_ms", as: "apart_ms")
            |> difference(columns: ["apart_ms"], keepFirst: true)
    // What was told at one instant, in one row: how often admitted and discharged, and whether first acutely; `leads` is
    // whether the patient is in hospital after it, `was` whether before.
    instants =
        from(bucket: bucket)
            |> range(start: time(v: 0), stop: experimental.addDuration(d: 8h, to: stop))
            |> filter(
                fn: (r) =>
                    r._measurement == "care_event" and (r.kind == "admitted" or r.kind == "discharged") and (r._field
                            ==
                            "recorded" or r._field == "acute"),
            )
            |> filter(fn: which)
            |> keep(columns: ["patient", "kind", "_time", "_field", "_value"])
            |> group()
            |> pivot(rowKey: ["patient", "kind", "_time"], columnKey: ["_field"], valueColumn: "_value")
            |> map(
                fn: (r) => {
                    came = if r.kind == "admitted" then 1.0 else 0.0

                    return {
                        patient: r.patient,
                        at_ms: float(v: int(v: r._time) / 1000000),
                        recorded: r.recorded,
                        came: came,
                        left: 1.0 - came,
                        acute: if came == 1.0 then r.acute else 0.0,
                    }
                },
            )
            |> group(columns: ["patient", "at_ms"])
            |> sort(columns: ["recorded"])
            |> reduce(
                identity: {came: 0.0, left: 0.0, acute: 0.0},
                fn: (r, accumulator) =>
                    ({
                        came: accumulator.came + r.came,
                        left: accumulator.left + r.left,
                        acute: if accumulator.came == 0.0 then r.acute else accumulator.acute,
                    }),
            )
            // Both at once leads back to where the patient was.
            |> map(
                fn: (r) =>
                    ({
                        patient: r.patient,
                        at_ms: r.at_ms,
                        place: 0,
                        came: r.came,
                        left: r.left,
                        acute: r.acute,
                        leads:
                            if r.left == 0.0 then
                                1.0
                            else if r.came == 0.0 or r.left > 1.0 then 0.0 else debug.null(type: "float"),
                    }),
            )
            |> inOrder(desc: false)
            |> fill(column: "leads", usePrevious: true)
            |> fill(column: "leads", value: 0.0)
            |> duplicate(column: "leads", as: "turned")
            |> difference(columns: ["turned"], keepFirst: true)
            |> group()
            |> map(fn: (r) => ({r with was: if exists r.turned then r.leads - r.turned else 0.0}))

    return
        union(
            tables: [
                instants
                    |> filter(fn: (r) => r.was == 0.0 and r.came > 0.0)
                    |> map(
                        fn: (r) =>
                            ({
                                patient: r.patient,
                                at_ms: r.at_ms,
                                place: 0,
                                bed: 1.0,
                                acute: r.acute,
                            }),
                    ),
                instants
                    |> filter(fn: (r) => r.left > 0.0 and r.leads == 0.0 and (r.was == 1.0 or r.came > 0.0))
                    |> map(
                        fn: (r) =>
                            ({
                                patient: r.patient,
                                at_ms: r.at_ms,
                                place: 1,
                                bed: 0.0,
                                acute: 0.0,
                            }),
                    ),
            ],
        )
            // Stays between which less than 8 hours lie are one: neither the discharge nor the next admission is any.
            |> inOrder(desc: true)
            |> apart()
            |> rename(columns: {apart_ms: "before_ms"})
            |> inOrder(desc: false)
            |> apart()
            |> filter(
                fn: (r) =>
                    if r.bed == 1.0 then
                        not exists r.apart_ms or r.apart_ms >= 8.0 * hour_ms
                    else
                        not exists r.before_ms or r.before_ms <= -8.0 * hour_ms,
            )
            |> inOrder(desc: false)
            |> apart()
            |> group()
            |> map(
                fn: (r) =>
                    ({
                        patient: r.patient,
                        _time: time(v: int(v: r.at_ms) * 1000000),
                        bed: r.bed,
                        acute: r.acute,
                        readmission:
                            if r.bed == 1.0 and r.acute == 1.0 and exists r.apart_ms and r.apart_ms <= 720.0 * hour_ms then
                                1.0
                            else
                                0.0,
                    }),
            )
            |> filter(fn: (r) => r._time < stop)
}
