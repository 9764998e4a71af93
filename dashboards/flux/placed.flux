// placed: each row with the service, municipality and pathway to which its patient belonged at its time.
//
// A place holds from its very millisecond on. Rows of patients of the pathway `canary`, and rows from before an enrolment,
// are left out; rows from before follow-up and after the end stay, with followed 0.0.
// Parameters: rows with patient and _time, and no column recorded, whose, service, municipality, pathway, followed, listed,
//   piped in; bucket, stop (later than every row), services, municipalities.
// Columns: those of the rows, and service, municipality, pathway, followed. One table.
placed = (tables=<-, bucket, stop, services=["*"], municipalities=["*"]) =>
    union(
        tables: [
            tables |> group() |> set(key: "asked", value: "1") |> drop(columns: []),
            places(bucket: bucket, stop: stop) |> set(key: "asked", value: "0") |> drop(columns: []),
            nowhere() |> set(key: "asked", value: "0") |> drop(columns: []),
        ],
    )
        |> group()
        |> sort(columns: ["patient", "_time", "asked", "recorded"])
        |> fill(column: "whose", usePrevious: true)
        |> fill(column: "followed", usePrevious: true)
        |> fill(column: "municipality", usePrevious: true)
        |> fill(column: "pathway", usePrevious: true)
        |> fill(column: "service", usePrevious: true)
        |> filter(
            fn: (r) =>
                r.asked == "1" and exists r.whose and r.whose == r.patient and r.municipality != "" and r.pathway != "canary" and wants(
                        set: services,
                        value: r.service,
                    ) and wants(set: municipalities, value: r.municipality),
        )
        |> drop(columns: ["asked", "recorded", "whose", "listed"])
