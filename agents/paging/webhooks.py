"""Where each service is paged: read and checked once at the start, because at night is too late for a typing error."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from yarl import URL

from agents.paging.signing import SecretError, SigningSecret
from agents.settings import SettingsError
from schemas.codec import Codec, UnreadableError
from schemas.types import Slug

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_TIMEOUT_S: Final = 10.0  # our choice: a page that needs longer has a receiver to be mended [s]


class WebhooksError(SettingsError):
    """The webhooks file cannot be used: one line that names every wrong field, and no secret or address."""


@dataclass(frozen=True)
class Webhook:
    """A service's receiver.

    Attributes
    ----------
    url
        Where pages are posted; not shown, because some receivers carry a token in their address.
    secret
        Signs what is posted.
    timeout_s
        For one attempt [s]; None: the paging settings' own.
    """

    url: URL = field(repr=False)
    secret: SigningSecret
    timeout_s: float | None = None


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: str
    secret: str | None = None
    secret_file: str | None = None
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_TIMEOUT_S)] | None = None


_FILE: Final = Codec[dict[str, msgspec.Raw]](dict[Slug, msgspec.Raw])
_ENTRY: Final = Codec[_Entry](_Entry)


def load_webhooks(path: Path) -> dict[str, Webhook]:
    """Read the webhooks file: a JSON object of service -> {url, secret_file or secret, timeout_s}.

    A relative `secret_file` lies beside the webhooks file.

    Raises
    ------
    WebhooksError
        The file or an entry of it cannot be used.
    """
    try:
        entries = _FILE.decode(path.read_bytes())
    except OSError as error:
        raise WebhooksError(f"{path.name}: cannot be read ({type(error).__name__}): check path and rights") from None
    except UnreadableError:
        raise WebhooksError(f"{path.name}: give a JSON object of service -> url, secret_file, timeout_s") from None
    webhooks: dict[str, Webhook] = {}
    faults: list[str] = []
    for service, raw in entries.items():
        try:
            webhooks[service] = _webhook(_ENTRY.decode(bytes(raw)), path.parent)
        except UnreadableError as error:
            faults.append(f"{service}{f'.{error.field}' if error.field else ''}: {error.problem}")
        except _EntryError as error:
            faults.append(f"{service}.{error}")
    if faults:
        raise WebhooksError(f"{path.name}: {'; '.join(faults)}")
    return webhooks


class _EntryError(ValueError):
    """Field and problem of one entry."""


def _webhook(entry: _Entry, folder: Path) -> Webhook:
    return Webhook(_url(entry.url), _secret(entry, folder), entry.timeout_s)


def _url(text: str) -> URL:
    try:
        url = URL(text)
        host = url.host
    except ValueError:
        raise _EntryError("url: is no address") from None
    if not host or url.scheme not in ("https", "http"):
        raise _EntryError("url: must be an absolute https address")
    if url.scheme == "http" and not _is_loopback(host):
        raise _EntryError("url: must be https, for a page is about a patient; http only on this machine itself")
    if url.user is not None or url.password is not None:
        raise _EntryError("url: must hold no user or password")
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secret(entry: _Entry, folder: Path) -> SigningSecret:
    if (entry.secret is None) == (entry.secret_file is None):
        raise _EntryError("secret_file: give either secret_file or secret")
    name = "secret" if entry.secret_file is None else "secret_file"
    try:
        text = entry.secret if entry.secret_file is None else (folder / entry.secret_file).read_text("utf-8")
        return SigningSecret.parse((text or "").strip())
    except SecretError as error:
        raise _EntryError(f"{name}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _EntryError(f"{name}: cannot be read ({type(error).__name__}): check path and rights") from None
