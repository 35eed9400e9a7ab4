"""The fleet as an administrator sees it: tokens, stations, and their end."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import msgspec
from msgspec.structs import replace

from kiosk.authority.office.desk import Desk, drafted
from kiosk.authority.office.operators import Action, require
from kiosk.authority.stations.standing import REPORTS, SeenStation, all_seen, seen
from kiosk.authority.stations.tokens import (
    TOKEN_BYTES,
    TOKEN_SECONDS,
    token_id,
    void_open,
)
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from storage.errors import RecordMissing
from storage.records import EnrollmentToken, StationRecord, StationStanding
from storage.registry import Tx
from storage.view import View

_GROUP = 4
"""Letters of a token that stand together: it is read and typed by people."""


class StationNotEnrolled(KioskError):
    """No station has this id: `station`."""

    code = "station.no_such"


class GivenToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token, shown once; the caller wipes it."""

    token: Secret
    expires_at: float


def give_token(desk: Desk, station: str, role: str) -> GivenToken:
    """Return a token by which that station may enroll, once. NotInRole."""
    require(desk.operator, Action.STATIONS)
    parts = desk.parts
    plain = parts.entropy.bytes(TOKEN_BYTES).hex()
    groups = (plain[at : at + _GROUP] for at in range(0, len(plain), _GROUP))
    now = parts.clock.now()
    record = EnrollmentToken(
        id=token_id(parts.vault, plain.encode()),
        station=station,
        role=role,
        issued_by=desk.operator.account,
        issued_at=now,
        expires_at=now + TOKEN_SECONDS,
    )
    note = drafted(desk, "station.token_given", "", "", {"of": station, "role": role})

    def commit(tx: Tx) -> None:
        tx.save_token(record)
        note(tx)

    parts.registry.run(commit)
    return GivenToken(
        token=Secret("-".join(groups).encode()), expires_at=record.expires_at
    )


def stations(desk: Desk) -> tuple[SeenStation, ...]:
    """Return every station, by id. NotInRole."""
    require(desk.operator, Action.STATIONS)
    return tuple(all_seen(desk.parts.registry))


def station(desk: Desk, id: str) -> SeenStation:
    """Return one station. NotInRole, StationNotEnrolled."""
    require(desk.operator, Action.STATIONS)

    def look(view: View) -> SeenStation:
        said = view.slips(REPORTS, of=id, limit=1)
        return seen(view.station(id), said[0] if said else None)

    try:
        return desk.parts.registry.read(look)
    except RecordMissing:
        _missing(id)


def revoke(desk: Desk, id: str, reason: str) -> StationRecord:
    """Let a station be heard no more, at once and everywhere.

    It stays so until it is enrolled anew, by a token that is given after.
    NotInRole, StationNotEnrolled.
    """

    def end(tx: Tx, known: StationRecord) -> StationRecord:
        revoked = replace(known, state=StationStanding.REVOKED)
        voided = void_open(tx, id)
        if revoked == known and not voided:
            return known
        data = {"of": id, "state": revoked.state.value, "tokens": str(voided)}
        if reason:
            data["reason"] = reason
        drafted(desk, "station.revoked", "", "", data)(tx)
        return known if revoked == known else tx.save_station(revoked)

    return _changed(desk, id, end)


def rename(desk: Desk, id: str, name: str) -> StationRecord:
    """Call a station something else; its id stays. NotInRole, StationNotEnrolled."""

    def call(tx: Tx, known: StationRecord) -> StationRecord:
        if known.name == name:
            return known
        drafted(desk, "station.renamed", "", "", {"of": id, "name": name})(tx)
        return tx.save_station(replace(known, name=name))

    return _changed(desk, id, call)


def _changed(
    desk: Desk, id: str, change: Callable[[Tx, StationRecord], StationRecord]
) -> StationRecord:
    require(desk.operator, Action.STATIONS)

    def commit(tx: Tx) -> StationRecord | None:
        try:
            known = tx.station(id)
        except RecordMissing:
            return None
        return change(tx, known)

    saved = desk.parts.registry.run(commit)
    if saved is None:
        _missing(id)
    return saved


def _missing(id: str) -> NoReturn:
    raise StationNotEnrolled(station=id)
