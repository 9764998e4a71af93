// rankOf: a zone as a number: 3 red, 2 yellow, 1 no_data, 0 green, -1 not_monitored.
//
// Parameters: zone (text).
// Returns: a float.
rankOf = (zone) =>
    if zone == "red" then
        3.0
    else if zone == "yellow" then
        2.0
    else if zone == "no_data" then
        1.0
    else if zone == "green" then 0.0 else -1.0
