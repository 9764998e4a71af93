"""Every topic shows what a good message is and what is not, and both are true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas import generate
from schemas.codec import Codec, UnreadableError
from schemas.topics import TOPICS, Topic

EXAMPLES = Path(generate.__file__).parent / "examples"
BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS if topic.message is not None}
GOOD = sorted(EXAMPLES.glob("*/good/*.json"))
BAD = sorted(EXAMPLES.glob("*/bad/*.json"))


def topic_of(path: Path) -> Topic:
    return BY_NAME[path.parents[1].name]


def shown(path: Path) -> str:
    return f"{path.parents[1].name}-{path.stem}"


@pytest.mark.parametrize("path", GOOD, ids=shown)
def test_a_good_example_is_read_and_fits_the_json_schema(path: Path) -> None:
    raw = path.read_bytes()
    codec: Codec[Any] = Codec(topic_of(path).message)
    assert codec.decode(raw) is not None
    assert list(Draft202012Validator(generate.document(topic_of(path))).iter_errors(json.loads(raw))) == []


@pytest.mark.parametrize("path", BAD, ids=shown)
def test_a_bad_example_is_refused_for_the_reason_it_gives(path: Path) -> None:
    told = json.loads(path.read_text(encoding="utf-8"))
    raw = told["raw"].encode() if "raw" in told else json.dumps(told["message"]).encode()
    codec: Codec[Any] = Codec(topic_of(path).message)
    with pytest.raises(UnreadableError) as refused:
        codec.decode(raw)
    assert (refused.value.reason.value, refused.value.field) == (told["reason"], told["field"])


@pytest.mark.parametrize("name", BY_NAME)
def test_every_topic_has_examples_of_both(name: str) -> None:
    assert len([path for path in GOOD if path.parents[1].name == name]) >= 2
    assert len([path for path in BAD if path.parents[1].name == name]) >= 4
