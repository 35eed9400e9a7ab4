"""Where log lines go: a file, or standard error where that is not the screen.

Lines are event names with ids, never values; an exception is logged by its type and
frames where it is caught. As JSON, a line has the fields that its own text names, and
of those only the ones that are known here: what another library says is not repeated.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kiosk.core.errors import KioskError, reason_of

FORMAT = "%(asctime)s %(levelname)s %(message)s"
FIELDS = frozenset(
    {
        "address", "at", "call", "code", "count", "dc", "errno", "event", "hex", "host",
        "hresult", "id", "key", "kind", "lost", "major", "minor", "ms", "name",
        "offset", "operation", "reason", "result", "said", "seconds", "station",
        "type", "where", "why",
    }
)  # fmt: skip
"""What may stand in a line of JSON, beside when, how grave, what and which request."""
OURS = ("kiosk", "statemachine", "storage")
_NAME = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+)+")
_PLACEHOLDER = re.compile(r"(?:(\w+)=)?%(?:[sdr]|\.\d+f)")
_LONGEST = 4_000
_request: ContextVar[str] = ContextVar("request", default="")


class LogNotWritable(KioskError):
    """The log file cannot be written: `file`, `reason`."""

    code = "config.log_not_writable"


def set_up(
    file: Path | None, *, level: int = logging.INFO, as_json: bool = False
) -> None:
    """Send all log lines to `file`, made 0600, or to standard error.

    Without a file, nothing is logged while standard error is a terminal: it is the
    screen. LogNotWritable.
    """
    handler: logging.Handler
    if file is not None:
        handler = _private_file(file)
    elif sys.stderr.isatty():
        handler = logging.NullHandler()
    else:
        handler = logging.StreamHandler()
    handler.setFormatter(Json() if as_json else logging.Formatter(FORMAT))
    logging.basicConfig(level=level, handlers=[handler], force=True)


@contextmanager
def request(id: str) -> Iterator[None]:
    """Let every line of this thread and task name the request until the block ends."""
    token = _request.set(id)
    try:
        yield
    finally:
        _request.reset(token)


class Json(logging.Formatter):
    """One object to a line: `time`, `level`, `event`, `logger`, `request`, fields.

    The fields are those that the line's own template names (`code=%s`), so that what is
    told can neither add one nor take the place of another.
    """

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name.split(".")[0] in OURS:
            line["event"] = _event(str(record.msg))
            line.update(_fields(record))
        else:
            line["event"] = "library"
        if asked := _request.get():
            line["request"] = asked
        if record.exc_info and record.exc_info[0] is not None:
            line["type"] = record.exc_info[0].__name__
        return msgspec.json.encode(line).decode()


def _event(template: str) -> str:
    found = _NAME.match(template)
    return found.group() if found else "unnamed"


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    """Yield what the template names and we know; the number of an event is `number`."""
    told = record.args if isinstance(record.args, tuple) else ()
    names = (found.group(1) for found in _PLACEHOLDER.finditer(str(record.msg)))
    for name, value in zip(names, told, strict=False):
        if name is None:
            name = "where"  # frames of an error: types and places, no values
        if name in FIELDS:
            kept = value if isinstance(value, int | float) else str(value)[:_LONGEST]
            yield "number" if name == "event" else name, kept


def _private_file(file: Path) -> logging.Handler:
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
        return logging.FileHandler(file, encoding="utf-8")
    except OSError as error:
        reason = reason_of(error)
        raise LogNotWritable(file=str(file), reason=reason) from error
