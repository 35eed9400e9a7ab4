"""What a look at the directory says of a password, and of one write of ours."""

from __future__ import annotations

from typing import NoReturn, cast

import pytest

from kiosk.authority.rules import account_snapshot
from kiosk.authority.rules.in_step import Compared, Moved, at_last_sync, compare, moved
from kiosk.authority.values import Seen, SeenMark
from kiosk.directory.ports import Directory
from kiosk.directory.values import Account, PwdReplicationMark, Stamp
from storage.records import LastSync

HERE, THERE = "origin-of-dc1", "origin-of-dc2"
NOON = 134_000_000_000_000_000
"""A `pwdLastSet`."""
MINUTE = 600_000_000
SAME, CHANGED, BEHIND = Compared.SAME, Compared.CHANGED, Compared.BEHIND


def shown(
    version: int | None = 5,
    origin: str = HERE,
    usn: int = 70,
    *,
    time: int = NOON,
    dc: str = "dc1",
) -> Seen:
    mark = None
    if version is not None:
        mark = SeenMark(version=version, origin=origin, usn=usn)
    return Seen(dc=dc, pwd_last_set=time, mark=mark)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (shown(), SAME),
        (shown(dc="dc2"), SAME),
        (shown(6), CHANGED),
        (shown(6, dc="dc2"), CHANGED),
        (shown(5, THERE), CHANGED),
        (shown(5, HERE, 71), CHANGED),
        (shown(4, dc="dc2"), BEHIND),
        (shown(4), BEHIND),
        # The mark outvotes the time, whatever the clocks say.
        (shown(time=0), SAME),
        (shown(6, time=0), CHANGED),
        (shown(6, time=NOON), CHANGED),
        (shown(6, time=NOON - MINUTE), CHANGED),
        (shown(4, dc="dc2", time=NOON + MINUTE), BEHIND),
    ],
)
def test_by_the_mark(now: Seen, said: Compared) -> None:
    assert compare(shown(), now) is said


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (shown(None), SAME),
        (shown(None, dc="dc2"), SAME),
        (shown(None, time=0), CHANGED),
        (shown(None, time=0, dc="dc2"), CHANGED),
        (shown(None, time=NOON + 1), CHANGED),
        (shown(None, time=NOON - 1), CHANGED),
        (shown(None, time=NOON + 1, dc="dc2"), CHANGED),
        (shown(None, time=NOON - 1, dc="dc2"), BEHIND),
    ],
)
@pytest.mark.parametrize("known", [shown(), shown(None)], ids=["read then", "never"])
def test_by_the_time_where_the_mark_cannot_be_read(
    known: Seen, now: Seen, said: Compared
) -> None:
    assert compare(known, now) is said


def test_by_the_time_where_no_mark_was_recorded() -> None:
    assert compare(shown(None), shown(9)) is SAME
    assert compare(shown(None), shown(9, time=NOON - 1)) is CHANGED


def test_a_password_that_must_be_changed_is_never_the_same_by_its_time() -> None:
    last = LastSync(at=1.0, dc="dc1", pwd_last_set=0)
    assert compare(at_last_sync(last), shown(None, time=0)) is CHANGED


# --- one write -----------------------------------------------------------------------


def account(mark: PwdReplicationMark | None, time: int = NOON) -> Account:
    return Account(
        guid="g",
        dn="CN=ann",
        sam_account_name="ann",
        user_principal_name="ann@ad.test",
        display_name="Ann",
        enabled=True,
        locked=False,
        expired=False,
        privileged=False,
        smart_card_required=False,
        pwd_last_set=time,
        mark=mark,
    )


def mark(
    sets: int, times: int, origin: str = HERE, usn: int = 80, time_usn: int = 80
) -> PwdReplicationMark:
    return PwdReplicationMark(Stamp(sets, origin, usn), Stamp(times, origin, time_usn))


BEFORE = PwdReplicationMark(Stamp(5, THERE, 44), Stamp(3, THERE, 44))


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (mark(6, 4), Moved.OURS),
        (BEFORE, Moved.NOTHING),
        # Two hands, one after the other.
        (mark(7, 5), Moved.ANOTHER),
        (mark(8, 6), Moved.ANOTHER),
        # Another DC's write has replaced ours, or came instead of it.
        (mark(6, 4, THERE), Moved.ANOTHER),
        # Smart card required was ticked: it leaves the time alone.
        (mark(7, 4, usn=81), Moved.ANOTHER),
        (mark(6, 3), Moved.ANOTHER),
        # Ours left the password as it was, and a tick came after it.
        (mark(6, 4, usn=81), Moved.ANOTHER),
        # Ours left it as it was, and a reset came after it.
        (mark(6, 5, usn=81, time_usn=81), Moved.ANOTHER),
        # Ours left it as it was.
        (PwdReplicationMark(BEFORE.password, Stamp(4, HERE, 80)), Moved.REPEATED),
        # Only the time moved, by somebody else.
        (PwdReplicationMark(BEFORE.password, Stamp(4, THERE, 80)), Moved.ANOTHER),
        (PwdReplicationMark(BEFORE.password, Stamp(5, HERE, 80)), Moved.ANOTHER),
        # A DC that was put back.
        (mark(4, 2), Moved.ANOTHER),
    ],
)
def test_one_write_moves_the_mark_by_one(
    after: PwdReplicationMark, said: Moved
) -> None:
    assert moved(account(BEFORE), account(after), HERE) is said


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (NOON, Moved.NOTHING),
        (NOON + 1, Moved.OURS),
        (NOON - MINUTE, Moved.OURS),
        (0, Moved.ANOTHER),
    ],
)
@pytest.mark.parametrize(
    ("before", "after", "origin"),
    [
        (None, None, HERE),
        (BEFORE, None, HERE),
        (None, BEFORE, HERE),
        (BEFORE, BEFORE, ""),
    ],
)
def test_without_a_mark_the_time_tells_as_far_as_it_can(
    before: PwdReplicationMark | None,
    after: PwdReplicationMark | None,
    origin: str,
    time: int,
    said: Moved,
) -> None:
    assert moved(account(before), account(after, time), origin) is said


def test_a_controller_of_the_record_that_rests_is_not_waited_for() -> None:
    """It is left alone for a reason; until it answers, nothing is known."""

    class Resting:
        def rests(self, dc: str) -> bool:
            return dc == "dc1"

        def connect(self, dc: str) -> NoReturn:
            raise AssertionError(f"{dc} was asked")

    known = Seen(dc="dc1", pwd_last_set=1, mark=None)
    looked = account_snapshot._on_record(
        cast("Directory", Resting()), "guid", known, "dc2"
    )
    assert looked == (Compared.NOT_KNOWN, known)
