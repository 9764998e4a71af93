// secondsBetween: how long it is from one time to another [s]; nothing where either is missing.
//
// Parameters: from, to (times).
import "internal/debug"

secondsBetween = (from, to) =>
    if exists from and exists to then
        float(v: int(v: to) - int(v: from)) / 1000000000.0
    else
        debug.null(type: "float")
