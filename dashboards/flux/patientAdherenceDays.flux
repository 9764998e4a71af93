// patientAdherenceDays: on which days a registration was awaited of each patient, and whether it came.
//
// What was due is what the patient's status said at the time; what came is what is known now. A due instant belongs to the
// patient's day `d` on which it lies. It was awaited on `d` if it stood as the next due at any moment of `d`, and on each
// later day at whose beginning it still stood, unless a registration is known by now that was made on `d` or later and
// before that day. So a weekly patient who is three days late was awaited on four days. Of each day:
//   due            due instants that lie on the day, had come before `stop` and were awaited
//   awaited        1: one of them, or one from before, was awaited on the day
//   registrations  registrations made on the day; see `registrations` for what counts
//   done           1: awaited, and there was one
//   late           1: done, and nothing was due on the day itself
// Parameters: bucket, start (whole days from its day on), stop, zone (the time zone of days), which (a function of a row
//   with patient: whose). Registrations of up to 100 days before `start` are looked at.
// Columns: patient, _time (the day's beginning), field and value: the names above. One table, no order; what would be
//   0 has no row.
import "experimental"

patientAdherenceDays = (bucket, start, stop, zone="Europe/Oslo", which=(r) => true) => {
    day = (t) => dawn(t: t, zone: zone)
    ms = (t) => float(v: int(v: t)) / 1000000.0
    opening = day(t: start)
    dues = (tables=<-) =>
        tables
            |> filter(fn: (r) => r._measurement == "status" and r._field == "due")
            |> filter(fn: which)
    asked =
        union(
            tables: [
                from(bucket: bucket) |> range(start: time(v: 0), stop: opening) |> dues() |> last() |> group(),
                from(bucket: bucket) |> range(start: opening, stop: stop) |> dues() |> group(),
            ],
        )
            |> map(fn: (r) => ({patient: r.patient, _time: r._time, due: r._value, place: 1}))
    made =
        registrations(
            bucket: bucket,
            start: experimental.subDuration(d: 100d, from: opening),
            stop: stop,
            which: which,
        )
    marks =
        join(
            tables: {
                patients:
                    asked
                        |> group(columns: ["patient"])
                        |> first(column: "due")
                        |> group()
                        |> map(fn: (r) => ({patient: r.patient, key: 1})),
                days: days(start: start, stop: stop, zone: zone),
            },
            on: ["key"],
        )
            |> map(fn: (r) => ({patient: r.patient, _time: r.begins, begins: r.begins, ends: r.ends, place: 0}))
    // Each day's beginning with the newest registration from before it.
    begun =
        union(
            tables: [
                marks |> drop(columns: []),
                made
                    |> map(fn: (r) => ({patient: r.patient, _time: r._time, before: ms(t: r._time), place: 1}))
                    |> drop(columns: []),
            ],
        )
            |> group(columns: ["patient"])
            |> sort(columns: ["_time", "place"])
            |> fill(column: "before", usePrevious: true)
            |> fill(column: "before", value: -1.0)
            |> group()
            |> filter(fn: (r) => r.place == 0)
    // What stood as due at the beginning of a day, and whatever came to stand in the course of it.
    stood =
        union(tables: [asked |> drop(columns: []), begun |> drop(columns: [])])
            |> group(columns: ["patient"])
            |> sort(columns: ["_time", "place"])
            |> fill(column: "due", usePrevious: true)
            |> fill(column: "before", usePrevious: true)
            |> fill(column: "ends", usePrevious: true)
            |> fill(column: "begins", usePrevious: true)
            |> group()
            |> filter(fn: (r) => r._time >= opening and exists r.due and r.due >= 0.0 and r.due < ms(t: r.ends))
            |> map(
                fn: (r) => {
                    today = r.due >= ms(t: r.begins)

                    return {
                        patient: r.patient,
                        day: r.begins,
                        due: r.due,
                        today: today,
                        open: today or r.before < ms(t: day(t: instant(ms: r.due))),
                    }
                },
            )
            |> filter(fn: (r) => r.open)
    many = (tables=<-, name) =>
        tables
            |> map(fn: (r) => ({patient: r.patient, day: r.day, name: name, value: 1.0}))
            |> group(columns: ["patient", "day", "name"])
            |> sum(column: "value")
            |> group()
    wide =
        union(
            tables: [
                stood
                    |> group(columns: ["patient", "day"])
                    |> first(column: "due")
                    |> group()
                    |> many(name: "awaited"),
                stood
                    |> filter(fn: (r) => r.today)
                    |> group(columns: ["patient", "day"])
                    |> distinct(column: "due")
                    |> group()
                    |> many(name: "due"),
                made
                    |> filter(fn: (r) => r._time >= opening)
                    |> map(fn: (r) => ({patient: r.patient, day: day(t: r._time)}))
                    |> many(name: "registrations"),
            ],
        )
            |> pivot(rowKey: ["patient", "day"], columnKey: ["name"], valueColumn: "value")
            |> map(
                fn: (r) => {
                    done = exists r.awaited and exists r.registrations

                    return {
                        patient: r.patient,
                        _time: r.day,
                        awaited: if exists r.awaited then 1.0 else 0.0,
                        due: if exists r.due then r.due else 0.0,
                        registrations: if exists r.registrations then r.registrations else 0.0,
                        done: if done then 1.0 else 0.0,
                        late: if done and not exists r.due then 1.0 else 0.0,
                    }
                },
            )
    one = (name, of) =>
        wide |> map(fn: (r) => ({patient: r.patient, _time: r._time, field: name, value: of(r: r)}))

    return
        union(
            tables: [
                one(name: "awaited", of: (r) => r.awaited),
                one(name: "due", of: (r) => r.due),
                one(name: "registrations", of: (r) => r.registrations),
                one(name: "done", of: (r) => r.done),
                one(name: "late", of: (r) => r.late),
            ],
        )
            |> filter(fn: (r) => r.value != 0.0)
}
