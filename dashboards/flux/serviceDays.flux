// serviceDays: what each day was for each service and municipality, worked out from the raw bucket.
//
// What a patient's day was counts where the patient belonged at the end of the day, or just before `stop`; what happened
// (alerts, pages, admissions) where the patient belonged when it happened. Whoever is followed counts: see `places`.
// Pages are told of everybody.
// Parameters: bucket, start (whole days from its day on), stop, zone (the time zone of days).
// Columns: service, municipality, _time (the day's beginning), and the fields that `serviceZeros` tells of, empty
//   where they may be 0. One table, no order.
import "date"
import "experimental"
import "timezone"

serviceDays = (bucket, start, stop, zone="Europe/Oslo") => {
    location = timezone.location(name: zone)
    opening = dawn(t: start, zone: zone)
    happened = (tables=<-, field, of=(r) => 1.0) =>
        tables
            |> map(
                fn: (r) =>
                    ({
                        patient: r.patient,
                        _time: r._time,
                        day: dawn(t: r._time, zone: zone),
                        field: field,
                        value: of(r: r),
                    }),
            )
            |> drop(columns: [])
    ofDay = (tables=<-) =>
        tables
            |> map(
                fn: (r) => {
                    ends = date.add(d: 1d, to: r._time, location: location)

                    return {
                        patient: r.patient,
                        _time: experimental.subDuration(d: 1ns, from: if ends < stop then ends else stop),
                        day: r._time,
                        field: r.field,
                        value: r.value,
                    }
                },
            )
            |> drop(columns: [])
    inFollowUp =
        [
            "alerts_yellow",
            "alerts_red",
            "admissions",
            "acute",
            "readmissions",
            "emergency",
            "due",
            "awaited",
            "done",
            "late",
            "registrations",
        ]
    news = alerts(bucket: bucket, start: opening, stop: stop)
    came =
        stays(bucket: bucket, stop: stop)
            |> filter(fn: (r) => r.bed == 1.0 and r._time >= opening)
    counted =
        union(
            tables: [
                patientZoneDays(bucket: bucket, start: start, stop: stop, zone: zone) |> ofDay(),
                patientAdherenceDays(bucket: bucket, start: start, stop: stop, zone: zone) |> ofDay(),
                news |> filter(fn: (r) => r.to_zone == "yellow") |> happened(field: "alerts_yellow"),
                news |> filter(fn: (r) => r.to_zone == "red") |> happened(field: "alerts_red"),
                pages(bucket: bucket, start: opening, stop: stop) |> happened(field: "pages"),
                came |> happened(field: "admissions"),
                came |> happened(field: "acute", of: (r) => r.acute),
                came |> happened(field: "readmissions", of: (r) => r.readmission),
                from(bucket: bucket)
                    |> range(start: opening, stop: stop)
                    |> filter(
                        fn: (r) =>
                            r._measurement == "care_event" and r.kind == "emergency_contact" and r._field == "contact",
                    )
                    |> group()
                    |> happened(field: "emergency"),
            ],
        )
            |> placed(bucket: bucket, stop: stop)
            |> filter(fn: (r) => not contains(value: r.field, set: inFollowUp) or r.followed == 1.0)

    stoodAtEnds =
        stood(bucket: bucket, start: opening, stop: stop)
            |> zoneMoves()
            |> group(columns: ["service", "municipality", "series"])
            |> sort(columns: ["_time"])
            |> cumulativeSum()
            |> range(start: opening, stop: stop)
            |> aggregateWindow(
                every: 1d,
                fn: last,
                createEmpty: true,
                timeSrc: "_start",
                location: location,
            )
            |> fill(usePrevious: true)
            |> group()
            |> filter(fn: (r) => exists r._value)
            |> map(
                fn: (r) =>
                    ({
                        service: r.service,
                        municipality: r.municipality,
                        day: r._time,
                        field: "stood_" + r.series,
                        value: r._value,
                    }),
            )

    return
        union(
            tables: [
                counted |> keep(columns: ["service", "municipality", "day", "field", "value"]),
                counted
                    |> filter(fn: (r) => r.field =~ /^worst_/ and r.followed == 1.0)
                    |> keep(columns: ["service", "municipality", "day", "value"])
                    |> set(key: "field", value: "patients"),
                stoodAtEnds |> drop(columns: []),
            ],
        )
            |> rename(columns: {day: "_time", value: "_value"})
            |> group(columns: ["service", "municipality", "field"])
            |> range(start: opening, stop: stop)
            |> byTime(zone: zone)
            |> group()
            |> pivot(
                rowKey: ["service", "municipality", "_time"],
                columnKey: ["field"],
                valueColumn: "_value",
            )
}
