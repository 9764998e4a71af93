// caseload: how many patients each service follows just before an instant, beside the number that it aims at.
//
// Parameters: bucket, at, services. The targets stand in the measurement `service`, which `sonevakt store apply` writes
//   from the services file.
// Columns: service, patients (followed, as was known then; referral is not yet), target, share (patients / target); target and share are empty
//   where the service has none. A service with a target and no patient has a row. By service.
import "internal/debug"

caseload = (bucket, at, services=["*"]) => {
    targets =
        from(bucket: bucket)
            |> range(start: time(v: 0), stop: at)
            |> filter(fn: (r) => r._measurement == "service" and r._field == "target_patients")
            |> last()
            |> group()
            |> filter(fn: (r) => wants(set: services, value: r.service))
            |> keep(columns: ["service", "_value"])

    return
        union(
            tables: [
                standings(bucket: bucket, at: at, services: services)
                    |> filter(fn: (r) => r.followed and r.phase != "referral")
                    |> map(fn: (r) => ({service: r.service, patients: 1.0, target: 0.0})),
                targets |> map(fn: (r) => ({service: r.service, patients: 0.0, target: r._value})),
            ],
        )
            |> group(columns: ["service"])
            |> reduce(
                identity: {patients: 0.0, target: 0.0},
                fn: (r, accumulator) =>
                    ({
                        patients: accumulator.patients + r.patients,
                        target: if r.target > accumulator.target then r.target else accumulator.target,
                    }),
            )
            |> group()
            |> map(
                fn: (r) => {
                    target = if r.target > 0.0 then r.target else debug.null(type: "float")

                    return {service: r.service, patients: r.patients, target: target, share: r.patients / target}
                },
            )
            |> sort(columns: ["service"])
}
