// patientEvents: what staff did about a patient and what happened to them, as annotations.
//
// Parameters: bucket, patient, start, stop.
// Columns: _time, title (the kind of care event), text (what it is about: phase, service, kind of equipment or contact,
//   reason code, `acute` or `planned`, or the number of the plan), tags (the kind).
patientEvents = (bucket, patient, start, stop) =>
    from(bucket: bucket)
        |> range(start: start, stop: stop)
        |> filter(fn: (r) => r._measurement == "care_event" and r.patient == patient)
        |> filter(
            fn: (r) =>
                r._field == "recorded" or r._field == "phase" or r._field == "service" or r._field == "equipment" or r._field
                    ==
                    "contact" or r._field == "reason_code" or r._field == "acute" or r._field == "plan_version",
        )
        |> drop(columns: ["_start", "_stop", "_measurement"])
        |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
        |> group()
        |> map(
            fn: (r) =>
                ({
                    _time: r._time,
                    title: r.kind,
                    text:
                        if exists r.service then
                            r.service
                        else if exists r.phase then
                            r.phase
                        else if exists r.equipment then
                            r.equipment
                        else if exists r.contact then
                            r.contact
                        else if exists r.reason_code then
                            r.reason_code
                        else if exists r.acute then
                            if r.acute == 1.0 then "acute" else "planned"
                        else if exists r.plan_version then string(v: int(v: r.plan_version)) else "",
                    tags: r.kind,
                }),
        )
        |> sort(columns: ["_time"])
