// timeInZone: how much of the time in which patients were followed they stood in each zone, as was known at the last run.
//
// See `patientZoneDays`.
// Parameters: bucket, start (whole days or weeks from its own on), stop, weeks, services, municipalities, zone. From rollups.
// Columns: zone, zone_rank, hours [h], share (of all the time); the highest rank first, all five.
import "internal/debug"
import "strings"

timeInZone = (
    bucket,
    start,
    stop,
    weeks=false,
    services=["*"],
    municipalities=["*"],
    zone="Europe/Oslo",
) => {
    found =
        union(
            tables: [
                rolled(
                    bucket: bucket,
                    measurement: "service",
                    start: start,
                    stop: stop,
                    which: (r) => r._field =~ /^seconds_/,
                    weeks: weeks,
                    services: services,
                    municipalities: municipalities,
                    zone: zone,
                )
                    |> group(columns: ["_field"])
                    |> sum()
                    |> group()
                    |> map(
                        fn: (r) =>
                            ({
                                zone: strings.trimPrefix(v: r._field, prefix: "seconds_"),
                                seconds: r._value,
                            }),
                    ),
                zones() |> map(fn: (r) => ({zone: r.zone, seconds: 0.0})),
            ],
        )
            |> group(columns: ["zone"])
            |> sum(column: "seconds")
            |> group()
    total =
        found
            |> sum(column: "seconds")
            |> findRecord(fn: (key) => true, idx: 0)

    return
        found
            |> map(
                fn: (r) =>
                    ({
                        zone: r.zone,
                        zone_rank: rankOf(zone: r.zone),
                        hours: r.seconds / 3600.0,
                        share: if total.seconds > 0.0 then r.seconds / total.seconds else debug.null(type: "float"),
                    }),
            )
            |> sort(columns: ["zone_rank"], desc: true)
}
