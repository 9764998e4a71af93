"""The installed pathway files, and one small pathway to break."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pipeline.pathways

FOLDER: Final = Path(pipeline.pathways.__file__).parent
FILES: Final = sorted(FOLDER.glob("*.json"))
GONE: Final = object()
SMALL: Final[dict[str, Any]] = {
    "pathway": "small",
    "version": 1,
    "title": {"nb": "Liten", "en": "Small"},
    "diagnosis_bound": False,
    "vitals": ["2708-6", "8867-4", "29463-7"],
    "starter_limits": {
        "limits": [
            {"code": "2708-6", "unit": "%", "red_low": 88, "yellow_low": 90},
            {"code": "8867-4", "unit": "/min", "yellow_high": 110},
        ],
        "relative_limits": [{"code": "2708-6", "unit": "%", "yellow_below": 3}],
        "change_limits": [{"code": "29463-7", "unit": "kg", "hours": 72, "yellow_rise": 2}],
        "sustained_limits": [{"code": "8867-4", "unit": "/min", "high": 100, "count": 3, "of": 4}],
    },
    "weight_change": True,
    "news2": "scale_1",
    "cadence": {"times": ["08:00", "20:00"]},
    "questionnaire": {
        "slug": "small-daily",
        "version": 1,
        "questions": [
            {"link_id": "breath", "text": {"nb": "Pust?", "en": "Breath?"}, "kind": "number", "least": 0, "most": 4},
            {"link_id": "chills", "text": {"nb": "Frost?", "en": "Chills?"}, "kind": "boolean"},
            {
                "link_id": "help",
                "text": {"nb": "Hjelp?", "en": "Help?"},
                "kind": "choice",
                "options": [
                    {"value": "none", "text": {"nb": "Ingen", "en": "None"}},
                    {"value": "some", "text": {"nb": "Litt", "en": "Some"}},
                ],
            },
        ],
        "answer_rules": [
            {"link_id": "breath", "zone": "yellow", "at_least": 2},
            {"link_id": "breath", "zone": "red", "at_least": 4},
            {"link_id": "chills", "zone": "red", "is_answer": True},
            {"link_id": "help", "zone": "yellow", "is_answer": "some"},
        ],
    },
    "self_care": {"red": [{"nb": "Ring nå.", "en": "Call now."}]},
    "equipment": ["oximeter"],
    "phases": {"start_up_days": 14},
    "participation": {"sessions_a_week": 2, "benefit": [{"slug": "eq-5d-5l", "every_weeks": 12}]},
}


def steps(path: str) -> list[str | int]:
    """The keys and places that lead to a field."""
    return [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]


def changed(*changes: tuple[str, object], whole: dict[str, Any] = SMALL) -> bytes:
    """The file of `whole` with other values at these paths, or without what is GONE."""
    tree = deepcopy(whole)
    for path, value in changes:
        inner: Any = tree
        *way, last = steps(path)
        for step in way:
            inner = inner[step]
        if value is GONE:
            del inner[last]
        elif isinstance(inner, list) and last == len(inner):
            inner.append(value)
        else:
            inner[last] = value
    return json.dumps(tree).encode()
