"""What is known of a card's PUK, in its record and out of it again; and a station's
pauses after wrong codes.
"""

from __future__ import annotations

from dataclasses import replace as remade

import pytest
from lab.histories import History
from lab.liar import named
from msgspec.structs import replace

from kiosk.authority.escrow import puks, wrong_entries
from kiosk.authority.escrow.unblock_methods import keeps_admin_key
from statemachine.candidates import Candidate, Puk
from statemachine.puk import Known
from storage.memory_registry import MemoryRegistry
from storage.records import Escrow

BOTH = Escrow(current_sealed="current", pending_sealed="pending")
CURRENT = Candidate(unanswered=2, is_refused=True)
PENDING = Candidate(unanswered=1, is_refused=True, is_set_aside=True, placings=3)
PUK = Puk(known=Known.PENDING, current=CURRENT, pending=PENDING, left=1)


@pytest.mark.parametrize(
    "puk",
    [
        PUK,
        remade(PUK, current=Candidate()),
        remade(PUK, pending=Candidate()),
        remade(PUK, known=Known.CURRENT, pending=None),
    ],
    ids=["all of it", "the old one is fresh", "the new one is fresh", "no new one"],
)
def test_what_is_known_is_read_as_it_was_kept(puk: Puk) -> None:
    assert puks.of(puks.kept(BOTH, puk)) == puk


@pytest.mark.parametrize(
    ("exposed", "known"), [(True, Known.DUE), (False, Known.CURRENT)]
)
@pytest.mark.parametrize(("wrong", "left"), [(0, 3), (2, 1), (3, 1)])
def test_an_older_record_says_what_was_spent_and_what_is_due(
    exposed: bool, known: Known, wrong: int, left: int
) -> None:
    older = Escrow(current_sealed="current", exposed=exposed, wrong_tries=wrong)
    assert puks.of(older) == Puk(known=known, current=Candidate(), left=left)


def test_what_the_card_has_called_blocked_is_not_released() -> None:
    """Though a value is kept that it may have."""
    kept = puks.kept(BOTH, remade(PUK, known=Known.USED_UP, pending=Candidate()))
    assert puks.of(kept).remaining()
    assert not puks.can_release(kept)


def test_the_management_key_of_a_piv_card_sets_no_pin() -> None:
    """It is kept in the same place, and is another thing."""
    credential = History(named("change")).world.credential("alice")
    piv = replace(credential, admin_key_sealed="sealed")
    assert piv.card.startswith("piv:")
    assert not keeps_admin_key(piv)
    assert keeps_admin_key(replace(piv, card="gids:key:1"))


# --- pauses ------------------------------------------------------------------------


def paused(wrong: int, *, after: float = 0.0, at: str = "kiosk-1") -> float:
    """How long nobody types a code there, so many seconds after the last wrong one."""
    registry = MemoryRegistry()
    for _ in range(wrong):
        registry.run(lambda tx: wrong_entries.count_wrong(tx, "kiosk-1", 1000.0))
    return registry.read(lambda it: wrong_entries.pause(it, at, 1000.0 + after))


@pytest.mark.parametrize(
    ("wrong", "seconds"),
    [(0, 0.0), (2, 0.0), (3, 5.0), (4, 10.0), (8, 160.0), (9, 300.0), (30, 300.0)],
)
def test_each_wrong_code_from_the_third_on_doubles_a_pause_of_five_minutes_at_most(
    wrong: int, seconds: float
) -> None:
    assert paused(wrong) == seconds


@pytest.mark.parametrize(
    ("after", "seconds"),
    [(4.0, 6.0), (10.0, 0.0), (-2.0, 10.0), (-5000.0, 0.0)],
    ids=["under way", "over", "a clock put back adds nothing", "far back"],
)
def test_a_pause_ends_and_no_clock_makes_it_longer(
    after: float, seconds: float
) -> None:
    assert paused(4, after=after) == seconds


def test_a_station_begins_anew_after_a_quarter_of_an_hour() -> None:
    """A long pause is over by then, and the next wrong code is the first."""
    registry = MemoryRegistry()
    for at in (0.0, 1.0, 2.0, 3.0, 950.0):
        registry.run(lambda tx, at=at: wrong_entries.count_wrong(tx, "k", at))  # type: ignore[misc]  # a default binds it
    assert registry.read(lambda it: wrong_entries.pause(it, "k", 950.0)) == 0.0


def test_another_station_does_not_pause() -> None:
    assert paused(9, at="kiosk-2") == 0.0
