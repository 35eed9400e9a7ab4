"""An extract: the chains of one station, signed as being no more than that.

Where stations share chains, what others added to those is in it, too: no link can be
left out of a chain. A file that lacks a station looks the same whether somebody asked
for one station or took another one out. So the authority signs which station it gave,
up to which checkpoint, and which single links of other chains it added because that
station's writes need them (the keys they were signed with).

    pin-kiosk/<registry>
    extract of kiosk-1
    2026-11-28T14:09:04Z
    checkpoint 12
    chain _lane-07
    14 <hash of link 14> desk-1
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from storage.records import AuditEvent
from storage.signed_note import MalformedNote, NoteKey, NoteSigner, SignedNote

_OWN_LINES = 4
_OF = "extract of "
_CHAIN = "chain "
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class ExtractLine(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of an extract's file."""

    extract: str
    """The signed note."""
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """What a file is an extract of."""

    key: NoteKey
    station: str
    lanes: frozenset[str]
    """The station's chains: its own, if no other is named."""
    checkpoint: int
    """The newest one when it was made."""
    added: frozenset[tuple[str, int, str]]
    """Chain, number and hash of single links of other chains."""

    def holds(self, event: AuditEvent) -> bool:
        """Say whether a link belongs to the station's chains or was added to them."""
        return (
            event.lane in self.lanes
            or (event.lane, event.seq, event.hash) in self.added
        )

    @classmethod
    def read(cls, line: ExtractLine) -> Extract:
        """Read and verify. MalformedNote, WrongSignature."""
        key = NoteKey.read(line.key)
        note = SignedNote.read(line.extract)
        note.verified_by([key])
        lines = note.text.removesuffix("\n").split("\n")
        if len(lines) < _OWN_LINES or not lines[1].startswith(_OF):
            raise MalformedNote("the extract")
        station, more = lines[1].removeprefix(_OF), lines[_OWN_LINES:]
        lanes = {each.removeprefix(_CHAIN) for each in more if each.startswith(_CHAIN)}
        try:
            return cls(
                key=key,
                station=station,
                lanes=frozenset(lanes or {station}),
                checkpoint=int(lines[3].removeprefix("checkpoint ")),
                added=frozenset(
                    _added(each) for each in more if not each.startswith(_CHAIN)
                ),
            )
        except ValueError as error:
            raise MalformedNote("the extract") from error


def _added(line: str) -> tuple[str, int, str]:
    seq, _, rest = line.partition(" ")
    link, _, lane = rest.partition(" ")
    return lane, int(seq), link


def sign(
    signer: NoteSigner,
    *,
    station: str,
    lanes: Sequence[str],
    now: float,
    checkpoint: int,
    added: Iterable[AuditEvent],
) -> ExtractLine:
    """Return the first line of an extract's file."""
    chains = [] if list(lanes) == [station] else [f"{_CHAIN}{each}" for each in lanes]
    lines = [
        signer.key.name,
        f"{_OF}{station}",
        datetime.fromtimestamp(now, UTC).strftime(_MOMENT),
        f"checkpoint {checkpoint}",
        *chains,
        *(f"{each.seq} {each.hash} {each.lane}" for each in added),
    ]
    note = signer.sign("\n".join(lines) + "\n")
    return ExtractLine(extract=note, key=str(signer.key))
