// zonesPerDay: of how many patients each zone was the worst of the day.
//
// The worst of all zones in which a patient stood for a millisecond of the day, in the order red, yellow, no data, green,
// not monitored; see `patientZoneDays`. By weeks: patient-days.
// Parameters: bucket, start (whole days or weeks from its own on), stop, weeks (whether by weeks, from the weekly bucket),
//   services, municipalities, zone. From rollups: as new as their last run.
// Columns: _time (the beginning of the day or week), _value [patients, or patient-days]; the five zones, by `series`.
import "strings"

zonesPerDay = (
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
        which: (r) => r._field =~ /^worst_/,
        named: (r) => strings.trimPrefix(v: r._field, prefix: "worst_"),
        weeks: weeks,
        services: services,
        municipalities: municipalities,
        zone: zone,
    )
