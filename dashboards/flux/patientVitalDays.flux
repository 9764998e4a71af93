// patientVitalDays: the least, middle and greatest reading of a vital of a patient on each day or in each week.
//
// Parameters: bucket, patient, vital, start (whole days or weeks from its own on), stop, weeks, zone. From rollups.
// Columns: _time (the beginning of the day or week), _value [the vital's unit]; series `min`, `median`, `max` and `count`
//   [readings], by `series`. A day without readings has no row.
patientVitalDays = (
    bucket,
    patient,
    vital,
    start,
    stop,
    weeks=false,
    zone="Europe/Oslo",
) => {
    begins = if weeks then monday(t: start, zone: zone) else dawn(t: start, zone: zone)
    name = if weeks then "vital_week" else "vital_day"
    rows =
        from(bucket: bucket + (if weeks then "-weekly" else "-daily"))
            |> range(start: begins, stop: stop)
            |> filter(
                fn: (r) =>
                    r._measurement == name and r.patient == patient and r.vital == vital and (r._field == "count" or r._field
                            ==
                            "min" or r._field == "median" or r._field == "max"),
            )
            |> keep(columns: ["_time", "_field", "_value"])
            |> group()
            |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
            |> filter(fn: (r) => r.count > 0.0)
    one = (series, of) => rows |> map(fn: (r) => ({_time: r._time, _value: of(r: r), series: series}))

    return
        union(
            tables: [
                one(series: "min", of: (r) => r.min),
                one(series: "median", of: (r) => r.median),
                one(series: "max", of: (r) => r.max),
                one(series: "count", of: (r) => r.count),
            ],
        )
            |> group(columns: ["series"])
            |> sort(columns: ["_time"])
}
