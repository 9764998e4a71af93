// emergencyContactsPerDay: how often patients who were followed were seen by an emergency room or out-of-hours service.
//
// Parameters: bucket, start (whole days or weeks from its own on), stop, weeks, services, municipalities (where the patient
//   belonged when it happened), zone.
// Columns: _time (the beginning of the day or week), _value [contacts]; a series a kind of contact that there was, by
//   `series`. Days and weeks without have no row.
emergencyContactsPerDay = (
    bucket,
    start,
    stop,
    weeks=false,
    services=["*"],
    municipalities=["*"],
    zone="Europe/Oslo",
) => {
    begins = (t) => if weeks then monday(t: t, zone: zone) else dawn(t: t, zone: zone)

    return
        from(bucket: bucket)
            |> range(start: begins(t: start), stop: stop)
            |> filter(
                fn: (r) =>
                    r._measurement == "care_event" and r.kind == "emergency_contact" and r._field == "contact",
            )
            |> group()
            |> map(fn: (r) => ({patient: r.patient, _time: r._time, contact: r._value}))
            |> placed(bucket: bucket, stop: stop, services: services, municipalities: municipalities)
            |> filter(fn: (r) => r.followed == 1.0)
            |> map(fn: (r) => ({_time: begins(t: r._time), series: r.contact, _value: 1.0}))
            |> group(columns: ["series", "_time"])
            |> sum()
            |> group(columns: ["series"])
            |> sort(columns: ["_time"])
}
