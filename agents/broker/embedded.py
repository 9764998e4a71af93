"""A broker inside our own process: librdkafka's test cluster, for the demo, a laptop and most tests.

It speaks Kafka's protocol on loopback and can be made to fail on demand. It is no Kafka: it forgets all at exit,
keeps at most 5 MiB of a partition and drops the oldest silently, compacts nothing, creates no topic on request, and
rebalances several workers unfaithfully. Nobody may be followed on it.
"""

from __future__ import annotations

import ctypes
import time
from typing import TYPE_CHECKING, Final, Self

from agents.broker import library
from schemas.topics import DEFAULT_PARTITIONS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

_PRODUCER: Final = 0
_ERROR_TEXT: Final = 512  # room for librdkafka's own words [bytes]
BETWEEN_CALLS: Final = 0.001  # [s]
_TOPIC_EXISTS: Final = 36


class EmbeddedBrokerError(RuntimeError):
    """The embedded broker refused what it was asked for."""


class EmbeddedBroker:
    """One running test cluster; a context manager that ends it.

    Parameters
    ----------
    partitions
        Of every topic created here.
    prefix
        Before every topic's name.
    changelogs
        Full names of further topics, as a Faust table's changelog; they cannot be created later by a worker itself.
    brokers
        How many brokers the cluster shows.

    Attributes
    ----------
    bootstrap
        host:port[,host:port] on loopback.

    Raises
    ------
    LibraryNotFoundError
        confluent-kafka's library is missing; the text says how to get it.
    """

    def __init__(
        self,
        *,
        partitions: int = DEFAULT_PARTITIONS,
        prefix: str = "",
        changelogs: Iterable[str] = (),
        brokers: int = 1,
    ) -> None:
        self._rdkafka = library.load()
        self._brokers = brokers
        self._client = self._start_client()
        self._cluster: int | None = self._rdkafka.rd_kafka_mock_cluster_new(self._client, brokers)
        if self._cluster is None:
            self.close()
            raise EmbeddedBrokerError("the embedded broker found no free port on loopback: is networking available?")
        # Kafka's own 3 s would be waited out by every first consumer of a test.
        self._rdkafka.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        self.bootstrap: str = self._rdkafka.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        for name in (*(f"{prefix}{topic.name}" for topic in TOPICS), *changelogs):
            self.create_topic(name, partitions)

    def _start_client(self) -> int:
        words = ctypes.create_string_buffer(_ERROR_TEXT)
        conf = self._rdkafka.rd_kafka_conf_new()
        # It prints connection trouble to stderr on its own; a client that is told to fail would fill the terminal.
        self._rdkafka.rd_kafka_conf_set(conf, b"log_level", b"0", words, _ERROR_TEXT)
        client: int | None = self._rdkafka.rd_kafka_new(_PRODUCER, conf, words, _ERROR_TEXT)
        if client is None:
            raise EmbeddedBrokerError(f"the embedded broker did not start: {words.value.decode(errors='replace')}")
        return client

    def create_topic(self, name: str, partitions: int) -> None:
        """Create topic `name`; one that exists already stays as it is."""
        if partitions < 1:  # the cluster itself would take it, and every client would then wait for ever
            raise EmbeddedBrokerError(f"topic {name} needs at least one partition")
        code = self._rdkafka.rd_kafka_mock_topic_create(self._running(), name.encode(), partitions, 1)
        if code != _TOPIC_EXISTS:
            self._check(code, f"topic {name}")

    def set_rtt(self, seconds: float) -> None:
        """Let every answer of every broker take `seconds` longer."""
        for broker in self._broker_ids():
            self._check(
                self._rdkafka.rd_kafka_mock_broker_set_rtt(self._running(), broker, round(seconds * 1000)), "set_rtt"
            )

    def set_down(self) -> None:
        """Drop every connection and accept no new one; what was written is kept."""
        for broker in self._broker_ids():
            self._check(self._rdkafka.rd_kafka_mock_broker_set_down(self._running(), broker), "set_down")

    def set_up(self) -> None:
        """Accept connections again."""
        for broker in self._broker_ids():
            self._check(self._rdkafka.rd_kafka_mock_broker_set_up(self._running(), broker), "set_up")

    def push_request_errors(self, api_key: int, errors: Iterable[int]) -> None:
        """Answer the next requests of Kafka protocol key `api_key` (0 produce, 1 fetch, ...) with these error codes."""
        codes = tuple(errors)
        self._rdkafka.rd_kafka_mock_push_request_errors_array(
            self._running(), api_key, len(codes), (ctypes.c_int * len(codes))(*codes)
        )

    def clear_request_errors(self, api_key: int) -> None:
        """Forget the errors of `push_request_errors` that no request has met yet."""
        self._rdkafka.rd_kafka_mock_clear_request_errors(self._running(), api_key)

    def close(self) -> None:
        """End the cluster with its threads and ports; a second call does nothing."""
        if self._cluster is not None:
            self._rdkafka.rd_kafka_mock_cluster_destroy(self._running())
            self._cluster = None
        if self._client:
            self._rdkafka.rd_kafka_destroy(self._client)
            self._client = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _broker_ids(self) -> range:
        return range(1, self._brokers + 1)

    def _running(self) -> int:
        # The cluster's thread answers a call before it empties its alarm bell. A next call that rings in between goes
        # unheard until the thread looks by itself, 1 s later: a moment between two calls avoids most of that.
        time.sleep(BETWEEN_CALLS)
        # A call with a freed cluster would crash the interpreter.
        if self._cluster is None:
            raise EmbeddedBrokerError("the embedded broker is closed: start a new one")
        return self._cluster

    def _check(self, code: int, what: str) -> None:
        if code != 0:
            name = self._rdkafka.rd_kafka_err2name(code).decode()
            raise EmbeddedBrokerError(f"the embedded broker refused {what}: {name}")
