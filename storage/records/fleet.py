"""Records of a fleet: its stations, their tokens, keys to seal to."""

from __future__ import annotations

from enum import StrEnum

from storage.records.record import Record


class StationStanding(StrEnum):
    """Whether a station is heard."""

    ACTIVE = "active"
    REVOKED = "revoked"


class StationRecord(Record, frozen=True, kw_only=True):
    """A station of the fleet, by the key that signs for it."""

    id: str
    """What it signs as, and its name in operations and evidence. Never changed."""
    name: str
    """What people call it."""
    role: str
    """Who stands there: `kiosk.config.sections.station.StationRole`."""
    algorithm: str
    public_key: bytes
    state: StationStanding = StationStanding.ACTIVE
    enrolled_at: float
    enrolled_by: str
    """The operator who gave it its token."""
    last_seen: float = 0.0
    """To the minute; 0: never."""
    program: str = ""
    """The version of the program that runs there, as it says itself."""
    version: int = 0


class EnrollmentToken(Record, frozen=True, kw_only=True):
    """What lets one station enrol, once. The token itself is never stored."""

    id: str
    """A keyed digest of the token, hex."""
    station: str
    role: str
    issued_by: str
    issued_at: float
    expires_at: float
    used_by: bytes = b""
    """SHA-256 of the public key that was enrolled with it; empty: it is not used."""
    void: bool = False
    """The registry was put back since, and it may have been used; or its station was
    enrolled by another one, or revoked."""
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Neither used nor void; it may have expired."""
        return not self.used_by and not self.void


class Slip(Record, frozen=True, kw_only=True):
    """What is kept beside a record and may be lost or replaced at any time.

    What stands on it is of whoever keeps it: a program of another version may find
    more, or less, than it knows.
    """

    kind: str
    of: str
    """Whose it is: the id of a station, the identity key of a card."""
    name: str = ""
    """Which one, where there may be several."""
    text: str


class Frequency(Record, frozen=True, kw_only=True):
    """How often something happened lately. What it was is in the id."""

    id: str
    count: int
    since: float
    """When the first of these was."""
    at: float
    """When the last one was."""

    def is_over(self, now: float, *, within: float, idle: float | None) -> bool:
        """Say whether the next one begins anew: see `registry.Tx.add_one`."""
        rested = idle is not None and abs(now - self.at) > idle
        return rested or abs(now - self.since) > within


def one_more(
    found: Frequency | None, id: str, now: float, within: float, idle: float | None
) -> Frequency:
    """Return a frequency with one more: see `registry.Tx.add_one`."""
    if found is None or found.is_over(now, within=within, idle=idle):
        return Frequency(id=id, count=1, since=now, at=now)
    return Frequency(id=id, count=found.count + 1, since=found.since, at=now)


class SealingKeyRecord(Record, frozen=True, kw_only=True):
    """A key of the authority to which stations seal what people typed."""

    id: str
    public: bytes
    """X25519, raw (32 bytes)."""
    private_sealed: str
    made_at: float
