"""The stations of a fleet: which there are, how they are, and their names and end."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator
from dataclasses import replace

from kiosk.authority.office.operators import Action
from kiosk.authority.stations.standing import SeenStation, is_silent, is_unhealthy
from kiosk.core.errors import Message
from kiosk.core.untrusted_text import visible
from kiosk.desk.context import Context, Move, Plain, done, go, stay
from kiosk.desk.pages.searched import SearchedPage
from kiosk.desk.pages.times import moment
from kiosk.desk.tables import Column, Table, TableRow, Words
from kiosk.desk.views import (
    Choice,
    Emit,
    Filled,
    Page,
    PageField,
    PageLine,
    Style,
)
from storage.records import StationStanding

_READERS = frozenset({"ready", "none", "no_service", "unknown"})
"""What a station's monitor saw last (`report_call.ReaderStanding`)."""
_PARTS = frozenset({"core dumps", "file", "folder", "middleware"})
"""What a station looks at once a minute (`kiosk.doctor.fleet_station`)."""
_COLUMNS = (
    Column("station", Message("desk.column.station"), 14, 2),
    Column("state", Message("desk.column.state"), 11),
    Column("role", Message("desk.column.role"), 12),
    Column("program", Message("desk.column.program"), 9),
    Column("seen", Message("desk.column.seen"), 16),
)


class StationsPage(SearchedPage):
    """Every station, by id; what is typed is looked for in id and name."""

    def show(self, context: Context) -> Page:
        now = context.site.clock.now()
        term = self._look.term.strip().casefold()
        found = [it for it in context.office.stations() if _is_meant(it, term)]
        rows = tuple(_row(each, now) for each in found[: self._look.rows + 1])
        lines = () if rows else (PageLine(Message("desk.station.none")),)
        return self._searched(
            "stations",
            Message("desk.menu.stations"),
            Message("desk.station.term"),
            Table(columns=_COLUMNS, rows=rows),
            lines,
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - quick
        self._look = replace(self._look, at=key)
        return go(StationPage(key))


class StationPage(Plain):
    """One station; it is read anew whenever it is shown."""

    def __init__(self, id: str) -> None:
        self._id = id

    def show(self, context: Context) -> Page:
        station = context.office.station(self._id)
        choices = [Choice("rename", Message("desk.station.rename"))]
        if station.state is StationStanding.ACTIVE:
            choices.append(Choice("revoke", Message("desk.station.revoke")))
        return Page(
            name="station",
            title=Message("desk.station.title", {"station": station.id}),
            lines=tuple(_lines(station, context.site.clock.now())),
            choices=tuple(choices),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - quick
        station = context.office.station(self._id)
        return go(RenamePage(station) if key == "rename" else RevokePage(station))


class RenamePage(Plain):
    """Asks what people call it; what it signs as stays."""

    def __init__(self, station: SeenStation) -> None:
        self._station = station

    def show(self, context: Context) -> Page:
        context.require(Action.STATIONS)
        return Page(
            name="station_rename",
            title=Message("desk.station.title", {"station": self._station.id}),
            lines=(PageLine(Message("desk.station.rename_about")),),
            fields=(
                PageField(
                    name="name",
                    label=Message("desk.column.name"),
                    value=self._station.name,
                    is_needed=True,
                ),
            ),
            action=Message("desk.station.rename"),
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        name = filled.texts["name"].strip()
        if not name:
            return stay(Message("desk.station.name_needed"))
        emit(Message("desk.working"))
        saved = context.office.rename_station(self._station.id, name)
        told: dict[str, str | int] = {"name": saved.id, "as": visible(saved.name)}
        return done(Message("station.renamed", told), back=1)


class RevokePage(Plain):
    """Asks why a station is to be heard no more."""

    def __init__(self, station: SeenStation) -> None:
        self._station = station

    def show(self, context: Context) -> Page:
        context.require(Action.STATIONS)
        return Page(
            name="station_revoke",
            title=Message("desk.station.title", {"station": self._station.id}),
            lines=(PageLine(Message("desk.station.revoke_about"), Style.WARNING),),
            fields=(
                PageField(
                    name="reason", label=Message("desk.field.reason"), is_needed=True
                ),
            ),
            action=Message("desk.station.revoke"),
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        reason = filled.texts["reason"].strip()
        if not reason:
            return stay(Message("desk.reason_needed"))
        emit(Message("desk.working"))
        context.office.revoke_station(self._station.id, reason)
        return done(Message("station.revoked", {"name": self._station.id}), back=1)


def _is_meant(station: SeenStation, term: str) -> bool:
    return term in station.id.casefold() or term in station.name.casefold()


def _row(station: SeenStation, now: float) -> TableRow:
    cells: tuple[Words, ...] = (
        visible(station.id),
        _state(station),
        Message(f"desk.station.role_{station.role.replace('-', '_')}"),
        visible(station.program) or "–",
        _seen(station),
    )
    return TableRow(
        station.id,
        cells,
        needs_somebody=is_silent(station, now) or is_unhealthy(station),
        about=tuple(_lines(station, now)),
    )


def _lines(station: SeenStation, now: float) -> Iterator[PageLine]:
    def line(key: str, words: Words) -> PageLine:
        return PageLine(words, label=Message(f"desk.column.{key}"))

    if is_silent(station, now):
        yield PageLine(Message("desk.station.silent"), Style.WARNING)
    if is_unhealthy(station):
        yield PageLine(Message("desk.station.unhealthy_about"), Style.WARNING)
    yield line("name", visible(station.name))
    yield line("state", _state(station))
    role = station.role.replace("-", "_")
    yield line("role", Message(f"desk.station.role_{role}"))
    yield line("program", visible(station.program) or "–")
    yield line("seen", _seen(station))
    if (told := station.report) is not None:
        yield line("reader", _named(told.reader, "reader", _READERS))
        yield line("middleware", visible(", ".join(told.middleware)) or "–")
        yield line("clock", _clock(told.clock_off))
        yield line("failing", _listed(told.failing))
    yield line("enrolled", moment(station.enrolled_at))
    yield line("enrolled_by", visible(station.enrolled_by))
    key = hashlib.sha256(station.public_key).hexdigest()
    yield line("key", f"{station.algorithm} {key[:16]}…")


def _named(told: str, what: str, known: Container[str]) -> Message | str:
    """Return the words for what a station tells; its own where there are none: it may
    be of a later version.
    """
    if told not in known:
        return visible(told)
    return Message(f"desk.station.{what}_{told.replace(' ', '_')}")


def _listed(parts: tuple[str, ...]) -> Words:
    words: list[Message | str] = []
    for part in parts:
        words += [", "] if words else []
        words.append(_named(part, "part", _PARTS))
    return tuple(words) or "–"


def _clock(off: float) -> Message:
    """Return by how many seconds a station's clock is ahead of the authority's."""
    by = round(off * 10)
    how = "right" if not by else "ahead" if by > 0 else "behind"
    return Message(f"desk.station.clock_{how}", {"by": abs(by)})


def _state(station: SeenStation) -> Message:
    if is_unhealthy(station):
        return Message("desk.station.unhealthy")
    return Message(f"desk.station.{station.state}")


def _seen(station: SeenStation) -> Words:
    return moment(station.last_seen) if station.last_seen else "–"
