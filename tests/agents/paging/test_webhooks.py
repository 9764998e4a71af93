"""A webhooks file that would fail at night is refused at the start, by field and without its secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from agents.paging.webhooks import WebhooksError, load_webhooks

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the specification's example


def written(folder: Path, content: Any) -> Path:  # noqa: ANN401 - any JSON
    (folder / "lungs.secret").write_text(SECRET + "\n")
    path = folder / "webhooks.json"
    path.write_text(json.dumps(content))
    return path


def test_an_entry_holds_address_secret_and_timeout(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {
            "lungs": {"url": "https://vakt.example/hook?token=abc", "secret_file": "lungs.secret", "timeout_s": 1.5},
            "heart": {"url": "http://127.0.0.1:8088/x", "secret": SECRET},
        },
    )

    webhooks = load_webhooks(path)

    assert set(webhooks) == {"lungs", "heart"}
    assert webhooks["lungs"].timeout_s == 1.5
    assert webhooks["lungs"].secret.sign("a", 1, b"b") == webhooks["heart"].secret.sign("a", 1, b"b")
    assert "abc" not in repr(webhooks)
    assert SECRET[6:] not in repr(webhooks)


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"secret": SECRET}, "lungs: Object missing required field `url`"),
        ({"url": "http://vakt.example/hook", "secret": SECRET}, "lungs.url: must be https"),
        ({"url": "http://localhost.vakt.example/hook", "secret": SECRET}, "lungs.url: must be https"),
        ({"url": "ftp://vakt.example", "secret": SECRET}, "lungs.url: must be an absolute https"),
        ({"url": "/hook", "secret": SECRET}, "lungs.url: must be an absolute https"),
        ({"url": "https://[::1", "secret": SECRET}, "lungs.url: is no address"),
        ({"url": "https://vakt.example:99999", "secret": SECRET}, "lungs.url: is no address"),
        ({"url": "https://me:pw@vakt.example", "secret": SECRET}, "lungs.url: must hold no user"),
        ({"url": "https://vakt.example"}, "lungs.secret_file: give either"),
        ({"url": "https://vakt.example", "secret": SECRET, "secret_file": "x"}, "lungs.secret_file: give either"),
        ({"url": "https://vakt.example", "secret": "hunter2"}, "lungs.secret: give whsec_"),
        ({"url": "https://vakt.example", "secret_file": "none"}, "lungs.secret_file: cannot be read"),
        ({"url": "https://vakt.example", "secret": SECRET, "timeout_s": 0}, "lungs.timeout_s: "),
        ({"url": "https://vakt.example", "secret": SECRET, "timeout_s": 11}, "lungs.timeout_s: "),
        ({"url": "https://vakt.example", "secret": SECRET, "timout_s": 1}, "lungs: Object contains unknown field"),
        ("https://vakt.example", "lungs: "),
    ],
)
def test_a_wrong_entry_is_named_by_its_field(tmp_path: Path, entry: Any, field: str) -> None:  # noqa: ANN401 - any JSON
    with pytest.raises(WebhooksError) as raised:
        load_webhooks(written(tmp_path, {"lungs": entry}))

    text = str(raised.value)
    assert text.startswith(f"webhooks.json: {field}")
    assert "\n" not in text
    assert not [word for word in (SECRET, "hunter2", "pw@", str(tmp_path)) if word in text]


def test_all_wrong_entries_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(WebhooksError, match=r"lungs\.url.*; heart\.url"):
        load_webhooks(written(tmp_path, {name: {"url": "x", "secret": SECRET} for name in ("lungs", "heart")}))


def test_a_file_that_is_not_there_or_no_json_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WebhooksError, match="check path and rights"):
        load_webhooks(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("[")
    with pytest.raises(WebhooksError, match="give a JSON object"):
        load_webhooks(tmp_path / "bad.json")
