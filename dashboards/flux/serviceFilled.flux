// serviceFilled: rows of `service_day` or `service_week` with 0 where a field has no value.
//
// Parameters: the rows, piped in.
// Returns: the same rows.
serviceFilled = (tables=<-) =>
    tables
        |> fill(column: "patients", value: 0.0)
        |> fill(column: "worst_red", value: 0.0)
        |> fill(column: "worst_yellow", value: 0.0)
        |> fill(column: "worst_no_data", value: 0.0)
        |> fill(column: "worst_green", value: 0.0)
        |> fill(column: "worst_not_monitored", value: 0.0)
        |> fill(column: "seconds_red", value: 0.0)
        |> fill(column: "seconds_yellow", value: 0.0)
        |> fill(column: "seconds_no_data", value: 0.0)
        |> fill(column: "seconds_green", value: 0.0)
        |> fill(column: "seconds_not_monitored", value: 0.0)
        |> fill(column: "bed_days", value: 0.0)
        |> fill(column: "due", value: 0.0)
        |> fill(column: "awaited", value: 0.0)
        |> fill(column: "done", value: 0.0)
        |> fill(column: "late", value: 0.0)
        |> fill(column: "registrations", value: 0.0)
        |> fill(column: "alerts_yellow", value: 0.0)
        |> fill(column: "alerts_red", value: 0.0)
        |> fill(column: "pages", value: 0.0)
        |> fill(column: "admissions", value: 0.0)
        |> fill(column: "acute", value: 0.0)
        |> fill(column: "readmissions", value: 0.0)
