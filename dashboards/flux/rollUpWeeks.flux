// rollUpWeeks: work the weeks of a period out and write them into the weekly bucket.
//
// The measurements `service_week` and `quality_week` add up those of days, which must be written before; `vital_week` is
// worked out from the raw bucket, for a median of medians is none. Each point stands at the beginning of its week, on
// Monday. Whole weeks are written, the last up to `stop`. Run again, it leaves the same.
// Parameters: bucket, start (whole weeks from its own on), stop, zone (the time zone of days).
// Columns: _measurement, points (how many were written).
rollUpWeeks = (bucket, start, stop, zone="Europe/Oslo") => {
    opening = monday(t: start, zone: zone)
    into = bucket + "-weekly"

    return
        union(
            tables: [
                summedWeeks(
                    bucket: bucket,
                    measurement: "service_day",
                    tags: ["service", "municipality"],
                    start: opening,
                    stop: stop,
                    zone: zone,
                )
                    |> written(
                        zeros: serviceZeros(),
                        filled: serviceFilled,
                        into: into,
                        measurement: "service_week",
                        tags: ["service", "municipality"],
                        field: "patients",
                        start: opening,
                        stop: stop,
                    ),
                summedWeeks(
                    bucket: bucket,
                    measurement: "quality_day",
                    tags: ["service", "municipality", "vital", "equipment"],
                    start: opening,
                    stop: stop,
                    zone: zone,
                )
                    |> written(
                        zeros: qualityZeros(),
                        filled: qualityFilled,
                        into: into,
                        measurement: "quality_week",
                        tags: ["service", "municipality", "vital", "equipment"],
                        field: "readings",
                        start: opening,
                        stop: stop,
                    ),
                readings(bucket: bucket, start: opening, stop: stop)
                    |> vitalDays(weeks: true, zone: zone)
                    |> written(
                        zeros: vitalZeros(),
                        filled: vitalFilled,
                        into: into,
                        measurement: "vital_week",
                        tags: ["patient", "vital"],
                        field: "count",
                        start: opening,
                        stop: stop,
                    ),
            ],
        )
            |> group()
}
