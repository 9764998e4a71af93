// zoneOf: the zone of a number, see `rankOf`.
//
// Parameters: rank (float).
// Returns: a text.
zoneOf = (rank) =>
    if rank == 3.0 then
        "red"
    else if rank == 2.0 then
        "yellow"
    else if rank == 1.0 then
        "no_data"
    else if rank == 0.0 then "green" else "not_monitored"
