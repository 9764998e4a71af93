"""/docs: the OpenAPI document as one readable page, made when the gateway starts; no script and nothing fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from typing import TYPE_CHECKING, Any, Final

from agents.gateway.problems import PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Iterable

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
code, pre { font: 14px/1.45 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: .1em .3em; } pre { padding: 1rem; overflow-x: auto; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
.verb { font-weight: 700; padding: .1em .5em; border: 1px solid var(--line); border-radius: 4px; }
"""
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)
_CODE: Final = re.compile(r"`([^`]+)`")


def docs_page(document: dict[str, Any]) -> str:
    """Return the page of an OpenAPI document of ours."""
    info = document["info"]
    schemas = document["components"]["schemas"]
    sections = [
        f"<h1>{escape(info['title'])}</h1>",
        *(f"<p>{_inline(part)}</p>" for part in info["description"].split("\n\n")),
        '<p>The same for programs: <a href="/openapi.json">openapi.json</a>.</p>',
        *(_operation(path, verb, each) for path, verbs in document["paths"].items() for verb, each in verbs.items()),
        "<h2>Fields</h2>",
        *(_schema(name, schema) for name, schema in schemas.items()),
        "<h2>Problems</h2>",
        _problems(),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body><main>"
        + "\n".join(sections)
        + "</main></body></html>"
    )


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text)).replace("\n", " ")


def _operation(path: str, verb: str, operation: dict[str, Any]) -> str:
    body = operation["requestBody"]["content"]["application/json"]
    example = json.dumps(body["examples"]["one"]["value"], indent=2, ensure_ascii=False)
    head = f"{verb.upper()} {path} HTTP/1.1\nAuthorization: Bearer <your token>\nContent-Type: application/json\n\n"
    rows = [
        (f"<code>{status}</code>", "<br>".join(_inline(line) for line in each["description"].split("\n")))
        for status, each in operation["responses"].items()
    ]
    return (
        f'<h2 id="{operation["operationId"]}"><span class="verb">{verb.upper()}</span> {escape(path)}</h2>'
        f"<p>{_inline(operation['summary'])}. {_inline(operation['description'])}</p>"
        f"<h3>Example</h3><pre>{escape(head + example)}</pre>"
        f"<h3>Answers</h3>{_table(('status', 'meaning'), rows)}"
    )


def _schema(name: str, schema: dict[str, Any]) -> str:
    head = f'<h3 id="{name}">{escape(name)}</h3><p>{_inline(schema.get("description", ""))}</p>'
    if "enum" in schema:
        return head + f"<p>One of {', '.join(f'<code>{escape(str(each))}</code>' for each in schema['enum'])}.</p>"
    required = schema.get("required", ())
    rows = [
        (
            f"<code>{escape(field)}</code>",
            _kind(each),
            "required" if field in required else _default(each),
            _inline(each.get("description", "")),
        )
        for field, each in schema["properties"].items()
    ]
    return head + _table(("field", "type and bounds", "", "meaning"), rows)


def _default(schema: dict[str, Any]) -> str:
    if not schema.get("default"):
        return "optional"
    return f"default <code>{escape(json.dumps(schema['default']))}</code>"


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"] if each.get("type") != "null")
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(each))}</code>" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}{_bounds(schema)}"
    return escape(schema.get("format") or schema.get("type", "any")) + _bounds(schema)


def _bounds(schema: dict[str, Any]) -> str:
    words = {
        "minimum": "at least",
        "maximum": "at most",
        "minLength": "characters from",
        "maxLength": "characters up to",
        "minItems": "items from",
        "maxItems": "items up to",
    }
    told = [f"{word} {schema[key]}" for key, word in words.items() if key in schema]
    told += [f"<code>{escape(schema['pattern'])}</code>"] if "pattern" in schema else []
    return f", {', '.join(told)}" if told else ""


def _problems() -> str:
    rows = [
        (f'<code id="{kind.name}">{kind.name}</code>', str(kind.status), escape(kind.title), _inline(kind.advice))
        for kind in PROBLEMS
    ]
    return _table(("type", "status", "title", "what to do"), rows)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{each}</td>" for each in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
