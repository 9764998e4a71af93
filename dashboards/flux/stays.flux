// stays: when each patient came into hospital and left it, as is known now.
//
// Somebody who is admitted while in hospital is moved within it: that is no further admission. A discharge of somebody who
// is in none says nothing.
// Parameters: bucket, stop (nothing from there on), which (a function of a row with patient: whose).
// Columns: patient, _time, bed (1.0: in hospital from there on; 0.0: not), acute (1.0, 0.0; of an admission), readmission
//   (1.0: an admission within 30 days of the discharge before it; else 0.0). One table, by patient and time.
stays = (bucket, stop, which=(r) => true) =>
    from(bucket: bucket)
        |> range(start: time(v: 0), stop: stop)
        |> filter(
            fn: (r) =>
                r._measurement == "care_event" and (r.kind == "admitted" and r._field == "acute" or r.kind
                        ==
                        "discharged" and r._field == "recorded"),
        )
        |> filter(fn: which)
        |> group(columns: ["patient"])
        |> sort(columns: ["_time"])
        |> map(
            fn: (r) => {
                bed = if r.kind == "admitted" then 1.0 else 0.0

                return {
                    patient: r.patient,
                    _time: r._time,
                    bed: bed,
                    came: bed,
                    acute: if r.kind == "admitted" then r._value else 0.0,
                    apart_ms: float(v: int(v: r._time)) / 1000000.0,
                }
            },
        )
        |> difference(columns: ["came"], keepFirst: true)
        |> filter(fn: (r) => r.came == 1.0 or r.came == -1.0 or not exists r.came and r.bed == 1.0)
        |> difference(columns: ["apart_ms"], keepFirst: true)
        |> group()
        |> map(
            fn: (r) =>
                ({
                    patient: r.patient,
                    _time: r._time,
                    bed: r.bed,
                    acute: r.acute,
                    readmission:
                        if r.bed == 1.0 and exists r.apart_ms and r.apart_ms <= 30.0 * 86400000.0 then 1.0 else 0.0,
                }),
        )
