// admissionsPerDay: how many admissions there were, and how many nights patients spent in hospital.
//
// See `stays`; a readmission is acute and comes within 30 days of the discharge before. A bed day is a night: date of
// discharge less date of admission. What happened in follow-up alone counts. As `pipeline/outcomes/rates.py` counts them.
// Parameters: bucket, start (whole days or weeks from its own on), stop, weeks (whether by weeks, from the weekly bucket),
//   services, municipalities, zone. From rollups: as new as their last run.
// Columns: _time (the beginning of the day or week), _value [admissions; nights]; series `admissions`, `acute`, `readmissions` and `bed_days`, by `series`.
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
        which: (r) => r._field == "admissions" or r._field == "acute" or r._field == "readmissions" or r._field == "bed_days",
        named: (r) => r._field,
        weeks: weeks,
        services: services,
        municipalities: municipalities,
        zone: zone,
    )
