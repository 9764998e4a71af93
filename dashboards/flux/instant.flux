// instant: a field that holds an instant, as a time.
//
// Parameters: ms [ms since 1970]; below 0 where none is given.
// Returns: a time, or nothing.
import "internal/debug"

instant = (ms) => if ms < 0.0 then debug.null(type: "time") else time(v: int(v: ms) * 1000000)
