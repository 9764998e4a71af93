// pageTimesByService: how long it took until a page was acknowledged, by the service that was responsible.
//
// Parameters: bucket, start, stop, services, municipalities; as in `pageTimes`.
// Columns: service, pages (reds that somebody was asked to look at), delivered, acknowledged (of them), p50_s, p95_s and
//   longest_s [s] (of acknowledged_s: the nearest rank, so each is a time that was; empty where there is none). By service.
pageTimesByService = (bucket, start, stop, services=["*"], municipalities=["*"]) => {
    reds =
        pageTimes(bucket: bucket, start: start, stop: stop, services: services, municipalities: municipalities)
    took =
        reds
            |> filter(fn: (r) => exists r.acknowledged_s)
            |> map(fn: (r) => ({service: r.service, value: r.acknowledged_s}))
            |> group(columns: ["service"])
    one = (tables=<-, name) =>
        tables
            |> group()
            |> map(fn: (r) => ({service: r.service, name: name, value: r.value}))
    many = (name, of) =>
        reds
            |> map(fn: (r) => ({service: r.service, value: if of(r: r) then 1.0 else 0.0}))
            |> group(columns: ["service"])
            |> sum(column: "value")
            |> one(name: name)
    ranked = (name, q) =>
        took
            |> rename(columns: {value: "_value"})
            |> quantile(q: q, method: "exact_selector")
            |> rename(columns: {_value: "value"})
            |> one(name: name)

    return
        union(
            tables: [
                many(name: "pages", of: (r) => true),
                many(name: "delivered", of: (r) => exists r.delivered),
                many(name: "acknowledged", of: (r) => exists r.acknowledged),
                ranked(name: "p50_s", q: 0.5),
                ranked(name: "p95_s", q: 0.95),
                ranked(name: "longest_s", q: 1.0),
            ],
        )
            |> pivot(rowKey: ["service"], columnKey: ["name"], valueColumn: "value")
            |> sort(columns: ["service"])
}
