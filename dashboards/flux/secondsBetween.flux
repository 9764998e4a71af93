// secondsBetween: how long it is from one time to another [s]; nothing where either is missing.
//
// Of whole milliseconds: what stands below them in a point's time tells points apart and is no time.
// Parameters: from, to (times).
// Returns: seconds [s], or nothing.
import "internal/debug"

secondsBetween = (from, to) =>
    if exists from and exists to then
        float(v: int(v: to) / 1000000 - int(v: from) / 1000000) / 1000.0
    else
        debug.null(type: "float")
