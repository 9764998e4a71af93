// patientAnswers: what a patient answered by number or by yes and no (1 and 0), as it stands now.
//
// An answer that a correction left out, or that belongs to a registration entered in error, does not stand.
// Parameters: bucket, patient, start, stop.
// Columns: _time (of the registration as it was first sent), _value, questionnaire; a series a question, by `series`.
import "array"
import "join"

patientAnswers = (bucket, patient, start, stop) => {
    rows = (tables=<-) =>
        tables
            |> drop(columns: ["_start", "_stop", "_measurement"])
            |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
            |> group()
    newest =
        from(bucket: bucket)
            |> range(start: start, stop: stop)
            |> filter(
                fn: (r) =>
                    r._measurement == "assessment" and r.patient == patient and (r._field == "submission_id" or r._field
                            ==
                            "revision" or r._field == "entered_in_error"),
            )
            |> rows()
            |> filter(fn: (r) => r.entered_in_error == 0.0)
            |> map(fn: (r) => ({submission_id: r.submission_id, revision: r.revision}))
    answers =
        from(bucket: bucket)
            |> range(start: start, stop: stop)
            |> filter(
                fn: (r) =>
                    r._measurement == "answer" and r.patient == patient and (r._field == "value" or r._field == "kind" or r._field
                            ==
                            "submission_id" or r._field == "revision"),
            )
            |> rows()
            |> filter(fn: (r) => r.kind != "text")
            |> map(
                fn: (r) =>
                    ({
                        _time: r._time,
                        value: r.value,
                        questionnaire: r.questionnaire,
                        question: r.question,
                        submission_id: r.submission_id,
                        revision: r.revision,
                    }),
            )

    // Nothing can be joined with an empty table: each side gets a row that finds none on the other.
    nobody = {_time: time(v: 0), value: 0.0, questionnaire: "", question: "", submission_id: "left", revision: 0.0}
    left = union(tables: [answers, array.from(rows: [nobody])])
    right = union(tables: [newest, array.from(rows: [{submission_id: "right", revision: 0.0}])])

    return
        join.inner(
            left: left,
            right: right,
            on: (l, r) => l.submission_id == r.submission_id and l.revision == r.revision,
            as: (l, r) =>
                ({
                    _time: l._time,
                    _value: l.value,
                    questionnaire: l.questionnaire,
                    series: l.question,
                }),
        )
            |> group(columns: ["series"])
            |> sort(columns: ["_time"])
}
