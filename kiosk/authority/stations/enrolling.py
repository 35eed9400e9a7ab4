"""How a station becomes one of the fleet: once, by the token that it was given.

The station makes its key, signs with it, and sends its public part with the token: who
has no private key enrolls nothing. A token is for one station and one role, works once,
and only for a while. An answer that was lost may be asked for again with the same key;
the same token with another key is refused. Enrolling anew replaces the key on record.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec
from msgspec.structs import replace

from kiosk.authority.errors import (
    NotUnderstood,
    TokenExpired,
    TokenForAnother,
    TokenRefused,
)
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.stations.enroll_call import EnrollCall, Enrolled
from kiosk.authority.stations.request import HttpRequest
from kiosk.authority.stations.signing import verify
from kiosk.authority.stations.standing import REPORTS
from kiosk.authority.stations.tokens import token_id, void_open
from storage.errors import RecordMissing
from storage.known_types import known
from storage.records import AuditDraft, EnrollmentToken, StationRecord, StationStanding
from storage.registry import Tx


def enroll(parts: RequiredPorts, request: HttpRequest) -> bytes:
    """Enroll the station that has signed `request`; return what it hears (JSON).

    A worker's thread. NotUnderstood, StationKeyUnusable, TokenRefused, TokenExpired,
    TokenForAnother; as `signing.verify`; RegistryError.
    """
    try:
        asked = msgspec.json.decode(request.body, type=known(EnrollCall))
    except msgspec.DecodeError:
        raise NotUnderstood from None
    key = asked.key()
    station = verify(request, lambda _: key, parts.clock).station
    token = token_id(parts.vault, asked.token.encode())
    outcome = parts.registry.run(lambda tx: _enrolled(tx, parts, token, asked, station))
    if isinstance(outcome, Enrolled):
        return msgspec.json.encode(outcome)
    raise outcome


_No = TokenRefused | TokenExpired | TokenForAnother


def _enrolled(
    tx: Tx, parts: RequiredPorts, token: str, asked: EnrollCall, station: str
) -> Enrolled | _No:
    try:
        given = tx.token(token)
    except RecordMissing:
        return TokenRefused()  # whoever guesses fills no evidence
    key_digest = hashlib.sha256(asked.public_key).digest()
    refusal = _refusal(given, asked, station, key_digest, parts.clock.now())
    if refusal is not None:
        tx.audit(_draft(parts, given, "station.enrollment_refused", refusal.code))
        return refusal
    if given.used_by:
        return _again(tx, station, asked)
    known = _known(tx, station)
    saved = tx.save_station(
        StationRecord(
            id=station,
            name=known.name if known else station,
            role=given.role,
            algorithm=asked.algorithm,
            public_key=asked.public_key,
            enrolled_at=parts.clock.now(),
            enrolled_by=given.issued_by,
            version=known.version if known else 0,
        )
    )
    tx.save_token(replace(given, used_by=key_digest))
    void_open(tx, station)  # whoever finds one that was mislaid has no hour with it
    tx.forget_slips(REPORTS, station)
    data = {"key": key_digest.hex(), "again": "yes" if known else "no"}
    tx.audit(_draft(parts, given, "station.enrolled", "", data))
    return _heard(saved)


def _refusal(
    given: EnrollmentToken,
    asked: EnrollCall,
    station: str,
    key_digest: bytes,
    now: float,
) -> _No | None:
    if (given.station, given.role) != (station, asked.role):
        return TokenForAnother(station=given.station, role=given.role)
    if given.used_by:
        is_same = hmac.compare_digest(given.used_by, key_digest)
        return None if is_same else TokenRefused()
    if given.void:
        return TokenRefused()
    return TokenExpired() if given.expires_at <= now else None


def _again(tx: Tx, station: str, asked: EnrollCall) -> Enrolled | _No:
    """Say again what was answered, while it is still true."""
    known = _known(tx, station)
    if (
        known is None
        or known.state is not StationStanding.ACTIVE
        or known.public_key != asked.public_key
    ):
        return TokenRefused()
    return _heard(known)


def _known(tx: Tx, station: str) -> StationRecord | None:
    try:
        return tx.station(station)
    except RecordMissing:
        return None


def _heard(station: StationRecord) -> Enrolled:
    return Enrolled(station=station.id, name=station.name, role=station.role)


def _draft(
    parts: RequiredPorts,
    given: EnrollmentToken,
    kind: str,
    result: str,
    data: dict[str, str] | None = None,
) -> AuditDraft:
    return AuditDraft(
        at=parts.clock.now(),
        station=given.station,
        kind=kind,
        actor="station",
        result=result,
        data={"role": given.role, "token_by": given.issued_by, **(data or {})},
    )
