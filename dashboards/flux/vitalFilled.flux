// vitalFilled: rows of `vital_day` or `vital_week` with 0 where a field has no value.
//
// Parameters: the rows, piped in.
// Returns: the same rows.
vitalFilled = (tables=<-) =>
    tables
        |> fill(column: "count", value: 0.0)
        |> fill(column: "min", value: 0.0)
        |> fill(column: "median", value: 0.0)
        |> fill(column: "max", value: 0.0)
        |> fill(column: "quarantined", value: 0.0)
        |> fill(column: "limited", value: 0.0)
        |> fill(column: "in_range", value: 0.0)
