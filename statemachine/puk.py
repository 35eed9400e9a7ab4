"""What is known of a card's PUK: states, events and the one table of edges.

The table is data: a sentence per edge, rendered into docs/puk.md. Which values may
still be on the card, and which of them may be sent, is `statemachine.candidates`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statemachine.engine import Engine
from statemachine.guards import Actor, Refusal


class Known(StrEnum):
    """What the registry knows of the PUK that a card has."""

    UNKNOWN = "unknown"
    HOLDERS = "holders"
    FACTORY = "factory"
    FIRST_PENDING = "first_pending"
    CURRENT = "current"
    EXPOSED = "exposed"
    DUE = "due"
    PENDING = "pending"
    USED_UP = "used_up"


class PukEvent(StrEnum):
    """What can happen to a PUK, or to what is known of it."""

    SAID_HOLDERS = "said_holders"
    SAID_FACTORY = "said_factory"
    SET = "set"
    TYPED = "typed"
    RELEASED = "released"
    OLD_TAKEN = "old_taken"
    NEW_TAKEN = "new_taken"
    REPLACING = "replacing"
    REPLACED = "replaced"
    NEW_REFUSED = "new_refused"
    ALL_REFUSED = "all_refused"


@dataclass(frozen=True, slots=True)
class PukEdge:
    """One thing that may happen to a PUK."""

    event: PukEvent
    source: Known
    target: Known
    sentence: str


K, E = Known, PukEvent
OUT_OF_ORDER = Refusal("refusal.puk_order", Actor.HELPDESK)
DUE = frozenset({K.FACTORY, K.FIRST_PENDING, K.EXPOSED, K.DUE, K.PENDING})
"""The PUK has to be replaced, until the card has confirmed another."""
AT_FACTORY = frozenset({K.FACTORY, K.FIRST_PENDING})
"""The card has, or may have, the PUK that every factory sets."""
IN_ESCROW = DUE | {K.CURRENT}
"""A value that may be on the card is kept, or is the factory's."""

TABLE: tuple[PukEdge, ...] = (
    PukEdge(
        E.SAID_HOLDERS,
        K.UNKNOWN,
        K.HOLDERS,
        "Import or template said that the holder has the PUK of this card.",
    ),
    PukEdge(
        E.SAID_FACTORY,
        K.UNKNOWN,
        K.FACTORY,
        "Import, template or the card itself said that it has the factory's PUK.",
    ),
    *(
        PukEdge(
            E.SET,
            source,
            K.CURRENT,
            "The card was personalised here and took a PUK that nobody has seen.",
        )
        for source in Known
    ),
    *(
        PukEdge(
            E.TYPED,
            source,
            K.HOLDERS,
            "The holder typed a PUK, and the PIN it set was verified.",
        )
        for source in (K.UNKNOWN, K.HOLDERS, K.USED_UP)
    ),
    *(
        PukEdge(
            E.TYPED,
            source,
            source,
            "The holder typed the PUK, which is kept here, too.",
        )
        for source in Known
        if source in IN_ESCROW
    ),
    PukEdge(
        E.RELEASED,
        K.CURRENT,
        K.EXPOSED,
        "The PUK is about to be sent: whatever happens, it has left the authority.",
    ),
    *(
        PukEdge(
            E.RELEASED,
            source,
            source,
            "What may be on the card is about to be sent, and stays to be replaced.",
        )
        for source in (K.FACTORY, K.FIRST_PENDING, K.EXPOSED, K.DUE, K.PENDING)
    ),
    *(
        PukEdge(
            E.OLD_TAKEN,
            source,
            K.DUE,
            "The card took the PUK it had before, and the PIN it set was verified.",
        )
        for source in (K.EXPOSED, K.DUE, K.PENDING)
    ),
    *(
        PukEdge(
            E.OLD_TAKEN,
            source,
            K.FACTORY,
            "The card took the factory's PUK, and the PIN it set was verified.",
        )
        for source in (K.FACTORY, K.FIRST_PENDING)
    ),
    *(
        PukEdge(
            E.NEW_TAKEN,
            source,
            K.DUE,
            "The card has the replacement already; it has left the authority since.",
        )
        for source in (K.PENDING, K.FIRST_PENDING)
    ),
    *(
        PukEdge(
            E.REPLACING,
            source,
            K.PENDING,
            "A new PUK is about to be sent: the card has it, or what it had before.",
        )
        for source in (K.EXPOSED, K.DUE, K.PENDING)
    ),
    *(
        PukEdge(
            E.REPLACING,
            source,
            K.FIRST_PENDING,
            "A first PUK of ours is about to be sent: the card has it, or the"
            " factory's.",
        )
        for source in (K.FACTORY, K.FIRST_PENDING)
    ),
    *(
        PukEdge(
            E.REPLACED,
            source,
            K.CURRENT,
            "The card confirmed the new PUK, which nobody has seen.",
        )
        for source in (K.PENDING, K.FIRST_PENDING)
    ),
    PukEdge(
        E.NEW_REFUSED,
        K.PENDING,
        K.DUE,
        "The card definitely does not take the new PUK: it has what it had before.",
    ),
    PukEdge(
        E.NEW_REFUSED,
        K.FIRST_PENDING,
        K.FACTORY,
        "The card definitely does not take the new PUK: it has the factory's.",
    ),
    *(
        PukEdge(
            E.ALL_REFUSED,
            source,
            K.USED_UP,
            "The card has refused everything that it may have had, or its PUK is"
            " blocked: only a person who knows its PUK, or a new card, helps.",
        )
        for source in (K.UNKNOWN, K.HOLDERS, *sorted(IN_ESCROW), K.USED_UP)
    ),
)

_ENGINE = Engine(Known, [(edge.event, edge.source, edge.target) for edge in TABLE])


def advance(known: Known, event: PukEvent) -> Known | Refusal:
    """Return what is known after `event`, or why it cannot have happened."""
    targets = _ENGINE.targets(event, known)
    if not targets:
        return OUT_OF_ORDER
    return Known[targets[0]]
