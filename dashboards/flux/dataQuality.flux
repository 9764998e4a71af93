// dataQuality: how many readings of each vital say nothing of the patient, by the kind of equipment they came from.
//
// Of all that were not withdrawn; see `readings` and `qualityDays`.
// Parameters: bucket, start (whole days or weeks from its own on), stop, weeks, services, municipalities, zone. From rollups.
// Columns: vital (or the code of an unknown one), equipment (`own`: never handed out), readings, quarantined, share
//   (quarantined / readings); the largest share first.
dataQuality = (
    bucket,
    start,
    stop,
    weeks=false,
    services=["*"],
    municipalities=["*"],
    zone="Europe/Oslo",
) =>
    rolled(
        bucket: bucket,
        measurement: "quality",
        start: start,
        stop: stop,
        which: (r) => r._field == "readings" or r._field == "quarantined",
        weeks: weeks,
        services: services,
        municipalities: municipalities,
        zone: zone,
    )
        |> group(columns: ["vital", "equipment", "_field"])
        |> sum()
        |> group()
        |> pivot(rowKey: ["vital", "equipment"], columnKey: ["_field"], valueColumn: "_value")
        |> filter(fn: (r) => r.readings > 0.0)
        |> map(
            fn: (r) =>
                ({
                    vital: r.vital,
                    equipment: r.equipment,
                    readings: r.readings,
                    quarantined: r.quarantined,
                    share: r.quarantined / r.readings,
                    least: -r.quarantined / r.readings,
                }),
        )
        |> sort(columns: ["least", "vital", "equipment"])
        |> drop(columns: ["least"])
