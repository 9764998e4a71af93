// limits: which limits of the plan held for a vital of a patient from when on.
//
// Of several plans the one with the highest version holds, from when it is valid; of one version the one that was written
// down last. A plan of a lower version than one that holds already changes nothing.
// Parameters: bucket, stop (valid before), which (a function of a row with patient: whose).
// Columns: patient, vital, _time (whole milliseconds), red_low, yellow_low, yellow_high, red_high [the vital's unit; -1.0:
//   none], plan_version, recorded [ms since 1970]. One table, no order.
import "date"
import "experimental/json"
import "strings"

limits = (bucket, stop, which=(r) => true) => {
    plans =
        from(bucket: bucket)
            |> range(start: time(v: 0), stop: stop)
            |> filter(fn: (r) => r._measurement == "plan_limit" and r._field == "limits")
            |> filter(fn: which)
            |> group()
            |> map(
                fn: (r) => {
                    s = json.parse(data: bytes(v: r._value))

                    return {
                        patient: r.patient,
                        vital: r.vital,
                        _time: date.truncate(t: r._time, unit: 1ms),
                        red_low: float(v: s.red_low),
                        yellow_low: float(v: s.yellow_low),
                        yellow_high: float(v: s.yellow_high),
                        red_high: float(v: s.red_high),
                        plan_version: float(v: s.plan_version),
                        recorded: float(v: s.recorded),
                    }
                },
            )
    // Of each patient, the instants of plans that are valid while one of a higher version holds, as one text.
    beaten =
        plans
            |> filter(fn: (r) => r.vital == "systolic")
            |> group(columns: ["patient"])
            |> sort(columns: ["_time", "plan_version"])
            |> reduce(
                identity: {top: 0.0, beaten: ""},
                fn: (r, accumulator) =>
                    ({
                        top: if r.plan_version > accumulator.top then r.plan_version else accumulator.top,
                        beaten:
                            if r.plan_version < accumulator.top then
                                accumulator.beaten + "," + string(v: r._time) + " " + string(v: r.plan_version) + ","
                            else
                                accumulator.beaten,
                    }),
            )
            |> group()
            |> filter(fn: (r) => r.beaten != "")

    return
        union(
            tables: [
                beaten |> set(key: "what", value: "0 beaten") |> drop(columns: []),
                plans |> set(key: "what", value: "1 plan") |> drop(columns: []),
            ],
        )
            |> group(columns: ["patient"])
            |> sort(columns: ["what"])
            |> fill(column: "beaten", usePrevious: true)
            |> group()
            |> filter(
                fn: (r) =>
                    r.what == "1 plan" and not (exists r.beaten and strings.containsStr(
                                v: r.beaten,
                                substr: "," + string(v: r._time) + " " + string(v: r.plan_version) + ",",
                            )),
            )
            |> drop(columns: ["what", "beaten", "top"])
}
