// patientAlerts: a patient's alerts, as annotations; see `alerts` for what counts.
//
// Parameters: bucket, patient, start, stop.
// Columns: _time, title (the zone), text (rule and vital of each reason), tags (the zone).
patientAlerts = (bucket, patient, start, stop) =>
    alerts(bucket: bucket, start: start, stop: stop, which: (r) => r.patient == patient)
        |> sort(columns: ["_time"])
        |> map(fn: (r) => ({_time: r._time, title: r.to_zone, text: r.alert_reasons, tags: r.to_zone}))
