// patientAnswers: what a patient answered by number or by yes and no (1 and 0), as it stands now.
//
// An answer that a correction left out, or that belongs to a registration entered in error, does not stand.
// Parameters: bucket, patient, start, stop.
// Columns: _time (of the registration as it was first sent), _value, questionnaire; a series a question, by `series`.
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
        union(
            tables: [
                newest
                    |> rename(columns: {revision: "newest"})
                    |> keep(columns: ["submission_id", "newest"])
                    |> set(key: "what", value: "0 newest"),
                answers |> set(key: "what", value: "1 answer"),
            ],
        )
            |> group(columns: ["submission_id"])
            |> sort(columns: ["what"])
            |> fill(column: "newest", usePrevious: true)
            |> filter(fn: (r) => r.what == "1 answer" and exists r.newest and r.newest == r.revision)
            |> map(
                fn: (r) =>
                    ({
                        _time: r._time,
                        _value: r.value,
                        questionnaire: r.questionnaire,
                        series: r.question,
                    }),
            )
            |> group(columns: ["series"])
            |> sort(columns: ["_time"])
}
