"""Why something may not happen: a refusal as a value, never as an exception.

A guard is a named predicate over `Facts`. It returns the refusal that names it, or
None. Guards know no clock, no file and no card: whoever asks puts the facts in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Actor(StrEnum):
    """Who makes an event happen, and who can help when it may not."""

    HOLDER = "holder"
    HELPDESK = "helpdesk"
    OFFICER = "enrollment officer"
    ADMINISTRATOR = "administrator"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason for a "no": `code` is a catalogue key under `refusal.`."""

    code: str
    who_can_help: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What guards ask. The defaults let everything pass."""

    tries_left: int | None = None
    """The card's PIN counter; None: not known, which passes."""
    has_unblock_method: bool = True
    """The template allows an unblock that this card and the escrow can do."""
    own_card: bool = False
    """The operator who acts is the holder of the card."""


Guard = Callable[[Facts], Refusal | None]


def not_own_card(facts: Facts) -> Refusal | None:
    """Nobody handles their own card as an operator."""
    if facts.own_card:
        return Refusal("refusal.own_card", Actor.HELPDESK)
    return None


def pin_not_blocked(facts: Facts) -> Refusal | None:
    """The card's own counter must have a try left."""
    if facts.tries_left == 0:
        return Refusal("refusal.pin_blocked", Actor.HOLDER)
    return None


def more_than_one_try(facts: Facts) -> Refusal | None:
    """The last try is never spent on a guess."""
    if facts.tries_left is not None and facts.tries_left <= 1:
        return Refusal("refusal.one_try_left", Actor.HOLDER)
    return None


def can_be_unblocked(facts: Facts) -> Refusal | None:
    """Some authorisation must exist that this card can be unblocked with."""
    if not facts.has_unblock_method:
        return Refusal("refusal.no_unblock_way", Actor.OFFICER)
    return None


def first_refusal(guards: tuple[Guard, ...], facts: Facts) -> Refusal | None:
    """Return the refusal of the first guard that says no."""
    for guard in guards:
        refusal = guard(facts)
        if refusal is not None:
            return refusal
    return None
