// rolled: the points of a rollup of services, as the storage holds them.
//
// Parameters: bucket (the raw bucket's name), measurement (`service` or `quality`), start (whole days or weeks from its own
//   on), stop, weeks (whether by weeks), which (a function of a row with _field: which fields), services, municipalities,
//   zone.
// Columns: service, municipality, vital and equipment (of `quality`), _time (the beginning of the day or week), _field,
//   _value. A table a series.
rolled = (
    bucket,
    measurement,
    start,
    stop,
    which,
    weeks=false,
    services=["*"],
    municipalities=["*"],
    zone="Europe/Oslo",
) => {
    begins = if weeks then monday(t: start, zone: zone) else dawn(t: start, zone: zone)
    name = measurement + (if weeks then "_week" else "_day")
    service = pattern(set: services)
    municipality = pattern(set: municipalities)

    return
        from(bucket: bucket + (if weeks then "-weekly" else "-daily"))
            |> range(start: begins, stop: stop)
            |> filter(fn: (r) => r._measurement == name)
            |> filter(fn: which)
            |> filter(fn: (r) => r.service =~ service and r.municipality =~ municipality)
}
