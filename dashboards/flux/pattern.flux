// pattern: a filter as a regular expression, which the storage itself can apply to a tag.
//
// Parameters: set (array of text; ["*"] lets everything pass, none nothing).
// Returns: a regular expression.
import "array"
import "regexp"
import "strings"

pattern = (set) =>
    if contains(value: "*", set: set) then
        /.*/
    else
        regexp.compile(
            v:
                "^(" + strings.joinStr(
                        arr: set |> array.map(fn: (x) => regexp.quoteMeta(v: x)),
                        v: "|",
                    ) + ")$",
        )
