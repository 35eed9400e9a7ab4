"""What a station needs, examined part by part: `kiosk doctor`.

A check is a small function over ports that yields findings; it changes nothing and
spends no try. A check that breaks is a finding itself and ends no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum

from kiosk.core.errors import Coded, KioskError, Message, message_of
from kiosk.directory.errors import DirectoryError


class Health(StrEnum):
    """How a part stands."""

    OK = "ok"
    WARN = "warn"
    """Works, but should not stay as it is."""
    FAIL = "fail"
    """The station cannot do its work, or not safely."""
    UNKNOWN = "unknown"
    """Could not be looked at, because something before it is missing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: which part, how it stands, what that means, what to do."""

    part: str
    """`reader`, `directory dc1.example.org`, …: words, shown as they are."""
    health: Health
    meaning: Message
    advice: Message | None = None


Check = Callable[[], Iterable[Finding]]
Watching = Callable[[int, str], AbstractContextManager[Callable[[int], None]]]
"""Begins to show how far a check is: of how much, and of what; hears of each step."""


def unwatched(_total: int, _what: str) -> AbstractContextManager[Callable[[int], None]]:
    """Show nobody how far a check is."""
    return nullcontext(lambda _more: None)


def examine(checks: Sequence[tuple[str, Check]]) -> tuple[Finding, ...]:
    """Run every check, in order; each has the name of the part it looks at."""
    findings: list[Finding] = []
    for part, check in checks:
        try:
            findings += check()
        except Exception as error:  # noqa: BLE001 - a broken check is a finding, too
            findings.append(_broken(part, error))
    return tuple(findings)


def is_sound(findings: Iterable[Finding]) -> bool:
    """Say whether nothing failed. A warning is no failure."""
    return all(finding.health is not Health.FAIL for finding in findings)


def said(error: Exception) -> Message:
    """Return an error's own sentence. TypeError if it has none.

    Of the directory's errors, the one for administrators, where there is one.
    """
    if isinstance(error, DirectoryError):
        return error.detail or error.message
    if (message := message_of(error)) is None:
        raise TypeError(type(error).__name__)
    return message


def ok(part: str, key: str, /, **data: str | int) -> Finding:
    """Return a finding that all is well; `key` is below `doctor.`."""
    return Finding(part, Health.OK, Message(f"doctor.{key}", data))


def warn(part: str, key: str, /, **data: str | int) -> Finding:
    """Return a warning with its advice (`doctor.<key>` and `doctor.<key>_advice`)."""
    return _advised(part, Health.WARN, key, data)


def fail(part: str, key: str, /, **data: str | int) -> Finding:
    """Return a failure with its advice (`doctor.<key>` and `doctor.<key>_advice`)."""
    return _advised(part, Health.FAIL, key, data)


def unknown(part: str, key: str, /, **data: str | int) -> Finding:
    """Return that something could not be looked at, and why."""
    return Finding(part, Health.UNKNOWN, Message(f"doctor.{key}", data))


def unclear(part: str, key: str, /, **data: str | int) -> Finding:
    """Return that something could not be judged, and what would help."""
    return _advised(part, Health.UNKNOWN, key, data)


def _advised(
    part: str, health: Health, key: str, data: dict[str, str | int]
) -> Finding:
    advice = Message(f"doctor.{key}_advice", data)
    return Finding(part, health, Message(f"doctor.{key}", data), advice)


def _broken(part: str, error: Exception) -> Finding:
    if isinstance(error, KioskError | Coded):
        return Finding(part, Health.FAIL, said(error))
    return fail(part, "check_broken", type=type(error).__name__)
