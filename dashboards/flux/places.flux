// places: which service, municipality and pathway each patient came to belong to, and when; and when they left.
//
// From the care events `enrolled`, `transferred` and `phase_changed` to `ended`, as is known now: a transfer that was
// written down late counts from when it was. Whoever transfers before any enrolment belongs nowhere until it.
// Parameters: bucket, stop (nothing from there on), which (a function of a row with patient: whose).
// Columns: patient, _time (whole milliseconds), recorded [ms since 1970], service, municipality, pathway (empty: as it was
//   before), followed (1.0; 0.0 from the end on; empty: as it was before). One table, no order.
import "date"
import "experimental/json"
import "internal/debug"

places = (bucket, stop, which=(r) => true) => {
    asBefore = (text) => if text == "" then debug.null(type: "string") else text

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
                        followed: if s.followed < 0.0 then debug.null(type: "float") else s.followed,
                    }
                },
            )
}
