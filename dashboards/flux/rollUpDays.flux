// rollUpDays: work the days of a period out from the raw bucket and write them into the daily bucket.
//
// The measurements `service_day` (see `serviceDays`), `quality_day` (see `qualityDays`) and `vital_day` (see `vitalDays`),
// each point at the beginning of its day. Whole days are written, the last up to `stop`. Run again, it leaves the same.
// Parameters: bucket, start (whole days from its day on), stop, zone (the time zone of days).
// Columns: _measurement, points (how many were written).
rollUpDays = (bucket, start, stop, zone="Europe/Oslo") => {
    opening = dawn(t: start, zone: zone)
    into = bucket + "-daily"
    measured = readings(bucket: bucket, start: opening, stop: stop)

    return
        union(
            tables: [
                serviceDays(bucket: bucket, start: opening, stop: stop, zone: zone)
                    |> written(
                        zeros: serviceZeros(),
                        filled: serviceFilled,
                        into: into,
                        measurement: "service_day",
                        tags: ["service", "municipality"],
                        field: "patients",
                        start: opening,
                        stop: stop,
                    ),
                measured
                    |> qualityDays(bucket: bucket, stop: stop, zone: zone)
                    |> written(
                        zeros: qualityZeros(),
                        filled: qualityFilled,
                        into: into,
                        measurement: "quality_day",
                        tags: ["service", "municipality", "vital", "equipment"],
                        field: "readings",
                        start: opening,
                        stop: stop,
                    ),
                measured
                    |> vitalDays(zone: zone)
                    |> written(
                        zeros: vitalZeros(),
                        filled: vitalFilled,
                        into: into,
                        measurement: "vital_day",
                        tags: ["patient", "vital"],
                        field: "count",
                        start: opening,
                        stop: stop,
                    ),
            ],
        )
            |> group()
}
