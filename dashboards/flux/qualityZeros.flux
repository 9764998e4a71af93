// qualityZeros: a row of `quality_day` or `quality_week` with 0 in every field; see `qualityDays`.
//
// Returns: one row, of a day that is none.
import "array"

qualityZeros = () =>
    array.from(
        rows: [
            {
                _time: time(v: 0),
                service: "",
                municipality: "",
                vital: "",
                equipment: "",
                readings: 0.0,
                quarantined: 0.0,
                limited: 0.0,
                in_range: 0.0,
            },
        ],
    )
