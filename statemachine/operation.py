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


class Route(StrEnum):
    """Which way an operation goes through its table, chosen when it is prepared."""

    OLD_PIN = "old PIN"
    """A PIN works, and signs before it is changed: there is a way back."""
    RESET = "reset"
    """The card comes first, because the key needs a PIN that works."""
    FINISH = "finish"
    """The card stays as it is; the password is brought to its PIN."""
    CARD_ALONE = "card alone"
    """No password follows: nothing is ever written."""


def route_of(kind: Kind, *, password_follows: bool, interrupted: bool) -> Route:
    """Return the way of an operation.

    `interrupted`: an earlier activation was; it is completed by setting the PIN anew.
    """
    if kind is Kind.FINISH:
        return Route.FINISH
    if not password_follows:
        return Route.CARD_ALONE
    is_reset = kind is Kind.UNBLOCK or (kind is Kind.ACTIVATE and interrupted)
    return Route.RESET if is_reset else Route.OLD_PIN


@dataclass(frozen=True, slots=True)
class Step:
    """One edge of the operation; `routes` are those it exists for."""

    source: Phase
    target: Phase
    routes: frozenset[Route]
    sentence: str


_ALL = frozenset(Route)
_OLD_PIN = frozenset({Route.OLD_PIN})
_RESET = frozenset({Route.RESET})
_FINISH = frozenset({Route.FINISH})
_CARD_ALONE = frozenset({Route.CARD_ALONE})
_CARD = _OLD_PIN | _RESET | _CARD_ALONE
_WRITES = _OLD_PIN | _RESET | _FINISH

TABLE: tuple[Step, ...] = (
    Step(
        Phase.PREPARED,
        Phase.AUTHORISED,
        _OLD_PIN | _FINISH,
        "The card's signature was verified and its nonce consumed.",
    ),
    Step(
        Phase.PREPARED,
        Phase.CARD_CHANGING,
        _RESET | _CARD_ALONE,
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
        _FINISH,
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
        _RESET | _FINISH,
        "The card has its PIN already; the directory is about to be written.",
    ),
    Step(
        Phase.AUTHORISED,
        Phase.REFUSED,
        _OLD_PIN | _FINISH,
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
        "The card said no, or may not be changed any more; nothing was changed.",
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
        _CARD_ALONE,
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
        _WRITES,
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
        _WRITES,
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


def advance(phase: Phase, target: Phase, route: Route) -> Phase | Refusal:
    """Return `target` if an edge of this route leads there, else the refusal."""
    step = _BY_EDGE.get((phase, target))
    if not _ENGINE.targets(target, phase) or step is None or route not in step.routes:
        return Refusal("refusal.operation_order", Actor.HOLDER)
    return target


def is_final(phase: Phase) -> bool:
    """Say whether the operation has ended."""
    return phase in _FINAL
