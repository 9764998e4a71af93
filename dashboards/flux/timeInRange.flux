// timeInRange: how many of the readings of each vital were within the limits of the plan that held when they were measured.
//
// Of readings that are not quarantined and for whose vital the plan has a limit; see `readings`.
// Parameters: bucket, start (whole days or weeks from its own on), stop, weeks, services, municipalities, zone. From rollups.
// Columns: vital, readings (with a limit), in_range, share (in_range / readings). By vital.
timeInRange = (
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
        which: (r) => r._field == "limited" or r._field == "in_range",
        weeks: weeks,
        services: services,
        municipalities: municipalities,
        zone: zone,
    )
        |> group(columns: ["vital", "_field"])
        |> sum()
        |> group()
        |> pivot(rowKey: ["vital"], columnKey: ["_field"], valueColumn: "_value")
        |> filter(fn: (r) => r.limited > 0.0)
        |> map(
            fn: (r) =>
                ({vital: r.vital, readings: r.limited, in_range: r.in_range, share: r.in_range / r.limited}),
        )
        |> sort(columns: ["vital"])
