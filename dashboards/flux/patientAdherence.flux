// patientAdherence: on which days a registration was awaited of a patient, and whether it came; see
// `patientAdherenceDays`.
//
// Parameters: bucket, patient, start, stop, zone.
// Columns: _time (the day's beginning), _value; series `due`, `awaited`, `done`, `late` and `registrations`, by `series`;
//   0 on days without. The first day is the whole day of `start`.
patientAdherence = (bucket, patient, start, stop, zone="Europe/Oslo") =>
    patientAdherenceDays(
        bucket: bucket,
        start: start,
        stop: stop,
        zone: zone,
        which: (r) => r.patient == patient,
    )
        |> rename(columns: {field: "series", value: "_value"})
        |> perWindow(
            start: dawn(t: start, zone: zone),
            stop: stop,
            every: 1d,
            series: ["due", "awaited", "done", "late", "registrations"],
            zone: zone,
        )
