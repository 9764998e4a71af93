"""The ways of every contact with their keys, read and checked once at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from yarl import URL

from agents.loopback import is_loopback
from agents.paging.signing import SecretError, SigningSecret
from agents.paging.ways.messages import TIMEOUT_S, MessageWay, PluginError, plugin_of
from agents.paging.ways.pagerduty import ROUTING_KEY_LENGTH, PagerDutyWay, RoutingKey
from agents.paging.ways.webhook import WebhookWay
from agents.services import ServicesError
from schemas.services import Apprise, PagerDuty, Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from agents.paging.ways.way import Way
    from schemas.services import Service

SHORTEST_SECRET: Final = 16  # of a webhook subscription's secret [characters]; our choice


class Address(NamedTuple):
    """One way of one contact."""

    service: str
    contact: str
    by: str


Ways = dict[Address, "Way"]


class _WrongError(ValueError):
    """Field and problem of one way."""


def load_ways(services: Mapping[str, Service], folder: Path) -> Ways:
    """Return every way of every contact, ready to be gone.

    Parameters
    ----------
    services
        From `load_services`.
    folder
        Where the services file lies: the files that it names are relative to it.

    Raises
    ------
    ServicesError
        An address or a key cannot be used: every one, by its field and without what it holds.
    """
    ways: Ways = {}
    faults: list[str] = []
    for address, way in _every(services):
        try:
            ways[address] = _way(way, folder)
        except _WrongError as error:
            faults.append(f"{address.service}.contacts.{address.contact}.ways.{address.by}.{error}")
    if faults:
        raise ServicesError("; ".join(faults))
    return ways


def load_webhook_secrets(services: Mapping[str, Service], folder: Path) -> dict[str, tuple[bytes, ...]]:
    """Return, for each service whose PagerDuty tells who acknowledged, the secrets that it signs with.

    Raises
    ------
    ServicesError
        As in `load_ways`.
    """
    secrets: dict[str, dict[bytes, None]] = {}
    faults: list[str] = []
    for address, way in _every(services):
        if isinstance(way, PagerDuty) and way.webhook_secret_file is not None:
            try:
                secret = _webhook_secret(way.webhook_secret_file, folder)
                secrets.setdefault(address.service, {})[secret] = None
            except _WrongError as error:
                faults.append(f"{address.service}.contacts.{address.contact}.ways.{address.by}.{error}")
    if faults:
        raise ServicesError("; ".join(faults))
    return {service: tuple(held) for service, held in secrets.items()}


def _every(services: Mapping[str, Service]) -> Iterator[tuple[Address, Webhook | PagerDuty | Apprise]]:
    for service, configured in services.items():
        for contact, held in configured.contacts.items():
            for by, way in held.ways.items():
                yield Address(service, contact, by), way


def _way(way: Webhook | PagerDuty | Apprise, folder: Path) -> Way:
    if isinstance(way, Webhook):
        return WebhookWay(_url(way.url), _signing(way.secret_file, folder), way.timeout_s)
    if isinstance(way, PagerDuty):
        if way.webhook_secret_file is not None:
            _webhook_secret(way.webhook_secret_file, folder)
        return PagerDutyWay(_url(way.url), _routing(way.routing_key_file, folder), way.timeout_s)
    try:
        return MessageWay(plugin_of(_held("url_file", way.url_file, folder)), way.timeout_s or TIMEOUT_S)
    except PluginError as error:
        raise _WrongError(f"url_file: {error}") from None


def _url(text: str) -> URL:
    try:
        url = URL(text)
        host = url.host
    except ValueError:
        raise _WrongError("url: is no address") from None
    if not host or url.scheme not in ("https", "http"):
        raise _WrongError("url: must be an absolute https address")
    if url.scheme == "http" and not is_loopback(host):
        raise _WrongError("url: must be https, for a page is about a patient; http only on this machine itself")
    if url.user is not None or url.password is not None:
        raise _WrongError("url: must hold no user or password")
    return url


def _held(field: str, name: str, folder: Path) -> str:
    try:
        return (folder / name).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise _WrongError(f"{field}: cannot be read ({type(error).__name__}): check path and rights") from None


def _signing(name: str, folder: Path) -> SigningSecret:
    try:
        return SigningSecret.parse(_held("secret_file", name, folder))
    except SecretError as error:
        raise _WrongError(f"secret_file: {error}") from None


def _routing(name: str, folder: Path) -> RoutingKey:
    key = _held("routing_key_file", name, folder)
    if len(key) != ROUTING_KEY_LENGTH or not (key.isascii() and key.isalnum()):
        raise _WrongError(
            f"routing_key_file: give the {ROUTING_KEY_LENGTH} letters and digits of the integration's key"
        )
    return RoutingKey(key)


def _webhook_secret(name: str, folder: Path) -> bytes:
    secret = _held("webhook_secret_file", name, folder)
    if len(secret) < SHORTEST_SECRET:
        raise _WrongError("webhook_secret_file: give the secret that PagerDuty showed with the subscription")
    return secret.encode()
