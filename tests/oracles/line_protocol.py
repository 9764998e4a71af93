"""An independent reader of line protocol: character by character, as InfluxDB's own parser goes through a line."""

from __future__ import annotations

Field = float | str
Line = tuple[str, dict[str, str], dict[str, Field], int]


def parse(line: str) -> Line:
    """Return measurement, tags, fields and time of one line. Numbers without a suffix are floats."""
    head, rest = _until(line, " ")
    measurement, tags = _until(head, ",")
    found_tags = {}
    while tags:
        tag, tags = _until(tags, ",")
        name, text = _until(tag, "=")
        found_tags[_unescape(name)] = _unescape(text)
    fields: dict[str, Field] = {}
    while True:
        name, rest = _until(rest, "=")
        value, rest = _value(rest)
        fields[_unescape(name)] = value
        if rest[0] == " ":
            return _unescape(measurement), found_tags, fields, int(rest[1:])
        assert rest[0] == ","
        rest = rest[1:]


def lines(body: bytes) -> list[Line]:
    """Return the lines of a request. A newline within a field's quotes is part of its text; tags have no quotes."""
    found = []
    start = 0
    in_fields = quoted = False
    text = body.decode()
    place = 0
    while place < len(text):
        if text[place] == "\\":
            place += 1
        elif text[place] == " ":
            in_fields = True
        elif text[place] == '"' and in_fields:
            quoted = not quoted
        elif text[place] == "\n" and not quoted:
            found.append(parse(text[start:place]))
            start = place + 1
            in_fields = False
        place += 1
    return [*found, parse(text[start:])]


def _until(text: str, end: str) -> tuple[str, str]:
    place = 0
    while place < len(text):
        if text[place] == "\\":
            place += 1
        elif text[place] == end:
            return text[:place], text[place + 1 :]
        place += 1
    return text, ""


def _unescape(text: str) -> str:
    for escaped in ",= ":
        text = text.replace("\\" + escaped, escaped)
    return text


def _value(text: str) -> tuple[Field, str]:
    if text[0] != '"':
        place = min(place for place in (text.find(","), text.find(" ")) if place >= 0)
        return float(text[:place]), text[place:]
    read = []
    place = 1
    while text[place] != '"':
        if text[place] == "\\" and text[place + 1] in '"\\':
            place += 1
        read.append(text[place])
        place += 1
    return "".join(read), text[place + 1 :]
