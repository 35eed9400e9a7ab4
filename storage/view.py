"""What can be read of a registry: by key, or as a list with a limit and a position.

No list is without a limit, and none is gone on with by counting: the last element's
position (`ByHolder.of(…)`) is where the next page begins, so that a page costs the
same wherever it is and nothing is shown twice when something comes in between.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from statemachine.lifecycle import State
from storage.audit import Head
from storage.records import (
    Approval,
    AuditEvent,
    Credential,
    EnrollmentToken,
    Frequency,
    Operation,
    Repeat,
    SealingKeyRecord,
    Slip,
    StationRecord,
    Sync,
    Template,
)

if TYPE_CHECKING:  # the port's errors; the port is made of this
    from storage.errors import EvidenceDamaged, EvidenceMissing

IN_USE = (State.ISSUED, State.ACTIVE, State.BLOCKED)
"""What somebody may open a door with soon, if not now."""
CARD_PART = 4
"""Characters from which on a term may be a part of a card's identity key."""


_PLAIN: dict[int, str | None] = {
    **dict.fromkeys((*range(32), 127), " "),
    **{ord(mark): None for mark in map(chr, range(0x300, 0x370))},
    **{ord(letter): plain for letter, plain in zip("øłđħıŧ", "oldhit", strict=True)},
    ord("æ"): "ae",
    ord("œ"): "oe",
    ord("þ"): "th",
    ord("ð"): "d",
}
"""Controls, accents that stand by themselves, letters that cannot be taken apart."""


def fold(text: str) -> str:
    """Return a name as it is ordered and searched by, however it was typed.

    Capitals and accents do not count: `Müller`, `muller` and `MÜLLER` are one. Control
    characters, which no name has, become blanks.
    """
    if text.isascii() and text.isprintable():
        return text.lower()
    apart = unicodedata.normalize("NFD", text.casefold()).translate(_PLAIN)
    return unicodedata.normalize("NFC", apart)


class ByHolder(NamedTuple):
    """A credential's place in the lists by holder."""

    holder: str
    id: str

    @classmethod
    def of(cls, credential: Credential) -> Self:
        return cls(fold(credential.holder), credential.id)


class ByExpiry(NamedTuple):
    """A credential's place in the list by expiry."""

    expires_at: float
    id: str

    @classmethod
    def of(cls, credential: Credential) -> Self:
        return cls(credential.expires_at or 0.0, credential.id)


class ByStart(NamedTuple):
    """An operation's place among those of its credential."""

    started_at: float
    id: str

    @classmethod
    def of(cls, operation: Operation) -> Self:
        return cls(operation.started_at, operation.id)


class ByTime(NamedTuple):
    """An event's place among all events."""

    at: float
    lane: str
    seq: int

    @classmethod
    def of(cls, event: AuditEvent) -> Self:
        return cls(event.at, event.lane, event.seq)


class View(Protocol):
    """One moment of a registry. Valid only inside the function it was given to."""

    # --- credentials ----------------------------------------------------------

    def credential(self, id: str) -> Credential:
        """Return one credential; RecordMissing."""

    def credential_by_card(self, card: str) -> Credential | None:
        """Return the credential of a card's identity key that is not retired."""

    def by_key_digest(self, digest: bytes, *, limit: int) -> list[Credential]:
        """Return those that are not retired with an authentication key of this
        SHA-256 (of its SubjectPublicKeyInfo), by holder then id.
        """

    def credentials(
        self,
        *,
        card: str | None = None,
        account_guid: str | None = None,
        state: State | None = None,
        sync: Sync | None = None,
        template: str | None = None,
        limit: int,
        after: ByHolder | None = None,
    ) -> list[Credential]:
        """Return credentials that match all that is given, by holder then id."""

    def find(
        self,
        term: str,
        *,
        retired: bool | None = None,
        limit: int,
        after: ByHolder | None = None,
    ) -> list[Credential]:
        """Return credentials by a part of holder, account or (from `CARD_PART`
        characters on) card, or by the whole event number of an operation of theirs.

        Capitals and accents do not matter (`fold`). An empty term finds nothing. By
        holder then id.
        """

    def named(self, name: str, *, limit: int) -> list[Credential]:
        """Return those whose card, account or holder is just that, folded."""

    def expiring_before(
        self, until: float, *, limit: int, after: ByExpiry | None = None
    ) -> list[Credential]:
        """Return those `IN_USE` that expire by then, the next to expire first."""

    def count(
        self,
        *,
        state: State | None = None,
        sync: Sync | None = None,
        template: str | None = None,
    ) -> int:
        """Count credentials that match all that is given, without reading them."""

    # --- templates ------------------------------------------------------------

    def template(self, name: str, version: int | None = None) -> Template:
        """Return that or the newest version; RecordMissing."""

    def templates(self, *, limit: int, after: str = "") -> list[Template]:
        """Return the newest version of each template, by name."""

    # --- operations -----------------------------------------------------------

    def operation(self, id: str) -> Operation:
        """Return one operation; RecordMissing."""

    def operation_by_event(self, event: str) -> Operation | None:
        """Return the operation with that event number."""

    def operations(
        self,
        credential: str,
        *,
        since: float = 0.0,
        limit: int,
        after: ByStart | None = None,
    ) -> list[Operation]:
        """Return a credential's operations that began at `since` or later, oldest
        first.
        """

    def unsure_writes(self, credential: str, *, since: float) -> int:
        """Count its operations that began at `since` or later and have written, or
        not: nobody knows (`Operation.is_unsure`). A visit asks: no file is needed.
        """

    def live_operations(self, credential: str) -> list[Operation]:
        """Return those of its operations that have not ended: none, or one."""

    def unfinished(self) -> int:
        """Count the operations that have not ended."""

    # --- approvals, repeats -----------------------------------------------------

    def approval(self, id: str) -> Approval:
        """Return one approval; RecordMissing."""

    def approvals(
        self, credential: str, *, open_at: float | None = None, limit: int
    ) -> list[Approval]:
        """Return a credential's approvals, newest first.

        `open_at`: only those neither spent nor expired then.
        """

    def repeat(self, station: str, key: str) -> Repeat | None:
        """Return what a call of that station with that key was answered."""

    # --- a fleet --------------------------------------------------------------

    def station(self, id: str) -> StationRecord:
        """Return one station; RecordMissing."""

    def stations(self, *, limit: int, after: str = "") -> list[StationRecord]:
        """Return stations by id."""

    def slips(
        self, kind: str, *, of: str | None = None, limit: int, after: str = ""
    ) -> list[Slip]:
        """Return slips of a kind, by whose they are and by name; `of`: one's alone.

        `after`: behind all that are of that one.
        """

    def token(self, id: str) -> EnrollmentToken:
        """Return one token; RecordMissing."""

    def open_tokens(self, *, limit: int, after: str = "") -> list[EnrollmentToken]:
        """Return tokens neither used nor void, by id; they may have expired."""

    def frequency(self, id: str) -> Frequency | None:
        """Return how often something has happened; None: not lately."""

    def sealing_key(self, id: str) -> SealingKeyRecord:
        """Return one key; RecordMissing."""

    def newest_sealing_key(self) -> SealingKeyRecord | None:
        """Return the key that was made last."""

    # --- evidence -------------------------------------------------------------

    def heads(self) -> dict[str, Head]:
        """Return the last link of every chain, by its name."""

    def last_event(self, lane: str) -> AuditEvent | None:
        """Return the event that is the last link of a chain, whatever its time; None:
        it has none. EvidenceMissing, EvidenceDamaged.
        """

    def events(
        self,
        *,
        credential: str | None = None,
        operation: str | None = None,
        kind: str | None = None,
        station: str | None = None,
        since: float | None = None,
        until: float | None = None,
        newest_first: bool = False,
        limit: int,
        after: ByTime | None = None,
        missing: list[EvidenceMissing | EvidenceDamaged] | None = None,
    ) -> list[AuditEvent]:
        """Return events that match all that is given, by `ByTime`, either way round.

        `since` is included, `until` is not; `after` is the last one of the page
        before, in the same direction. `missing` takes what sealed evidence could not
        be read, and the rest is returned: for who shows it, and says what is missing.
        Silent, for who decides by it: EvidenceMissing, EvidenceDamaged.
        """
