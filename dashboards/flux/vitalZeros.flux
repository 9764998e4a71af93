// vitalZeros: a row of `vital_day` or `vital_week` with 0 in every field; see `vitalDays`.
//
// Where `count` is 0, `min`, `median` and `max` say nothing.
// Returns: one row, of a day that is none.
import "array"

vitalZeros = () =>
    array.from(
        rows: [
            {
                _time: time(v: 0),
                patient: "",
                vital: "",
                count: 0.0,
                min: 0.0,
                median: 0.0,
                max: 0.0,
                quarantined: 0.0,
                limited: 0.0,
                in_range: 0.0,
            },
        ],
    )
