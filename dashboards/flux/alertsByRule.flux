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
            |> set(key: "what", value: "0 alert")
    said =
        acknowledgements(bucket: bucket, start: start)
            |> map(fn: (r) => ({r with says: r.right + r.wrong}))
            |> group(columns: ["zone_change_id"])
            |> sort(columns: ["says", "recorded", "event_id"])
            |> last(column: "recorded")
            |> group()
            |> keep(columns: ["zone_change_id", "right", "wrong"])
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
            |> group(columns: ["zone_change_id"])
            |> sort(columns: ["what"])
            |> fill(column: "to_zone", usePrevious: true)
            |> fill(column: "alert_reasons", usePrevious: true)
            |> fill(column: "right", usePrevious: true)
            |> fill(column: "wrong", usePrevious: true)
            |> group()
            |> filter(
                fn: (r) =>
                    r.what == "2 reason" and exists r.to_zone and strings.containsStr(
                            v: "," + r.alert_reasons + ",",
                            substr: "," + r.rule + ":" + r.vital + ",",
                        ),
            )
            |> map(
                fn: (r) =>
                    ({
                        rule: r.rule,
                        vital: r.vital,
                        to_zone: r.to_zone,
                        alerts: 1.0,
                        acknowledged: if exists r.right then 1.0 else 0.0,
                        right: if exists r.right then r.right else 0.0,
                        wrong: if exists r.wrong then r.wrong else 0.0,
                    }),
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
