// nowhere: a row as of `places`, of nobody who belongs nowhere, so that every column is there whatever else is.
//
// Returns: one row.
import "array"

nowhere = () =>
    array.from(
        rows: [
            {
                patient: "",
                _time: time(v: 0),
                recorded: 0.0,
                whose: "",
                service: "",
                municipality: "",
                pathway: "",
                followed: 0.0,
                listed: 0.0,
            },
        ],
    )
