"""Who judges: knows what was pressed, and asks the cards, the directory, the registry,
the screen and the log what came of it. Finds fault in words; an empty list is well.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from lab.matrix.keys import Key
from lab.matrix.place import Place

Facts = dict[str, Any]
HARMLESS = frozenset(
    {
        "operator.sign_in_refused",
        "operator.signed_out",
        "presence.proved",
    }
)
"""Evidence that somebody looked or tried: nothing has changed with it."""


class Rhythm(Enum):
    """How a key is pressed."""

    FIRST = "once"
    HELD = "held"
    """Forty times, each handled before the next comes, as at 25 a second."""
    BURST = "in one burst"
    """Forty times in one write."""


TIMES = 40
_ONCE = {"credential.key_recorded": 2}
"""How often what is done once goes into the evidence, where that is not once."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is true, what can be read, and what was drawn, at one moment."""

    facts: Facts
    text: str
    written: bytes
    complaints: list[str]
    shown: str


def judge(
    place: Place, key: Key, rhythm: Rhythm, before: Seen, after: Seen
) -> list[str]:
    """Return what is wrong with what a key did."""
    faults = [f"the log says: {line}" for line in after.complaints]
    faults += _secrets(place, key, after)
    faults += _changes(place, key, before.facts, after.facts)
    return faults


# --- what may be seen ---------------------------------------------------------------


def _secrets(place: Place, key: Key, after: Seen) -> list[str]:
    if not place.secret or (place.can_be_shown and key.shows):
        return []
    secret = place.secret.decode()
    faults = []
    if secret in after.text:
        faults.append("what is secret can be read on the screen")
    elif place.secret in after.written:
        faults.append("what is secret was drawn")
    return faults


# --- what may have changed ----------------------------------------------------------


def _changes(place: Place, key: Key, before: Facts, after: Facts) -> list[str]:
    """A key by itself changes nothing. An operator's page may be done by its own key,
    once; an entry that is complete may cost its one try.
    """
    faults = []
    for what in before:
        if what == "evidence":
            faults += _evidence(place, key, before[what], after[what])
        elif what == "cards":
            faults += _cards(place, key, before[what], after[what])
        elif what == "wrong passwords":
            spent = after[what] - before[what]
            if spent > (place.tries if key.is_enter or key.is_own_key else 0):
                faults.append(f"{spent} wrong passwords went to the directory")
        elif before[what] != after[what] and not _is_owned(
            place, key, what, before, after
        ):
            faults.append(f"{what} changed: {_difference(before[what], after[what])}")
    return faults


def _is_owned(place: Place, key: Key, what: str, before: Facts, after: Facts) -> bool:
    """The page's own key did what the page is for, once."""
    if not key.is_own_key or what not in place.does:
        return False
    if what == "codes":
        return bool(after[what] - before[what] == 1)
    changed = [it for it in after[what] if after[what][it] != before[what].get(it)]
    return len(changed) == 1


def _cards(place: Place, key: Key, before: Facts, after: Facts) -> list[str]:
    faults = []
    for name in before.keys() | after.keys():
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        if was is None or now is None:
            faults.append(f"the card of {name} came or went")
            continue
        if was[0] != now[0]:
            faults.append(f"the PIN of {name} changed from {was[0]} to {now[0]}")
        may_cost = place.tries if key.is_enter or key.is_own_key else 0
        if was[1] - now[1] > may_cost or was[2] != now[2]:
            faults.append(f"tries of {name} went from {was[1:]} to {now[1:]}")
    return faults


def _evidence(place: Place, key: Key, before: Facts, after: Facts) -> list[str]:
    new = {
        kind: count - before.get(kind, 0)
        for kind, count in after.items()
        if count != before.get(kind, 0) and kind not in HARMLESS
    }
    if key.is_own_key or (place.tries and key.is_enter):
        new = {kind: count for kind, count in new.items() if count > _ONCE.get(kind, 1)}
    return [f"it went into the evidence: {new}"] if new else []


def _difference(before: Any, after: Any) -> str:
    if not isinstance(before, dict):
        return f"{before} → {after}"
    names = sorted(before.keys() | after.keys())
    changed = [it for it in names if before.get(it) != after.get(it)]
    return ", ".join(f"{it}: {before.get(it)} → {after.get(it)}" for it in changed)
