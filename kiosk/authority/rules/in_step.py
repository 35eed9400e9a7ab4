"""In step is read, not remembered: what one look at an account says of what was known.

| on the DC that is asked | means |
|---|---|
| the known version, origin and number | the same password |
| a higher version, or the same from another hand | changed elsewhere |
| a lower version | this DC has not got it yet: `BEHIND` |
| the mark cannot be read, or was not | `pwdLastSet` tells, as far as it can |

Every set of a password, by whomever and however, raises the version, and it replicates.
`pwdLastSet` is a clock's time: a reset may write 0, a DC whose clock is behind an older
one, and a tick at "smart card required" nothing at all.
"""

from __future__ import annotations

from enum import Enum, auto

from kiosk.authority.values import Seen, SeenMark
from kiosk.directory.values import Account, PwdReplicationMark, Stamp
from storage.records import LastSync, Operation, PasswordMark


class Compared(Enum):
    """The password on one DC, beside what was known of it."""

    SAME = auto()
    CHANGED = auto()
    BEHIND = auto()
    """That DC has not got what was known; nothing is said of now."""
    NOT_KNOWN = auto()
    """And who could say was not to be had."""


class Moved(Enum):
    """What happened to a password around one write of ours."""

    OURS = auto()
    """Just one write, by that DC."""
    REPEATED = auto()
    """One write, which left the password as it was."""
    NOTHING = auto()
    ANOTHER = auto()
    """Somebody else set it, too."""


def seen(account: Account, dc: str) -> Seen:
    """Return what a DC shows of an account's password now."""
    mark = account.mark
    return Seen(
        dc=dc,
        pwd_last_set=account.pwd_last_set,
        mark=None if mark is None else _shown(mark.password),
    )


def words(seen: Seen) -> str:
    """Return the mark as receipts have it, and which it is."""
    if seen.mark is None:
        return "pwdLastSet alone"
    return f"{seen.mark.version} {seen.mark.origin} {seen.mark.usn}"


def recorded(seen: Seen) -> PasswordMark | None:
    """Return the mark as records keep it."""
    mark = seen.mark
    if mark is None:
        return None
    return PasswordMark(version=mark.version, origin=mark.origin, usn=mark.usn)


def at_last_sync(last: LastSync) -> Seen:
    """Return what was seen after the last write of ours.

    A time of 0 says nothing: a password that must be changed always has it.
    """
    time = last.pwd_last_set or -1
    return Seen(dc=last.dc, pwd_last_set=time, mark=_kept(last.mark))


def before(operation: Operation) -> Seen | None:
    """Return what an operation has seen last; None: it looked at nothing."""
    if operation.pwd_last_set_before is None:
        return None
    return Seen(
        dc=operation.dc,
        pwd_last_set=operation.pwd_last_set_before,
        mark=_kept(operation.mark_before),
    )


def compare(known: Seen, now: Seen) -> Compared:
    """Say how a password stands beside what was known of it; never NOT_KNOWN."""
    if known.mark is None or now.mark is None:
        return _by_time(known, now)
    if now.mark.version != known.mark.version:
        is_higher = now.mark.version > known.mark.version
        return Compared.CHANGED if is_higher else Compared.BEHIND
    return Compared.SAME if now.mark == known.mark else Compared.CHANGED


def newest(one: Seen | None, other: Seen | None) -> Seen | None:
    """Return the one that the other has not got yet, else `other`."""
    if one is None or other is None:
        return other or one
    return one if compare(one, other) is Compared.BEHIND else other


def sets_between(known: Seen, now: Seen) -> int | None:
    """Return how often the password was set since; None: that cannot be read."""
    if known.mark is None or now.mark is None:
        return None
    return now.mark.version - known.mark.version


def moved(before: Account, after: Account, origin: str) -> Moved:
    """Say what a DC did between two looks with one write of ours in between.

    `origin`: what the DC signs with; empty: not known, so the time alone tells.
    """
    if before.mark is None or after.mark is None or not origin:
        return _moved_by_time(before.pwd_last_set, after.pwd_last_set)
    sets = after.mark.password.version - before.mark.password.version
    times = after.mark.moved.version - before.mark.moved.version
    if sets == 0 and after.mark.password == before.mark.password:
        return _moved_alone(after.mark, times, origin)
    is_one = sets == 1 and times == 1 and after.mark.password.origin == origin
    # One modify signs both with one number. A password that was set without its time
    # (smart card required) would have a later one.
    is_by_password = after.mark.moved.usn >= after.mark.password.usn
    return Moved.OURS if is_one and is_by_password else Moved.ANOTHER


def _shown(stamp: Stamp) -> SeenMark:
    return SeenMark(version=stamp.version, origin=stamp.origin, usn=stamp.usn)


def _kept(mark: PasswordMark | None) -> SeenMark | None:
    if mark is None:
        return None
    return SeenMark(version=mark.version, origin=mark.origin, usn=mark.usn)


def _moved_alone(mark: PwdReplicationMark, times: int, origin: str) -> Moved:
    if times == 0:
        return Moved.NOTHING
    is_one = times == 1 and mark.moved.origin == origin
    return Moved.REPEATED if is_one else Moved.ANOTHER


def _by_time(known: Seen, now: Seen) -> Compared:
    if now.pwd_last_set == known.pwd_last_set:
        return Compared.SAME
    if now.pwd_last_set == 0:
        return Compared.CHANGED
    is_older = now.pwd_last_set < known.pwd_last_set
    if now.dc != known.dc and is_older:
        return Compared.BEHIND
    return Compared.CHANGED


def _moved_by_time(before: int, after: int) -> Moved:
    if after == before:
        return Moved.NOTHING
    return Moved.ANOTHER if after == 0 else Moved.OURS
