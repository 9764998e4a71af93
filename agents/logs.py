"""Logs as JSON lines that cannot hold a patient: only fields of a closed list, with values that are code or counts.

Libraries log messages and exception texts, and those hold what the patient sent. Of a library's line only what its
programmers wrote is kept (logger, place, template), of an exception its type and where it was raised.
"""

from __future__ import annotations

import linecache
import logging
import re
import sys
import traceback
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from types import TracebackType
    from typing import TextIO

FIELDS: Final = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "process",
        "topic",
        "partition",
        "partitions",
        "offset",
        "expected",
        "generation",
        "group",
        "reason",
        "outcome",
        "status",
        "attempt",
        "attempts",
        "ask",
        "page_id",
        "service",
        "vendor",
        "items",
        "method",
        "route",
        "problem",
        "field",
        "function",
        "line",
        "count",
        "bytes",
        "seconds",
        "ratio",
        "error",  # an exception's type
        "where",  # file, line and function, innermost last
        "what_to_do",
        "sink",
        "measurement",
        "variable",
        "version",
        "host",
        "port",
        "logger",
        "template",
        "dropped",  # names of fields that were not allowed
    }
)
_SAFE_TEXT: Final = re.compile(r"^[\w .,:;/()\[\]<>%`'+*=!?-]{0,300}$", re.ASCII)
_LONG_NUMBER: Final = re.compile(r"[0-9]{11}")  # so a Norwegian identity number looks
_UUID: Final = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")  # derived ids, no pseudonyms
_FRAMES: Final = 4
_TEMPLATE_LENGTH: Final = 200
_LINES_OF_A_CALL: Final = 12  # a call's text may stand this far from the line that a record names
Event = structlog.typing.EventDict


class ForbiddenFieldError(ValueError):
    """A log call gave a field that no log may hold; its value is not repeated here."""


class Allow:
    """Lets through fields of `FIELDS` that hold numbers or short plain text.

    Parameters
    ----------
    strict
        Raise at anything else (tests); otherwise drop it and name it in `dropped` (production).
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        """Return the event with allowed fields only; raises ForbiddenFieldError at another where strict."""
        kept = {name: value for name, value in event.items() if name in FIELDS and _harmless(value)}
        dropped = sorted(set(event) - set(kept))
        if dropped and self._strict:
            raise ForbiddenFieldError(f"no log may hold {', '.join(dropped)}: see FIELDS in agents/logs.py")
        return {**kept, "dropped": dropped} if dropped else kept


def _harmless(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_harmless(item) for item in value)
    if isinstance(value, str):
        return bool(_UUID.match(value)) or (bool(_SAFE_TEXT.match(value)) and not _LONG_NUMBER.search(value))
    return value is None or isinstance(value, (bool, int, float))


def exception_without_text(_logger: object, _method: str, event: Event) -> Event:
    """Replace an exception by its type and the places it passed, without its message."""
    raised = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if raised is True:
        raised = sys.exc_info()
    if isinstance(raised, tuple):
        raised = raised[1]
    if isinstance(raised, BaseException):
        event["error"] = type(raised).__name__
        event["where"] = [
            f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(raised.__traceback__)[-_FRAMES:]
        ]
    return event


class LibraryLines(logging.Handler):
    """Takes what libraries log through the same processors, without what they filled in."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the place and, where it is surely code and not data, the template."""
        event: dict[str, Any] = {"logger": record.name, "where": f"{record.filename}:{record.lineno} {record.funcName}"}
        template = _template(record)
        if template is not None:
            event["template"] = template
        if record.exc_info and record.exc_info[1] is not None:
            event["exc_info"] = record.exc_info[1]
        structlog.get_logger().log(record.levelno, "library", **event)


def _template(record: logging.LogRecord) -> str | None:
    text = record.msg
    if not isinstance(text, str):
        return None
    # Without arguments the text may be filled in already (an f-string): it is code only if it stands in the source.
    around = range(record.lineno - 1, record.lineno + _LINES_OF_A_CALL)
    written = "".join(linecache.getline(record.pathname, number) for number in around)
    if text not in written:
        return None
    shown = text[:_TEMPLATE_LENGTH]
    return shown if _harmless(shown) else None


def configure(
    process: str, *, level: str = "info", strict: bool = False, stream: TextIO | None = None, broker_lines: bool = True
) -> None:
    """Send all logs of this process through the closed list, as JSON lines to stderr (or `stream`), in UTC.

    Without `broker_lines` aiokafka's own are left out: a command at a terminal says itself what the broker did not do.
    """
    least = logging.getLevelNamesMapping()[level.upper()]

    def named(_logger: object, _method: str, event: Event) -> MutableMapping[str, Any]:
        event.setdefault("process", process)
        return event

    structlog.configure(
        processors=[
            named,
            structlog.processors.add_log_level,
            exception_without_text,
            Allow(strict=strict),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    libraries = LibraryLines()
    if not broker_lines:
        libraries.addFilter(lambda record: not record.name.startswith("aiokafka"))
    logging.basicConfig(handlers=[libraries], level=least, force=True)
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # a failing handler would print the record with its arguments
    for chatty in ("aiokafka", "faust", "mode", "asyncio", "aiohttp"):
        logging.getLogger(chatty).setLevel(max(least, logging.WARNING))
    logging.getLogger("aiohttp.access").disabled = True  # a request's path is nobody's business
    sys.excepthook = _crashed


def _crashed(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    """Python's own hook would print the exception's text."""
    if issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger().error("crashed", exc_info=error)
