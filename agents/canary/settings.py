"""What the canaries need of the deployment, read and checked once at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agents.paging.signing import SecretError, SigningSecret
from agents.settings import SettingsError
from schemas.services import Webhook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from schemas.services import Service

CONTACT: Final = "canary"  # of a service: where its canary's pages go


def signing_secrets(services: Mapping[str, Service], folder: Path) -> dict[str, SigningSecret]:
    """Return by which secret each service's pages to its canary are signed.

    Parameters
    ----------
    services
        From the services file.
    folder
        That file's own, beside which a relative `secret_file` lies.

    Raises
    ------
    SettingsError
        There is no service, or one has no contact `canary` by webhook, or its secret cannot be used.
    """
    if not services:
        raise SettingsError("the services file names no service, so there is nothing for a canary to prove")
    return {name: _secret(name, service, folder) for name, service in services.items()}


def _secret(name: str, service: Service, folder: Path) -> SigningSecret:
    contact = service.contacts.get(CONTACT)
    way = None if contact is None else contact.ways[contact.usual or next(iter(contact.ways))]
    if not isinstance(way, Webhook):
        raise SettingsError(f"services file: {name} needs a contact `{CONTACT}` whose usual way is a webhook to it")
    where = f"services file: {name}.contacts.{CONTACT}: secret_file"
    try:
        return SigningSecret.parse((folder / way.secret_file).read_text("utf-8").strip())
    except SecretError as error:
        raise SettingsError(f"{where}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{where} cannot be read ({type(error).__name__}): check path and rights") from None
