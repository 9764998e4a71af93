// places: which service, municipality and pathway each patient came to belong to, and when; and from when to when followed.
//
// From the care events `enrolled`, `transferred` and `phase_changed`, as is known now: a transfer that was written down
// late counts from when it was. Whoever transfers before any enrolment belongs nowhere until it. Followed is who is in
// start-up, follow-up or evaluation; a change of phase that cannot follow on the one before changes nothing, as
// `pipeline/triage/phases.py` has it. What was told of one millisecond counts in the order in which it was recorded.
// Parameters: bucket, stop (nothing from there on), which (a function of a row with patient: whose).
// Columns: patient, _time (whole milliseconds), recorded [ms since 1970], what holds from there on: service, municipality
//   and pathway (all three empty text before any enrolment), followed (1.0 or 0.0), listed (the same of who is on the
//   board: from referral on); whose (the patient again). One table, in the order of patient, _time and recorded.
import "date"
import "experimental/json"
import "internal/debug"

places = (bucket, stop, which=(r) => true) => {
    asBefore = (text) => if text == "" then debug.null(type: "string") else text
    monitored = (phase) => phase == "start_up" or phase == "follow_up" or phase == "evaluation"

    // A table for each of a thousand patients costs more than all that is in them: everybody stands in one, and beside
    // each thing that is filled downwards stands whose it is.
    return
        from(bucket: bucket)
            |> range(start: time(v: 0), stop: stop)
            |> filter(fn: (r) => r._measurement == "care_event" and r._field == "place")
            |> filter(fn: which)
            |> group()
            // In one piece, and not in one of each series: `map` begins anew with every piece, which costs more than its rows.
            |> sort(columns: ["patient"])
            |> map(
                fn: (r) => {
                    s = json.parse(data: bytes(v: r._value))
                    enrolled = r.kind == "enrolled"
                    decides = enrolled or s.phase == "ended"

                    return {
                        patient: r.patient,
                        _time: date.truncate(t: r._time, unit: 1ms),
                        recorded: s.recorded,
                        service: asBefore(text: s.service),
                        municipality: asBefore(text: s.municipality),
                        pathway: asBefore(text: s.pathway),
                        kind: r.kind,
                        phase: s.phase,
                        // Who was enrolled here, for what only an enrolment tells.
                        entered: if enrolled then r.patient else debug.null(type: "string"),
                        // The phase that start-up could follow on, unless the patient is followed already; and whose.
                        from: if decides then s.phase else debug.null(type: "string"),
                        of: if decides then r.patient else debug.null(type: "string"),
                    }
                },
            )
            |> sort(columns: ["patient", "_time", "recorded"])
            |> fill(column: "service", usePrevious: true)
            |> fill(column: "municipality", usePrevious: true)
            |> fill(column: "pathway", usePrevious: true)
            |> fill(column: "entered", usePrevious: true)
            |> fill(column: "from", usePrevious: true)
            |> fill(column: "of", usePrevious: true)
            |> map(
                fn: (r) => {
                    known = exists r.entered and r.entered == r.patient
                    enrolled = r.kind == "enrolled"
                    enters = enrolled and monitored(phase: r.phase)
                    starts = r.phase == "start_up" and exists r.of and r.of == r.patient and r.from == "referral"
                    ends = r.kind == "phase_changed" and r.phase == "ended"
                    comes = enrolled and r.phase != "ended"

                    return {
                        patient: r.patient,
                        _time: r._time,
                        recorded: r.recorded,
                        service: if known then r.service else "",
                        municipality: if known then r.municipality else "",
                        pathway: if known then r.pathway else "",
                        followed: if enters or starts then 1.0 else if ends then 0.0 else debug.null(type: "float"),
                        came: if enters or starts or ends then r.patient else debug.null(type: "string"),
                        listed: if comes then 1.0 else if ends then 0.0 else debug.null(type: "float"),
                        seen: if comes or ends then r.patient else debug.null(type: "string"),
                    }
                },
            )
            |> fill(column: "followed", usePrevious: true)
            |> fill(column: "came", usePrevious: true)
            |> fill(column: "listed", usePrevious: true)
            |> fill(column: "seen", usePrevious: true)
            |> map(
                fn: (r) =>
                    ({
                        patient: r.patient,
                        _time: r._time,
                        recorded: r.recorded,
                        whose: r.patient,
                        service: r.service,
                        municipality: r.municipality,
                        pathway: r.pathway,
                        followed: if exists r.came and r.came == r.patient then r.followed else 0.0,
                        listed: if exists r.seen and r.seen == r.patient then r.listed else 0.0,
                    }),
            )
}
