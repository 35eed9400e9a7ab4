"""Everything that can become of a card, found out from the tables that we run.

A situation is what registry and card say of one card. Whatever may happen to it is a
move: what its holder does, each end of each operation (a fault may end it anywhere),
what operators do, what others do behind our back. All situations that can come about
are explored, and from each it is asked whether somebody can bring it home.
Pure: no clock, no card, and no table of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from statemachine.course import course
from statemachine.guards import Facts, Refusal
from statemachine.lifecycle import Event, Lifecycle, Standing, State
from statemachine.offers import offers
from statemachine.operation import Kind, Phase, Route, route_of
from statemachine.puk import DUE, IN_ESCROW, Known, PukEvent, advance
from statemachine.situations import (
    ENOUGH,
    Agreement,
    OperationEnd,
    Situation,
    Transition,
    WayToOpen,
    ends,
)

_LIFECYCLE = Lifecycle()
ISSUED_AGAIN = "the card is retired and issued again"


# --- operations --------------------------------------------------------------


# --- moves -------------------------------------------------------------------


def moves(now: Situation, opens: WayToOpen) -> Iterator[Transition]:
    """Return everything that may happen next."""
    yield from _of_holder(now, opens)
    yield from _of_operators(now, opens)
    yield from _of_others(now, opens)


def why_not(now: Situation, opens: WayToOpen, kind: Kind) -> Refusal | None:
    """Return what the kiosk says of an action; None: it is offered."""
    facts = Facts(tries_left=now.tries, has_unblock_method=_has_method(now, opens))
    is_out = now.agreement is Agreement.OUT_OF_STEP
    return _judged(
        now.standing, facts, out_of_step=is_out, activation_interrupted=now.interrupted
    )[kind]


@cache
def _judged(
    standing: Standing,
    facts: Facts,
    *,
    out_of_step: bool,
    activation_interrupted: bool,
) -> dict[Kind, Refusal | None]:
    judged = offers(
        standing,
        facts,
        out_of_step=out_of_step,
        activation_interrupted=activation_interrupted,
        lifecycle=_LIFECYCLE,
    )
    return {each.kind: each.refusal for each in judged}


@cache
def _applied(standing: Standing, event: Event, tries: int) -> Standing | Refusal:
    return _LIFECYCLE.apply(standing, event, Facts(tries_left=tries))


def _has_method(now: Situation, opens: WayToOpen) -> bool:
    match opens:
        case WayToOpen.ESCROW:
            return now.known in IN_ESCROW
        case WayToOpen.HOLDERS_PUK:
            return now.known is not Known.USED_UP
        case WayToOpen.ADMIN_KEY:
            return True
        case WayToOpen.NOTHING:
            return False


def _of_holder(now: Situation, opens: WayToOpen) -> Iterator[Transition]:
    for kind in Kind:
        if why_not(now, opens, kind) is not None:
            continue
        is_reset = kind is Kind.UNBLOCK or (kind is Kind.ACTIVATE and now.interrupted)
        if not is_reset and not now.remembers:
            continue
        for follows in (True, False):
            if kind is Kind.FINISH and not follows:
                continue
            route = route_of(
                kind, password_follows=follows, interrupted=now.interrupted
            )
            for end in ends(route):
                for known in _puks(now, opens, is_reset=is_reset):
                    yield _ended(replace(now, known=known), kind, route, end)


def _ended(now: Situation, kind: Kind, route: Route, end: OperationEnd) -> Transition:
    """Return what is true when an operation has ended so."""
    what, helps = f"{kind} ends as {end.phase}", end.phase is Phase.DONE
    if end.phase in (Phase.REFUSED, Phase.ROLLED_BACK):
        return Transition(what, now, helps)
    after = now
    if end.changed:
        after = _final(now, kind)
    elif end.doubtful and (kind is Kind.ACTIVATE or not now.activated):
        after = replace(now, interrupted=True)
    if end.phase is Phase.DONE:
        alone = route is Route.CARD_ALONE
        agreement = Agreement.CARD_ALONE if alone else Agreement.IN_STEP
        after = replace(after, interrupted=False)
    else:
        agreement = Agreement.OUT_OF_STEP
    return Transition(what, replace(after, agreement=agreement), helps)


def _final(now: Situation, kind: Kind) -> Situation:
    """The card has a new PIN: what follows for its state."""
    standing = now.standing
    event = {Kind.ACTIVATE: Event.ACTIVATE, Kind.UNBLOCK: Event.UNBLOCK}.get(kind)
    if event is not None:
        standing = _stand(standing, event)
    return replace(
        now,
        standing=standing,
        tries=ENOUGH,
        remembers=True,
        interrupted=False,
        activated=True,
    )


@cache
def _stand(standing: Standing, event: Event) -> Standing:
    """No operation begins with a card that is held, so this is never of one."""
    events = course(_LIFECYCLE, standing, event, Facts(tries_left=0))
    for each in () if isinstance(events, Refusal) else events:
        after = _LIFECYCLE.apply(standing, each, Facts(tries_left=0))
        standing = standing if isinstance(after, Refusal) else after
    return standing


def _puks(now: Situation, opens: WayToOpen, *, is_reset: bool) -> set[Known]:
    """Return what may be known of the PUK when an operation has ended anywhere."""
    found = {now.known}
    if opens is WayToOpen.HOLDERS_PUK and is_reset:
        found |= _after(found, PukEvent.TYPED)
    if opens is not WayToOpen.ESCROW:
        return found
    if is_reset:
        found |= _after(found, PukEvent.RELEASED)
        found |= _after(found, PukEvent.OLD_TAKEN) | _after(found, PukEvent.NEW_TAKEN)
    sent = _after(found & DUE, PukEvent.REPLACING)
    found |= sent | _after(sent, PukEvent.NEW_REFUSED)
    return found | _after(sent, PukEvent.REPLACED)


def _after(known: set[Known], event: PukEvent) -> set[Known]:
    return {after for each in known for after in _led(each, event)}


@cache
def _led(known: Known, event: PukEvent) -> tuple[Known, ...]:
    after = advance(known, event)
    return () if isinstance(after, Refusal) else (after,)


def can_be_issued_again(now: Situation, opens: WayToOpen) -> bool:
    """Say whether the enrollment office can open the card to personalise it anew."""
    return opens is WayToOpen.ESCROW and now.known in IN_ESCROW


def _of_operators(now: Situation, opens: WayToOpen) -> Iterator[Transition]:
    for event in (Event.SUSPEND, Event.RESUME, Event.REVOKE, Event.RETIRE):
        after = _applied(now.standing, event, now.tries)
        if not isinstance(after, Refusal):
            yield Transition(event, replace(now, standing=after), event is Event.RESUME)
    if now.standing.state is not State.RETIRED and can_be_issued_again(now, opens):
        new = Situation(standing=Standing(State.ISSUED), agreement=Agreement.NEVER)
        again = replace(new, known=Known.CURRENT)
        yield Transition(ISSUED_AGAIN, again, helps=True)
    if now.agreement is Agreement.OUT_OF_STEP and not now.is_over:
        closed = replace(now, agreement=Agreement.CARD_ALONE)
        yield Transition("the helpdesk closes the case", closed, helps=True)


def _of_others(now: Situation, opens: WayToOpen) -> Iterator[Transition]:
    """What nobody meant, or nobody told us."""
    if now.is_over:
        return
    if now.agreement is Agreement.IN_STEP:
        out = replace(now, agreement=Agreement.OUT_OF_STEP)
        yield Transition("the password is changed elsewhere", out, helps=False)
    if now.tries:
        wrong = replace(now, tries=now.tries - 1)
        yield Transition("a wrong PIN is typed", wrong, helps=False)
    if now.remembers:
        forgotten = replace(now, remembers=False)
        yield Transition("the PIN is forgotten", forgotten, helps=False)
    yield from _of_card(now)
    yield from _of_puk(now, opens)


def _of_card(now: Situation) -> Iterator[Transition]:
    """What the card itself shows of its counter."""
    if now.tries == 0:
        blocked = _applied(now.standing, Event.PIN_BLOCKED, now.tries)
        if not isinstance(blocked, Refusal):
            to = replace(now, standing=blocked)
            yield Transition("the card shows that it is blocked", to, helps=True)
            elsewhere = replace(to, tries=ENOUGH)
            yield Transition("it is unblocked elsewhere", elsewhere, helps=False)
    if now.tries and now.standing.state is State.BLOCKED:
        found = _applied(now.standing, Event.FOUND_UNBLOCKED, now.tries)
        if not isinstance(found, Refusal):
            to = replace(now, standing=found, agreement=Agreement.OUT_OF_STEP)
            yield Transition("the card shows that it is not blocked", to, helps=True)


def _of_puk(now: Situation, opens: WayToOpen) -> Iterator[Transition]:
    if opens in (WayToOpen.ESCROW, WayToOpen.HOLDERS_PUK):
        for known in _after({now.known}, PukEvent.ALL_REFUSED):
            used_up = replace(now, known=known)
            what = "the card has refused every PUK it may have"
            yield Transition(what, used_up, helps=False)


# --- exploration -------------------------------------------------------------


def beginnings(opens: WayToOpen) -> tuple[Situation, ...]:
    """Return how a card may come to us: issued here, or imported."""
    new = Situation(standing=Standing(State.ISSUED), agreement=Agreement.NEVER)
    match opens:
        case WayToOpen.ESCROW:
            known: tuple[Known, ...] = (Known.CURRENT, Known.FACTORY)
        case WayToOpen.HOLDERS_PUK:
            known = (Known.HOLDERS,)
        case _:
            known = (Known.UNKNOWN,)
    return tuple(replace(new, known=each) for each in known)


def explored(opens: WayToOpen) -> dict[Situation, tuple[Transition, ...]]:
    """Return every situation that can come about, and what may happen in it."""
    found: dict[Situation, tuple[Transition, ...]] = {}
    waiting = deque(beginnings(opens))
    while waiting:
        now = waiting.popleft()
        if now in found:
            continue
        found[now] = tuple(moves(now, opens))
        waiting.extend(move.to for move in found[now])
    return found


def homeless(
    graph: dict[Situation, tuple[Transition, ...]], *, issued_again: bool
) -> list[Situation]:
    """Return the situations that nobody can bring home.

    `issued_again`: the enrollment office may personalise the same card anew; else it
    is asked what kiosk and helpdesk can do.
    """
    before: dict[Situation, list[Situation]] = {}
    for now, possible in graph.items():
        for move in possible:
            if move.helps and (issued_again or move.what != ISSUED_AGAIN):
                before.setdefault(move.to, []).append(now)
    at_home = {now for now in graph if now.is_home}
    waiting = deque(at_home)
    while waiting:
        for now in before.get(waiting.popleft(), ()):
            if now not in at_home:
                at_home.add(now)
                waiting.append(now)
    return [now for now in graph if now not in at_home and not now.is_over]
