"""The PIN operation's own machine: from the first durable mark to its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statemachine.engine import Engine
from statemachine.guards import Actor, Refusal


class Phase(StrEnum):
    """How far an operation has come. Each is committed before what follows it."""

    PREPARED = "prepared"
    AUTHORISED = "authorised"
    CARD_CHANGING = "card_changing"
    CARD_CHANGED = "card_changed"
    WRITING = "writing"
    ROLLING_BACK = "rolling_back"
    DONE = "done"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"
    OUT_OF_STEP = "out_of_step"


class Kind(StrEnum):
    """What a person at a kiosk does with a PIN."""

    ACTIVATE = "activate"
    CHANGE = "change"
    UNBLOCK = "unblock"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Step:
    """One edge of the operation; `kinds` are those it exists for."""

    source: Phase
    target: Phase
    kinds: frozenset[Kind]
    sentence: str


_ALL = frozenset(Kind)
_OLD_PIN = frozenset({Kind.ACTIVATE, Kind.CHANGE})
_RESET = frozenset({Kind.ACTIVATE, Kind.UNBLOCK})
_CARD = frozenset({Kind.ACTIVATE, Kind.CHANGE, Kind.UNBLOCK})

TABLE: tuple[Step, ...] = (
    Step(
        Phase.PREPARED,
        Phase.AUTHORISED,
        _OLD_PIN | {Kind.FINISH},
        "The card's signature was verified and its nonce consumed.",
    ),
    Step(
        Phase.PREPARED,
        Phase.CARD_CHANGING,
        _CARD,
        "The card comes first: it is unblocked, or no password follows.",
    ),
    Step(
        Phase.PREPARED,
        Phase.REFUSED,
        _ALL,
        "Somebody said no, or a newer visit took its place; nothing was changed.",
    ),
    Step(
        Phase.PREPARED,
        Phase.OUT_OF_STEP,
        frozenset({Kind.FINISH}),
        "A finish ended before its proof; card and password still differ.",
    ),
    Step(
        Phase.AUTHORISED,
        Phase.CARD_CHANGING,
        _OLD_PIN,
        "The command that cannot be taken back is about to be sent.",
    ),
    Step(
        Phase.AUTHORISED,
        Phase.WRITING,
        _RESET | {Kind.FINISH},
        "The card has its PIN already; the directory is about to be written.",
    ),
    Step(
        Phase.AUTHORISED,
        Phase.REFUSED,
        _OLD_PIN | {Kind.FINISH},
        "Somebody said no before the card was touched; nothing was changed.",
    ),
    Step(
        Phase.AUTHORISED,
        Phase.OUT_OF_STEP,
        _RESET,
        "The card was reset, and the directory could not be written.",
    ),
    Step(
        Phase.CARD_CHANGING,
        Phase.CARD_CHANGED,
        _CARD,
        "The new PIN was verified on the card.",
    ),
    Step(
        Phase.CARD_CHANGING,
        Phase.REFUSED,
        _CARD,
        "The card definitely said no; nothing was changed.",
    ),
    Step(
        Phase.CARD_CHANGING,
        Phase.OUT_OF_STEP,
        _CARD,
        "The card could not be asked whether it changed.",
    ),
    Step(
        Phase.CARD_CHANGED,
        Phase.AUTHORISED,
        _RESET,
        "The card signed with its new PIN; the nonce was consumed.",
    ),
    Step(
        Phase.CARD_CHANGED,
        Phase.WRITING,
        _OLD_PIN,
        "The directory is about to be written.",
    ),
    Step(
        Phase.CARD_CHANGED,
        Phase.DONE,
        _CARD,
        "Only the card was to change, and it has.",
    ),
    Step(
        Phase.CARD_CHANGED,
        Phase.ROLLING_BACK,
        _OLD_PIN,
        "The directory may not be written any more, or was not reached.",
    ),
    Step(
        Phase.CARD_CHANGED,
        Phase.OUT_OF_STEP,
        _CARD,
        "The card has changed and nothing could be written.",
    ),
    Step(
        Phase.WRITING,
        Phase.DONE,
        _ALL,
        "The directory took the value, and its own mark shows that write and no other.",
    ),
    Step(
        Phase.WRITING,
        Phase.ROLLING_BACK,
        _OLD_PIN,
        "The directory definitely refused the value, or it was too late to send it.",
    ),
    Step(
        Phase.WRITING,
        Phase.OUT_OF_STEP,
        _ALL,
        "No answer, another hand in between, or a refusal with no way back.",
    ),
    Step(
        Phase.ROLLING_BACK,
        Phase.ROLLED_BACK,
        _OLD_PIN,
        "The old PIN was verified on the card again.",
    ),
    Step(
        Phase.ROLLING_BACK,
        Phase.OUT_OF_STEP,
        _OLD_PIN,
        "The old PIN could not be put back.",
    ),
)

_BY_EDGE = {(step.source, step.target): step for step in TABLE}
_ENGINE = Engine(Phase, [(step.target, step.source, step.target) for step in TABLE])
_FINAL = frozenset({Phase.DONE, Phase.REFUSED, Phase.ROLLED_BACK, Phase.OUT_OF_STEP})


def advance(phase: Phase, target: Phase, kind: Kind) -> Phase | Refusal:
    """Return `target` if an edge for this kind leads there, else the refusal."""
    if not _ENGINE.targets(target, phase) or kind not in _BY_EDGE[phase, target].kinds:
        return Refusal("refusal.operation_order", Actor.HOLDER)
    return target


def is_final(phase: Phase) -> bool:
    """Say whether the operation has ended."""
    return phase in _FINAL
