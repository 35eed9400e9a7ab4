"""Going through a whole registry a page at a time: nobody waits, memory stays small.

Each page is a moment of its own, so what is changed meanwhile may come as it was or
as it is; nothing comes twice, and what was there all the time comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from statemachine.lifecycle import State
from storage.audit import Head
from storage.errors import EvidenceDamaged, EvidenceMissing
from storage.records import AuditEvent, Credential, Slip, StationRecord, Sync
from storage.registry import Registry
from storage.view import ByHolder, ByTime

PAGE = 200


def credentials(
    registry: Registry,
    *,
    state: State | None = None,
    sync: Sync | None = None,
    template: str | None = None,
) -> Iterator[Credential]:
    """Yield all credentials that match, by holder then id."""
    after: ByHolder | None = None
    while True:
        page = registry.read(
            lambda view, after=after: view.credentials(  # type: ignore[misc]  # mypy cannot infer a lambda's default
                state=state, sync=sync, template=template, limit=PAGE, after=after
            )
        )
        yield from page
        if len(page) < PAGE:
            return
        after = ByHolder.of(page[-1])


def stations(registry: Registry) -> Iterator[StationRecord]:
    """Yield all stations, by id."""
    after = ""
    while page := registry.read(
        lambda view, after=after: view.stations(limit=PAGE, after=after)  # type: ignore[misc]  # mypy cannot infer a lambda's default
    ):
        yield from page
        after = page[-1].id


def slips(registry: Registry, kind: str) -> Iterator[Slip]:
    """Yield all slips of a kind, by whose they are. One has fewer than a page."""
    after = ""
    while page := registry.read(
        lambda view, after=after: view.slips(kind, limit=PAGE, after=after)  # type: ignore[misc]  # mypy cannot infer a lambda's default
    ):
        last = page[-1].of
        is_last = len(page) < PAGE
        whole = page if is_last else [each for each in page if each.of != last]
        yield from whole
        if is_last:
            return
        after = whole[-1].of


def up_to(
    events: Iterable[AuditEvent], ends: Mapping[str, Head]
) -> Iterator[AuditEvent]:
    """Yield the events of each chain up to its end: as there were at one moment.

    For who reads chain after chain while others go on with them: what a later one has
    may rest on what came behind the end of an earlier.
    """
    last = {lane: head.seq for lane, head in ends.items()}
    for event in events:
        if event.seq <= last.get(event.lane, 0):
            yield event


def events(
    registry: Registry,
    *,
    credential: str | None = None,
    operation: str | None = None,
    kind: str | None = None,
    since: float | None = None,
    newest_first: bool = False,
    missing: list[EvidenceMissing | EvidenceDamaged] | None = None,
) -> Iterator[AuditEvent]:
    """Yield all events that match, by time; errors are those of `View.events`."""
    after: ByTime | None = None
    while True:
        page = registry.read(
            lambda view, after=after: view.events(  # type: ignore[misc]  # mypy cannot infer a lambda's default
                credential=credential,
                operation=operation,
                kind=kind,
                since=since,
                newest_first=newest_first,
                limit=PAGE,
                after=after,
                missing=missing,
            )
        )
        yield from page
        if len(page) < PAGE:
            return
        after = ByTime.of(page[-1])
