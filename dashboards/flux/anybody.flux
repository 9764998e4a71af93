// anybody: whether the store knows where a single patient stood just before an instant.
//
// Where it knows of nobody, as in a bucket that is new or was emptied, nothing can be counted: not even that there are 0.
// Patients of the pathway `canary` are nobody.
// Parameters: bucket, at.
// Returns: true or false.
anybody = (bucket, at) => {
    known =
        from(bucket: bucket)
            |> range(start: time(v: 0), stop: at)
            |> filter(fn: (r) => r._measurement == "status" and r._field == "pathway")
            |> last()
            |> group()
            |> filter(fn: (r) => r._value != "canary")
            |> limit(n: 1)
            |> findColumn(fn: (key) => true, column: "_value")

    return length(arr: known) > 0
}
