"""Credentials as a list: found by what is typed, or waiting for somebody.

Rows are values without any secret. A list is read in the order of its holders; by
another column its first `EXAMINED` are put in order.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import time
from collections.abc import Callable, Iterator

from kiosk.authority.office.desk import Desk
from kiosk.authority.office.list_values import (
    Listed,
    Rows,
    SortedBy,
    Visited,
    Wanted,
    Worklist,
)
from kiosk.authority.office.operators import Action, require
from kiosk.authority.office.tally import Tally, waits_in
from statemachine.lifecycle import State
from storage import walk
from storage.errors import EvidenceDamaged, EvidenceMissing, RecordMissing
from storage.records import Credential, Sync
from storage.registry import Registry
from storage.view import IN_USE, ByExpiry, ByHolder, View, fold

EXAMINED = 20_000
"""Credentials that are looked at for one list."""
_PAGE = 200
_RARE = 2_000
"""Credentials in a state up to which a search goes through that state."""
_EVENTS = 1_000
_NEWEST = 8
"""Events among which a visit is looked for: no visit has more."""
_NEVER = 0.0


def look(desk: Desk, wanted: Wanted, *, expiring_days: int) -> Rows:
    """Return credentials. NotInRole."""
    require(desk.operator, Action.LOOK)
    registry, now = desk.parts.registry, desk.parts.clock.now()
    matching = _matching(registry, wanted, now, now + expiring_days * 86_400.0)
    found = _in_order(registry, matching, wanted)
    return Rows(
        rows=tuple(_listed(registry, each) for each in found[: wanted.most]),
        has_more=len(found) > wanted.most,
    )


def make_ready(registry: Registry) -> None:
    """Have the registry make what it reads lists from. RegistryError."""
    registry.read(lambda view: view.credentials(limit=1))


def meant(desk: Desk, term: str) -> str:
    """Return the one credential's id that a whole number, card or id means; empty:
    it is none of these. NotInRole.
    """
    require(desk.operator, Action.LOOK)
    return desk.parts.registry.read(lambda view: _meant(view, term.strip()))


def counts(desk: Desk, tally: Tally, *, expiring_days: int) -> dict[Worklist, int]:
    """Count what waits; what needs a walk through all, as far as it is known.

    NotInRole.
    """
    require(desk.operator, Action.LOOK)
    now = desk.parts.clock.now()
    until = now + expiring_days * 86_400.0
    quick = desk.parts.registry.read(
        lambda view: {
            Worklist.OUT_OF_STEP: view.count(sync=Sync.OUT_OF_STEP)
            - view.count(sync=Sync.OUT_OF_STEP, state=State.RETIRED),
            Worklist.BLOCKED_TODAY: len(_blocked_since(view, midnight(now))),
            Worklist.SUSPENDED: view.count(state=State.SUSPENDED),
            Worklist.EXPIRING: len(view.expiring_before(until, limit=_EVENTS)),
        }
    )
    return {**quick, **tally.counts()}


def visits(desk: Desk, id: str, *, most: int) -> tuple[Visited, ...]:
    """Return a credential's last visits, the newest first. NotInRole."""
    require(desk.operator, Action.LOOK)
    return desk.parts.registry.read(lambda view: tuple(_visits(view, id, most)))


def midnight(now: float) -> float:
    """Return when the local day of `now` began; clocks may have changed since."""
    day = time.localtime(now)
    return time.mktime((day.tm_year, day.tm_mon, day.tm_mday, 0, 0, 0, 0, 0, -1))


# --- which --------------------------------------------------------------------


def _matching(
    registry: Registry, wanted: Wanted, now: float, until: float
) -> Iterator[Credential]:
    if wanted.worklist is None:
        found = _found(registry, wanted)
    else:
        found = _waiting(registry, wanted.worklist, now, until)
    return (each for each in found if wanted.state in (None, each.state))


def _found(registry: Registry, wanted: Wanted) -> Iterator[Credential]:
    """Yield what has every word in a name, those in use first."""
    words = sorted(fold(wanted.term).split(), key=len, reverse=True)
    if not words:
        return
    state = wanted.state
    if state is not None and registry.read(lambda it: it.count(state=state)) <= _RARE:
        of_state = walk.credentials(registry, state=state)
        yield from (each for each in of_state if _has(each, words))
        return
    first = words[0] if len(words) > 1 else wanted.term.strip()
    for retired in (False, True):
        for each in _walk(registry, first, retired=retired):
            if len(words) == 1 or _has(each, words):
                yield each


def _walk(registry: Registry, term: str, *, retired: bool) -> Iterator[Credential]:
    after: ByHolder | None = None
    while True:
        page = registry.read(
            lambda view, after=after: view.find(  # type: ignore[misc]  # mypy cannot infer a lambda's default
                term, retired=retired, limit=_PAGE, after=after
            )
        )
        yield from page
        if len(page) < _PAGE:
            return
        after = ByHolder.of(page[-1])


def _has(credential: Credential, words: list[str]) -> bool:
    names = fold(f"{credential.holder} {credential.account} {credential.card}")
    return all(word in names for word in words)


def _waiting(
    registry: Registry, worklist: Worklist, now: float, until: float
) -> Iterator[Credential]:
    """Yield what waits for somebody; a retired card waits for nobody."""
    match worklist:
        case Worklist.OUT_OF_STEP:
            found = walk.credentials(registry, sync=Sync.OUT_OF_STEP)
            return (each for each in found if each.state is not State.RETIRED)
        case Worklist.SUSPENDED:
            return walk.credentials(registry, state=State.SUSPENDED)
        case Worklist.BLOCKED_TODAY:
            since = midnight(now)
            return iter(registry.read(lambda view: _blocked_since(view, since)))
        case Worklist.EXPIRING:
            return _expiring(registry, until)
        case Worklist.ROTATION_DUE | Worklist.KEYLESS:
            return _in_use(registry, lambda each: worklist in waits_in(each))


def _blocked_since(view: View, since: float) -> list[Credential]:
    """Return what was blocked since then and is so still, the first first."""
    events = view.events(kind="lifecycle.pin_blocked", since=since, limit=_EVENTS)
    ids = dict.fromkeys(event.credential for event in events)
    found = [view.credential(each) for each in ids]
    return [each for each in found if each.state is State.BLOCKED]


def _expiring(registry: Registry, until: float) -> Iterator[Credential]:
    after: ByExpiry | None = None
    while True:
        page = registry.read(
            lambda view, after=after: view.expiring_before(  # type: ignore[misc]  # mypy cannot infer a lambda's default
                until, limit=_PAGE, after=after
            )
        )
        yield from page
        if len(page) < _PAGE:
            return
        after = ByExpiry.of(page[-1])


def _in_use(
    registry: Registry, is_one: Callable[[Credential], bool]
) -> Iterator[Credential]:
    for state in (*IN_USE, State.SUSPENDED):
        yield from filter(is_one, walk.credentials(registry, state=state))


def _meant(view: View, term: str) -> str:
    operation = view.operation_by_event(term) if term else None
    if operation is not None:
        return operation.credential
    try:
        return view.credential(term).id
    except RecordMissing:
        pass  # a card, or a name
    card = view.credential_by_card(term)
    return card.id if card is not None else ""


# --- in which order -----------------------------------------------------------


def _in_order(
    registry: Registry, matching: Iterator[Credential], wanted: Wanted
) -> list[Credential]:
    """Return one more than wanted, if there are so many."""
    most = wanted.most + 1
    is_by_holder = wanted.sorted_by is SortedBy.NAME and not wanted.is_descending
    if is_by_holder and wanted.worklist is None:
        return list(itertools.islice(matching, most))
    examined = itertools.islice(matching, EXAMINED)
    pick = heapq.nlargest if wanted.is_descending else heapq.nsmallest
    return pick(most, examined, key=_order(registry, wanted.sorted_by))


def _order(
    registry: Registry, sorted_by: SortedBy
) -> Callable[[Credential], tuple[str, str]]:
    states, syncs = list(State), list(Sync)

    def order(each: Credential) -> tuple[str, str]:
        match sorted_by:
            case SortedBy.ACCOUNT:
                first = fold(each.account)
            case SortedBy.STATE:
                first = f"{states.index(each.state)}"
            case SortedBy.PASSWORD:
                first = f"{syncs.index(each.sync)}"
            case SortedBy.CARD:
                first = each.card
            case SortedBy.LAST:
                last = _last(registry, each.id)
                first = _by_time(_NEVER if last is None else last.at)
            case SortedBy.EXPIRES:
                first = _by_time(each.expires_at or _NEVER)
            case SortedBy.NAME:
                first = fold(each.holder)
        return first, fold(each.holder) + each.id

    return order


def _by_time(at: float) -> str:
    return f"{at:020.3f}"


# --- what is shown of each ------------------------------------------------------


def _listed(registry: Registry, credential: Credential) -> Listed:
    return Listed(
        id=credential.id,
        holder=credential.holder,
        account=credential.account,
        card=credential.card,
        state=credential.state,
        sync=credential.sync,
        sync_reason=credential.sync_reason,
        template=credential.template,
        template_version=credential.template_version,
        issued_at=credential.issued_at,
        expires_at=credential.expires_at,
        last=_last(registry, credential.id),
    )


def _last(registry: Registry, id: str) -> Visited | None:
    return registry.read(lambda view: next(iter(_visits(view, id, 1)), None))


def _visits(view: View, id: str, most: int) -> Iterator[Visited]:
    """Yield what the newest events of a credential are about, as far as can be seen:
    the page of its evidence says what cannot.
    """
    newest = view.events(
        credential=id, newest_first=True, limit=_NEWEST * most, missing=[]
    )
    numbers = dict.fromkeys(event.operation for event in newest if event.operation)
    for number in itertools.islice(numbers, most):
        with contextlib.suppress(EvidenceMissing, EvidenceDamaged):
            yield visited(view, number)


def visited(view: View, operation: str) -> Visited:
    """Return how an operation stands. RecordMissing."""
    done = view.operation(operation)
    return Visited(
        event=done.event,
        kind=done.kind,
        phase=done.phase,
        reason=done.reason,
        station=done.station,
        at=done.ended_at or done.moved_at or done.started_at,
    )
