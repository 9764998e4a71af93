// patientAnswers: what a patient answered by number or by yes and no (1 and 0), as it stands now.
//
// An answer that a correction left out, or that belongs to a registration entered in error, does not stand.
// Parameters: bucket, patient, start, stop.
// Columns: _time (of the registration as it was first sent), _value, questionnaire; a series a question, by `series`.
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

    return
        join.inner(
            left: answers,
            right: newest,
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
