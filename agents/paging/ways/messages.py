"""Anything that the library apprise reaches: SMS gateways, e-mail, ntfy, Signal, telephone calls.

Its plugins block, and say no more than yes or no. Each way has a few threads of its own, so that one that hangs takes
nothing from the loop or from another contact; a thread that is given up on ends with the process.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from agents.loopback import is_loopback
from agents.paging.attempts import Attempt
from agents.paging.words import title, with_link
from schemas.paging import FailureReason, PageAction

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import aiohttp

    from agents.paging.notice import Notice

TIMEOUT_S: Final = 10.0  # our choice: SMS gateways and mail servers are slower than a webhook [s]
AT_ONCE: Final = 2  # messages of one way; our choice
THREADS: Final = 4  # of one way: as many may hang as are under way, and two go on; our choice
_log = structlog.get_logger("paging")


class PluginError(ValueError):
    """An apprise URL cannot be used; the text holds nothing of it."""


class Plugin(Protocol):
    """What of apprise's plugins we use."""

    def notify(self, body: str, title: str) -> bool:
        """Send, and say whether it went."""


class Threads:
    """So many daemon threads at once, and no queue before them."""

    def __init__(self, most: int) -> None:
        self._free = most

    async def run(self, work: Callable[[], bool]) -> bool | None:
        """Return what `work` says, False where it raises, None where every thread is taken."""
        if not self._free:
            return None
        self._free -= 1
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()

        def end(*, said: bool) -> None:
            self._free += 1
            if not answer.done():
                answer.set_result(said)

        def blocking() -> None:
            said = False
            try:
                said = work()
            except Exception as error:  # noqa: BLE001 - a plugin's own defect: it has said no; its text may hold its URL
                _log.warning("apprise_plugin_raised", error=type(error).__name__)
            with suppress(RuntimeError):  # the loop may be gone when a plugin that hung for hours comes back
                loop.call_soon_threadsafe(lambda: end(said=said))

        threading.Thread(target=blocking, daemon=True, name="apprise").start()
        return await answer


@dataclass(frozen=True)
class MessageWay:
    """One apprise URL."""

    plugin: Plugin = field(repr=False)
    timeout_s: float | None = TIMEOUT_S
    threads: Threads = field(default_factory=lambda: Threads(THREADS), repr=False)
    kind: str = "apprise"
    at_once: int | None = AT_ONCE
    hurried: bool = False

    def carries(self, action: PageAction) -> bool:
        """Only that somebody must look: a message cannot be taken back."""
        return action is PageAction.TRIGGER

    async def post(self, http: aiohttp.ClientSession, notice: Notice, now: datetime, timeout_s: float) -> Attempt:
        """Send one message. One that was given up on may still arrive, so it is not tried again in the same ask."""
        del http, now
        body, heading = with_link(notice), title(notice)
        try:
            async with asyncio.timeout(timeout_s):
                went = await self.threads.run(lambda: bool(self.plugin.notify(body=body, title=heading)))
        except TimeoutError:
            return Attempt(FailureReason.TIMEOUT)
        if went is None:
            return Attempt(FailureReason.TIMEOUT)  # every thread hangs: silence, and not only others told first
        return Attempt(None) if went else Attempt(FailureReason.SERVER_ERROR, again=True)


def plugin_of(url: str) -> Plugin:
    """Return the plugin that an apprise URL asks for.

    Raises
    ------
    PluginError
        No plugin understands it, or it would send unencrypted, or to whoever answers.
    """
    with warnings.catch_warnings():
        # Its plugins are all imported at once, and some import what later Pythons no longer have.
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise  # noqa: PLC0415 - a third of a second, which only who uses it should wait for

        # Its lines tell addresses, and parts of the secrets in them.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        made: Any = apprise.Apprise.instantiate(url)
    if made is None:
        raise PluginError("is no URL that apprise understands: see its list of services")
    if url.partition(":")[0].lower() not in _names(made.secure_protocol) and not is_loopback(made.host or ""):
        raise PluginError(f"sends unencrypted: use {' or '.join(sorted(_names(made.secure_protocol))) or 'another'}")
    if not made.verify_certificate:
        raise PluginError("must not turn the check of certificates off: whoever answers would get the pages")
    made.redirects = False  # a page about a patient goes to the configured address and no other
    plugin: Plugin = made
    return plugin


def _names(protocols: Any) -> set[str]:  # noqa: ANN401 - apprise has a text, several, or None
    return {protocols} if isinstance(protocols, str) else set(protocols or ())
