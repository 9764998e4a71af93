// admissionsPerDay: how many admissions there were, and how many days patients spent in hospital.
//
// See `stays`; a readmission comes within 30 days of the discharge before. Days in hospital are time, not nights.
// Parameters: bucket, start (whole days or weeks from its own on), stop, weeks (whether by weeks, from the weekly bucket),
//   services, municipalities, zone. From rollups: as new as their last run.
// Columns: _time (the beginning of the day or week), _value [admissions; days]; series `admissions`, `acute`, `readmissions` and `bed_days`, by `series`.
admissionsPerDay = (
    bucket,
    start,
    stop,
    weeks=false,
    services=["*"],
    municipalities=["*"],
    zone="Europe/Oslo",
) =>
    rolledSeries(
        bucket: bucket,
        measurement: "service",
        start: start,
        stop: stop,
        which: (r) => r._field == "admissions" or r._field == "acute" or r._field == "readmissions" or r._field == "bed_s",
        named: (r) => if r._field == "bed_s" then "bed_days" else r._field,
        weeks: weeks,
        services: services,
        municipalities: municipalities,
        zone: zone,
    )
        |> map(fn: (r) => ({r with _value: if r.series == "bed_days" then r._value / 86400.0 else r._value}))
