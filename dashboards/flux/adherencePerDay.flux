// adherencePerDay: of how many patients a registration was awaited on each day, and from how many it came.
//
// See `patientAdherenceDays`: adherence is done / awaited. By weeks: patient-days.
// Parameters: bucket, start (whole days or weeks from its own on), stop, weeks (whether by weeks, from the weekly bucket),
//   services, municipalities, zone. From rollups: as new as their last run.
// Columns: _time (the beginning of the day or week), _value [patients, or patient-days]; series `awaited`, `done`, `late` and `due`, by `series`.
adherencePerDay = (
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
        which: (r) => r._field == "awaited" or r._field == "done" or r._field == "late" or r._field == "due",
        named: (r) => r._field,
        weeks: weeks,
        services: services,
        municipalities: municipalities,
        zone: zone,
    )
