"""The gateway described for vendors (OpenAPI 3.1), made from the same types that read their messages."""

from __future__ import annotations

from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Final

import msgspec

from agents.gateway.problems import INTERNAL, INVALID, METHOD, NOT_FOUND, PROBLEM_JSON, PROBLEMS, RATE, UNAVAILABLE
from schemas.submissions import Correction, Submission

if TYPE_CHECKING:
    from agents.gateway.settings import GatewaySettings

_REF: Final = "#/components/schemas/{name}"
_SET_BY_GATEWAY: Final = {"Submission": "received_at", "Correction": "recorded_at"}

EXAMPLE_SUBMISSION: Final[dict[str, Any]] = {
    "submission_id": "0b0e4a5c-9d0f-4a39-8c43-3f0f5f1a7c11",
    "patient": "p-1042",
    "readings": [
        {
            "code": "59408-5",
            "value": 93,
            "unit": "%",
            "measured_at": "2026-03-01T09:41:00+01:00",
            "device": "oximeter-17",
            "context": {"at_rest": True, "oxygen_l_min": 0},
        },
        {"code": "8867-4", "value": 88, "unit": "/min", "measured_at": "2026-03-01T09:41:00+01:00"},
    ],
    "answers": [
        {"questionnaire": "copd-daily", "questionnaire_version": 1, "link_id": "breathlessness", "value": 2},
    ],
}
EXAMPLE_CORRECTION: Final[dict[str, Any]] = {
    "correction_id": "5a8d8a7e-3b53-4f0e-8f3b-60f6f5a6c9d2",
    "submission_id": "0b0e4a5c-9d0f-4a39-8c43-3f0f5f1a7c11",
    "patient": "p-1042",
    "action": "entered-in-error",
}
_ABOUT: Final = """
Vendors' apps hand in here what patients measured and answered.

202 is given only when the message broker has confirmed every item; until then keep it. Send it again after 408, 429,
500, 503 or a lost connection; after other answers something must be changed first. Repeats with the same id do no harm.

Of a batch the valid items are taken:
207 lists the ids that were accepted and names the faults of the others, so that one wrong session never holds back
another patient's. An accepted repeat with other content under the same id changes nothing: send a correction instead.

Values are never repeated in an answer. Bodies are JSON in UTF-8 without Content-Encoding; unknown fields are ignored.
"""


def openapi(settings: GatewaySettings) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of a gateway with these limits."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sonevakt gateway", "version": "1", "description": cleandoc(_ABOUT)},
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "security": [{"vendorToken": []}],
        "paths": {
            "/v1/submissions": {
                "post": _operation("Submission", "Hand in sessions", EXAMPLE_SUBMISSION, settings),
            },
            "/v1/corrections": {
                "post": _operation("Correction", "Replace or withdraw sessions", EXAMPLE_CORRECTION, settings),
            },
        },
        "components": {
            "securitySchemes": {"vendorToken": {"type": "http", "scheme": "bearer"}},
            "schemas": {**_messages(), **_ANSWERS},
        },
    }


def _messages() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components([Submission, Correction], ref_template=_REF)
    for schema in schemas.values():
        if "description" in schema:
            # What follows the first paragraph is for us: what consumers do with what the gateway would refuse.
            schema["description"] = cleandoc(schema["description"]).split("\n\n")[0].replace("\n", " ")
    for name, field in _SET_BY_GATEWAY.items():
        schema = schemas[name]
        del schema["properties"][field]
        schema["required"] = [each for each in schema["required"] if each not in (field, "type")]
        schema["description"] += f"\n\n`{field}` is set by the gateway; one that is sent is ignored."
    return schemas


def _operation(name: str, summary: str, example: dict[str, Any], settings: GatewaySettings) -> dict[str, Any]:
    one = {"$ref": _REF.format(name=name)}
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": settings.batch_items}
    limits = (
        f"One object or an array of at most {settings.batch_items}, at most {settings.body_bytes} bytes, "
        f"{settings.items_per_minute} items a minute and vendor. `measured_at` lies at most {settings.ahead_minutes} "
        "minutes ahead and not before the year 2000. A code or a unit for it that is not known is refused."
    )
    return {
        "operationId": f"hand_in_{name.lower()}s",
        "summary": summary,
        "description": limits,
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"oneOf": [one, many]},
                    "examples": {"one": {"value": example}, "batch": {"value": [example]}},
                }
            },
        },
        "responses": {
            "202": _answer("The broker has all of it.", "Accepted", "application/json", _QUOTA_HEADERS),
            "207": _answer(
                "The broker has the accepted ones; the others are named.", "Mixed", "application/json", _QUOTA_HEADERS
            ),
            **_refusals(),
        },
    }


def _refusals() -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for kind in PROBLEMS:
        if kind not in (NOT_FOUND, METHOD):
            by_status.setdefault(kind.status, []).append(f"`{kind.name}`: {kind.title}. {kind.advice}")
    waits = {"Retry-After": {"description": "Wait so long [s].", "schema": {"type": "integer"}}}
    headers: dict[int, dict[str, Any]] = {
        RATE.status: {**waits, **_QUOTA_HEADERS},
        UNAVAILABLE.status: waits,
        INVALID.status: _QUOTA_HEADERS,
        INTERNAL.status: {},
    }
    return {
        str(status): _answer("\n".join(texts), "Problem", PROBLEM_JSON, headers.get(status, {}))
        for status, texts in sorted(by_status.items())
    }


def _answer(description: str, schema: str, media_type: str, headers: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": description,
        "content": {media_type: {"schema": {"$ref": _REF.format(name=schema)}}},
    }
    return {**described, "headers": headers} if headers else described


_QUOTA_HEADERS: Final = {
    "RateLimit-Policy": {
        "description": "Items (q) in so many seconds (w).",
        "schema": {"type": "string"},
        "example": '"vendor";q=6000;w=60',
    },
    "RateLimit": {
        "description": "Items left (r), and seconds until all are back (t).",
        "schema": {"type": "string"},
        "example": '"vendor";r=5990;t=1',
    },
}
_FAULTS: Final = {
    "description": "Each wrong field; in a batch its path begins with the item's place, as `[3].readings[0].unit`.",
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"field": {"type": "string"}, "problem": {"type": "string"}},
        "required": ["field", "problem"],
    },
}
_IDS: Final = {
    "description": "Ids that the broker has.",
    "type": "array",
    "items": {"type": "string", "format": "uuid"},
}
_ANSWERS: Final[dict[str, Any]] = {
    "Accepted": {
        "description": "All of it was accepted.",
        "type": "object",
        "properties": {"accepted": _IDS},
        "required": ["accepted"],
    },
    "Mixed": {
        "description": "Some of it was accepted.",
        "type": "object",
        "properties": {"accepted": _IDS, "errors": _FAULTS},
        "required": ["accepted", "errors"],
    },
    "Problem": {
        "description": "Nothing was acknowledged (RFC 9457).",
        "type": "object",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": _FAULTS,
        },
        "required": ["type", "title", "status"],
    },
}
