// zones: the five zones, in the order of the board.
//
// Columns: zone, zone_rank, patients (0.0), to begin counting from.
import "array"

zones = () =>
    array.from(
        rows: [
            {zone: "red", zone_rank: 3.0, patients: 0.0},
            {zone: "yellow", zone_rank: 2.0, patients: 0.0},
            {zone: "no_data", zone_rank: 1.0, patients: 0.0},
            {zone: "not_monitored", zone_rank: -1.0, patients: 0.0},
            {zone: "green", zone_rank: 0.0, patients: 0.0},
        ],
    )
