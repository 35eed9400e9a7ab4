"""What may happen at a point: faults of what is called, death, and other hands."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kiosk.cards.errors import CardRemoved
from kiosk.core.secret import Secret
from kiosk.directory.errors import OutcomeUnknown, ReadFailed, Unreachable
from kiosk.simulation.cards.reader import READER
from kiosk.simulation.domain_faults import DcDown
from kiosk.simulation.interference import ProcessDied
from lab.hostile.line import Line
from lab.hostile.office import DECISIONS
from lab.hostile.points import (
    AFTER,
    APDU,
    BEFORE,
    CALL,
    COMMIT,
    LINE,
    MESSAGE,
    Act,
    Lost,
    Point,
)
from lab.hostile.town import FIRST, OTHER, THEIRS, Person, Town
from storage.errors import StoreFull, StorePoisoned

Named = tuple[str, Act]


def possible(town: Town, person: Person, point: Point) -> list[Named]:
    """Return everything that may happen at a point."""
    return [*_faults(town, point), ("the process dies", _die), *_hands(town, person)]


def _die(point: Point) -> None:
    raise ProcessDied


def _faults(town: Town, point: Point) -> list[Named]:
    match point.kind, point.moment:
        case (kind, _) if kind == APDU:
            return [("the card is pulled", lambda point: _pull(town))]
        case (kind, moment) if (kind, moment) == (COMMIT, BEFORE):
            return [("the disk is full", lambda point: _raise(StoreFull(path="disk")))]
        case (kind, moment) if (kind, moment) == (COMMIT, AFTER):
            lost = "the disk took it and said no"
            return [(lost, lambda point: _raise(StorePoisoned(path="disk")))]
        case (kind, _) if kind == CALL and point.name == "connect":
            away = Unreachable(dcs=FIRST, reason="timeout")
            return [("nobody is reached", lambda point: _raise(away))]
        case (kind, moment) if kind == CALL:
            what = "no answer" if moment == AFTER else "nothing arrives"
            return [(what, _no_answer)]
        case (kind, moment) if (kind, moment) == (MESSAGE, AFTER):
            return [("the message comes twice", lambda point: _twice(town))]
        case (kind, moment) if kind == LINE and town.line is not None:
            return _on_the_line(town.line, moment)
    return []


def _on_the_line(line: Line, moment: str) -> list[Named]:
    late = "the question is late" if moment == BEFORE else "it comes again, late"
    acts: dict[str, Callable[[], object]] = {
        "the question is lost" if moment == BEFORE else "the answer is lost": _lose,
        late: lambda: _be_late(line, moment),
        "the question comes twice": lambda: line.again(line.sent[-1:]),
        "what was late arrives": line.let_go,
        "it is heard beside what comes next": lambda: _be_beside(line, moment),
        "all on the line is sent again": lambda: line.again(list(line.sent)),
        "all on the line is sent again, backwards": lambda: line.again(line.sent[::-1]),
        "all on the line is sent from elsewhere": lambda: line.again(
            list(line.sent), "kiosk-2"
        ),
        "the first authority begins again": lambda: line.behind.restart_one(0),
        "the other authority begins again": lambda: line.behind.restart_one(1),
    }
    return [(name, _ignoring(act)) for name, act in acts.items()]


def _lose() -> None:
    raise Lost


def _be_late(line: Line, moment: str) -> None:
    line.hold_last()
    if moment == BEFORE:
        raise Lost


def _be_beside(line: Line, moment: str) -> None:
    line.hear_beside()
    if moment == BEFORE:
        raise Lost


def _twice(town: Town) -> None:
    town.replay(town.points.heard[-1:], "kiosk-1")


def _raise(error: Exception) -> None:
    raise error


def _pull(town: Town) -> None:
    town.readers.pull()
    raise CardRemoved(reader=READER)


def _no_answer(point: Point) -> None:
    if point.name == "set_password":
        raise OutcomeUnknown(dc="dc1.ad.test")
    if point.name != "verify_password":
        raise ReadFailed(dc="dc1.ad.test", reason="no_answer")


def _hands(town: Town, person: Person) -> list[Named]:
    clock, guid = town.world.clock, person.holder.account_guid
    acts: dict[str, Callable[[], object]] = {
        "the password is set elsewhere": lambda: town.domain.change_elsewhere(
            guid, Secret(THEIRS)
        ),
        "the password is set on the other controller": lambda: (
            town.domain.change_elsewhere(guid, Secret(THEIRS), dc=OTHER)
        ),
        "the controllers replicate": town.domain.replicate,
        "the first controller goes away": lambda: town.domain.fail(DcDown(dc=FIRST)),
        "everything heard is sent again": lambda: town.replay(
            list(town.points.heard), "kiosk-1"
        ),
        "everything heard is sent from elsewhere": lambda: town.replay(
            list(town.points.heard), "kiosk-2"
        ),
        "a clone is at another station": lambda: town.insert_clone(person),
        "another station sees the card's name": lambda: _second(town, person),
        "the wall clock goes an hour ahead": lambda: clock.set_wall(3600.0),  # type: ignore[attr-defined]  # a manual clock
        "the wall clock goes an hour back": lambda: clock.set_wall(-3600.0),  # type: ignore[attr-defined]  # a manual clock
        "an hour passes": lambda: clock.sleep(3600.0),
    }
    for what, decision in DECISIONS.items():
        acts[f"the helpdesk {what}"] = partial(town.office.decides, person, decision)
    return [(name, _ignoring(act)) for name, act in acts.items()]


def _ignoring(act: Callable[[], object]) -> Act:
    def happen(point: Point) -> None:
        act()

    return happen


def _second(town: Town, person: Person) -> None:
    """Somebody elsewhere has a card of the same name: it is only looked at."""
    town.look_elsewhere(person)
