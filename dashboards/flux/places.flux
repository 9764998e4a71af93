// places: which service, municipality and pathway each patient came to belong to, and when; and from when to when followed.
//
// From the care events `enrolled`, `transferred` and `phase_changed`, as is known now: a transfer that was written down
// late counts from when it was. Whoever transfers before any enrolment belongs nowhere until it. Followed is who is in
// start-up, follow-up or evaluation; a change of phase that cannot follow on the one before changes nothing, as
// `pipeline/triage/phases.py` has it. What was told of one millisecond counts in the order in which it was recorded.
// Parameters: bucket, stop (nothing from there on), which (a function of a row with patient: whose).
// Columns: patient, _time (whole milliseconds), recorded [ms since 1970], service, municipality, pathway (empty: as it was
//   before), followed (1.0; 0.0 from the end on; empty: as it was before, which at first is not), listed (the same of who
//   is on the board: from referral on). One table, no order.
import "date"
import "experimental/json"
import "internal/debug"

places = (bucket, stop, which=(r) => true) => {
    asBefore = (text) => if text == "" then debug.null(type: "string") else text
    monitored = (phase) => phase == "start_up" or phase == "follow_up" or phase == "evaluation"

    return
        from(bucket: bucket)
            |> range(start: time(v: 0), stop: stop)
            |> filter(fn: (r) => r._measurement == "care_event" and r._field == "place")
            |> filter(fn: which)
            |> group()
            |> map(
                fn: (r) => {
                    s = json.parse(data: bytes(v: r._value))

                    return {
                        patient: r.patient,
                        _time: date.truncate(t: r._time, unit: 1ms),
                        recorded: s.recorded,
                        service: asBefore(text: s.service),
                        municipality: asBefore(text: s.municipality),
                        pathway: asBefore(text: s.pathway),
                        kind: r.kind,
                        phase: s.phase,
                        // The phase that start-up could follow on, unless the patient is followed already.
                        from: if r.kind == "enrolled" or s.phase == "ended" then s.phase else debug.null(type: "string"),
                    }
                },
            )
            |> group(columns: ["patient"])
            |> sort(columns: ["_time", "recorded"])
            |> fill(column: "from", usePrevious: true)
            |> group()
            |> map(
                fn: (r) => {
                    enters = r.kind == "enrolled" and monitored(phase: r.phase)
                    starts = r.phase == "start_up" and exists r.from and r.from == "referral"
                    ends = r.kind == "phase_changed" and r.phase == "ended"

                    return {
                        patient: r.patient,
                        _time: r._time,
                        recorded: r.recorded,
                        service: r.service,
                        municipality: r.municipality,
                        pathway: r.pathway,
                        followed: if enters or starts then 1.0 else if ends then 0.0 else debug.null(type: "float"),
                        listed:
                            if r.kind == "enrolled" and r.phase != "ended" then
                                1.0
                            else if ends then 0.0 else debug.null(type: "float"),
                    }
                },
            )
}
