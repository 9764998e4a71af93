// alerts: the changes into yellow or red that stand, and are news.
//
// Not counted: what was retracted, the way out of red into yellow, and the going on of an episode after a pause.
// Red again, of which the fold tells as from red to red, is an alert of its own.
// Parameters: bucket, start, stop, which (a function of a row with patient: whose).
// Columns: _time, patient, from_zone, to_zone, zone_change_id, rule, vital (of the leading reason), alert_reasons
//   (`rule:vital` of each reason, by commas). One table, no order.
alerts = (bucket, start, stop, which=(r) => true) =>
    from(bucket: bucket)
        |> range(start: start, stop: stop)
        |> filter(
            fn: (r) =>
                r._measurement == "zone_change" and (r.to_zone == "red" or r.to_zone == "yellow" and r.from_zone
                        !=
                        "red") and (r._field == "retracted" or r._field == "zone_change_id" or r._field == "rule"
                        or
                        r._field == "vital" or r._field == "alert_reasons"),
        )
        |> filter(fn: which)
        |> keep(columns: ["patient", "from_zone", "to_zone", "_time", "_field", "_value"])
        |> group(columns: ["_field"])
        |> pivot(rowKey: ["patient", "from_zone", "to_zone", "_time"], columnKey: ["_field"], valueColumn: "_value")
        |> filter(
            fn: (r) => r.retracted == 0.0 and not (exists r.alert_reasons and r.alert_reasons =~ /(red|yellow)_kept:/),
        )
        |> drop(columns: ["retracted"])
