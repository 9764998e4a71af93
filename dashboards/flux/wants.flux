// wants: whether a filter lets a value pass.
//
// Parameters: set (array of text; ["*"] lets everything pass), value (text).
// Returns: true or false.
wants = (set, value) => contains(value: "*", set: set) or contains(value: value, set: set)
