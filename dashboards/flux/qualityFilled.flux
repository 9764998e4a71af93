// qualityFilled: rows of `quality_day` or `quality_week` with 0 where a field has no value.
//
// Parameters: the rows, piped in.
// Returns: the same rows.
qualityFilled = (tables=<-) =>
    tables
        |> fill(column: "readings", value: 0.0)
        |> fill(column: "quarantined", value: 0.0)
        |> fill(column: "limited", value: 0.0)
        |> fill(column: "in_range", value: 0.0)
