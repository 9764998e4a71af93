// serviceZeros: a row of `service_day` or `service_week` with 0 in every field; each is a sum over the patients of a service.
//
//   patients         followed at the end of the day (or just before `stop`); of a week: of its last day
//   stood_<zone>     patients who stood in the zone then, as was known then: see `stood`; of a week: of its last day
//   worst_<zone>     patients whose worst zone of the day it was; of a week: patient-days
//   seconds_<zone>   time in the zone [s]
//   bed_days         nights in hospital, each of the day on which it begins; in follow-up alone
//   due, awaited, done, late, registrations   as in `patientAdherenceDays`
//   alerts_yellow, alerts_red   as in `alerts`
//   pages            pages asked for, each step of a ladder one, by when the patient came into the zone
//   admissions, acute, readmissions   as in `stays`, in follow-up alone
//   emergency        emergency contacts of every kind, in follow-up alone
// Returns: one row, of a day that is none.
import "array"

serviceZeros = () =>
    array.from(
        rows: [
            {
                _time: time(v: 0),
                service: "",
                municipality: "",
                patients: 0.0,
                stood_red: 0.0,
                stood_yellow: 0.0,
                stood_no_data: 0.0,
                stood_green: 0.0,
                stood_not_monitored: 0.0,
                worst_red: 0.0,
                worst_yellow: 0.0,
                worst_no_data: 0.0,
                worst_green: 0.0,
                worst_not_monitored: 0.0,
                seconds_red: 0.0,
                seconds_yellow: 0.0,
                seconds_no_data: 0.0,
                seconds_green: 0.0,
                seconds_not_monitored: 0.0,
                bed_days: 0.0,
                due: 0.0,
                awaited: 0.0,
                done: 0.0,
                late: 0.0,
                registrations: 0.0,
                alerts_yellow: 0.0,
                alerts_red: 0.0,
                pages: 0.0,
                admissions: 0.0,
                acute: 0.0,
                readmissions: 0.0,
                emergency: 0.0,
            },
        ],
    )
