// alertsByRule: how many alerts each rule had a part in, on which vital, and what staff said of them.
//
// An alert counts for every rule and vital that raised it, so the rows do not add up to the number of alerts. Of several
// words on one alert the last that says right or wrong counts, else the last.
// Parameters: bucket, start, stop (of the alerts; they may be taken over at any time after), services, municipalities.
// Columns: rule, vital, to_zone, alerts, acknowledged, right, wrong (alerts each); most alerts first.
import "strings"

alertsByRule = (bucket, start, stop, services=["*"], municipalities=["*"]) => {
    raised =
        alerts(bucket: bucket, start: start, stop: stop)
            |> placed(bucket: bucket, stop: stop, services: services, municipalities: municipalities)
            |> keep(columns: ["zone_change_id", "to_zone", "alert_reasons"])
            |> duplicate(column: "zone_change_id", as: "raised")
            |> set(key: "what", value: "0 alert")
    said =
        acknowledgements(bucket: bucket, start: start)
            |> map(fn: (r) => ({r with says: r.right + r.wrong}))
            |> sort(columns: ["says", "recorded", "event_id"], desc: true)
            |> unique(column: "zone_change_id")
            |> keep(columns: ["zone_change_id", "right", "wrong"])
            |> duplicate(column: "zone_change_id", as: "taken")
            |> set(key: "what", value: "1 said")
    reasons =
        from(bucket: bucket)
            |> range(start: start, stop: stop)
            |> filter(fn: (r) => r._measurement == "alert_reason" and r._field == "zone_change_id")
            |> keep(columns: ["rule", "vital", "_value"])
            |> group()
            |> rename(columns: {_value: "zone_change_id"})
            |> set(key: "what", value: "2 reason")

    return
        union(tables: [raised |> drop(columns: []), said |> drop(columns: []), reasons |> drop(columns: [])])
            |> group()
            |> sort(columns: ["zone_change_id", "what"])
            |> fill(column: "raised", usePrevious: true)
            |> fill(column: "to_zone", usePrevious: true)
            |> fill(column: "alert_reasons", usePrevious: true)
            |> fill(column: "taken", usePrevious: true)
            |> fill(column: "right", usePrevious: true)
            |> fill(column: "wrong", usePrevious: true)
            |> filter(
                fn: (r) =>
                    r.what == "2 reason" and exists r.raised and r.raised == r.zone_change_id and strings.containsStr(
                            v: "," + r.alert_reasons + ",",
                            substr: "," + r.rule + ":" + r.vital + ",",
                        ),
            )
            |> map(
                fn: (r) => {
                    taken = exists r.taken and r.taken == r.zone_change_id

                    return {
                        rule: r.rule,
                        vital: r.vital,
                        to_zone: r.to_zone,
                        alerts: 1.0,
                        acknowledged: if taken then 1.0 else 0.0,
                        right: if taken then r.right else 0.0,
                        wrong: if taken then r.wrong else 0.0,
                    }
                },
            )
            |> group(columns: ["rule", "vital", "to_zone"])
            |> reduce(
                identity: {alerts: 0.0, acknowledged: 0.0, right: 0.0, wrong: 0.0},
                fn: (r, accumulator) =>
                    ({
                        alerts: accumulator.alerts + r.alerts,
                        acknowledged: accumulator.acknowledged + r.acknowledged,
                        right: accumulator.right + r.right,
                        wrong: accumulator.wrong + r.wrong,
                    }),
            )
            |> group()
            |> map(fn: (r) => ({r with fewest: -r.alerts}))
            |> sort(columns: ["fewest", "rule", "vital", "to_zone"])
            |> drop(columns: ["fewest"])
}
