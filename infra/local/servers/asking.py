"""Whether a server answers, asked over loopback alone: no proxy of the environment stands between."""

from __future__ import annotations

import json
import socket
import struct
import urllib.request
from typing import Any, Final

HOST: Final = "127.0.0.1"
_OK: Final = 200
_ANSWER_S: Final = 2.0
_SETUP_S: Final = 30.0
_METADATA: Final = 3  # Kafka's request for metadata, in a version without flexible fields
_METADATA_VERSION: Final = 4
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(url: str) -> bool:
    """Whether GET gives 200; raises OSError or HTTPException where nothing, or nothing good, answers."""
    with _DIRECT.open(url, timeout=_ANSWER_S) as response:
        return bool(response.status == _OK)


def post(url: str, body: dict[str, str]) -> dict[str, Any]:
    """Return the JSON that answers a JSON body."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with _DIRECT.open(request, timeout=_SETUP_S) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def lists_brokers(port: int) -> bool:
    """Whether Kafka names a broker that takes requests: an open port is not enough, nor is a broker still fenced."""
    correlation, no_client, no_topics, create_none = 1, -1, 0, 0
    asked = struct.pack(">hhihib", _METADATA, _METADATA_VERSION, correlation, no_client, no_topics, create_none)
    with socket.create_connection((HOST, port), timeout=_ANSWER_S) as connection, connection.makefile("rb") as heard:
        connection.sendall(struct.pack(">i", len(asked)) + asked)
        head = heard.read(16)  # length, correlation, throttle time, brokers
    return len(head) == 16 and struct.unpack(">iiii", head)[3] > 0  # noqa: PLR2004 - the same 16
