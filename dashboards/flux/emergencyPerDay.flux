// emergencyPerDay: how many emergency contacts of every kind there were; by kind see `emergencyContactsPerDay`.
//
// What happened in follow-up alone counts.
// Parameters: bucket, start (whole days or weeks from its own on), stop, weeks (whether by weeks, from the weekly bucket),
//   services, municipalities, zone. From rollups: as new as their last run.
// Columns: _time (the beginning of the day or week), _value [contacts]; series `emergency`, by `series`.
emergencyPerDay = (
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
        which: (r) => r._field == "emergency",
        named: (r) => r._field,
        weeks: weeks,
        services: services,
        municipalities: municipalities,
        zone: zone,
    )
