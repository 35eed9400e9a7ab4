"""Records of the evidence: what happened, and its place in a chain."""

from __future__ import annotations

import msgspec

from storage.records.record import Record


class AuditDraft(Record, gc=False, frozen=True, kw_only=True):
    """What happened, before it has its place in the chain."""

    at: float
    station: str
    kind: str
    """Event name, e.g. `lifecycle.activate`, `operation.refused`."""
    actor: str
    """Who: `holder`, `card`, or an operator's account."""
    credential: str = ""
    operation: str = ""
    result: str = ""
    """Catalogue key or short code."""
    data: dict[str, str] = {}  # noqa: RUF012 - msgspec copies it


class AuditEvent(AuditDraft, gc=False, frozen=True, kw_only=True):
    """A link of one chain."""

    chain: str | msgspec.UnsetType = msgspec.UNSET
    """Which one. Not there at all: its station's, as where each station has its own."""
    seq: int
    previous: str
    """Hash of the link before, hex SHA-256; 64 zeros for the first."""
    hash: str
    """SHA-256 over the canonical JSON of everything else, hex."""

    @property
    def lane(self) -> str:
        """The chain that this is a link of."""
        return self.station if self.chain is msgspec.UNSET else self.chain
