"""Numbered checkpoints: signed notes that say where every chain ended.

A chain cannot show that its tail was cut, or that it was there at all. A checkpoint
names the last link of each, and is itself a link of a chain of its own (`LANE`): its
number is its place there, and it names the link before. So whoever holds any one
checkpoint sees whether a file reaches it, with the same links.

    pin-kiosk/<registry>
    checkpoint 12
    2026-11-28T14:09:04Z
    before <hash of the link of checkpoint 11>
    1234 <hash of link 1234> kiosk-1
    88 <hash of link 88> kiosk-2
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from storage.audit import Head
from storage.records import AuditDraft, AuditEvent
from storage.registry import Tx
from storage.signed_note import MalformedNote, NoteKey, NoteSigner, SignedNote

LANE = "_checkpoints"
"""The chain of the checkpoints."""
KIND = "evidence.checkpoint"
_ACTOR = "authority"
_HASH = re.compile(r"[0-9a-f]{64}")
_OWN_LINES = 4
_LONGEST = 1 << 60
"""Links; no chain is longer, and what is kept of one is a number of eight bytes."""
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where every chain of one registry ended."""

    origin: str
    number: int
    at: float
    """Whole seconds."""
    before: str
    """Hash of the link of the checkpoint before."""
    heads: Mapping[str, Head]

    def text(self) -> str:
        """Return what is signed."""
        when = datetime.fromtimestamp(self.at, UTC).strftime(_MOMENT)
        lines = [
            self.origin,
            f"checkpoint {self.number}",
            when,
            f"before {self.before}",
            *(
                f"{end.seq} {end.hash} {lane}"
                for lane, end in sorted(self.heads.items())
            ),
        ]
        return "\n".join(lines) + "\n"

    @classmethod
    def read(cls, text: str) -> Checkpoint:
        """Read what `text` gave. MalformedNote."""
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < _OWN_LINES:
            raise MalformedNote("the checkpoint")
        origin, numbered, when, linked = lines[:_OWN_LINES]
        try:
            heads = dict(_head(line) for line in lines[_OWN_LINES:])
            read = cls(
                origin=origin,
                number=int(numbered.removeprefix("checkpoint ")),
                at=datetime.strptime(when, _MOMENT).replace(tzinfo=UTC).timestamp(),
                before=linked.removeprefix("before "),
                heads=heads,
            )
        except ValueError as error:
            raise MalformedNote("the checkpoint") from error
        if (
            read.text() != text
            or max(read.number, *(head.seq for head in heads.values()), 0) > _LONGEST
        ):
            raise MalformedNote("the checkpoint")
        return read


def _head(line: str) -> tuple[str, Head]:
    seq, _, rest = line.partition(" ")
    link, _, lane = rest.partition(" ")
    if not _HASH.fullmatch(link):
        raise MalformedNote("the checkpoint")
    return lane, Head(int(seq), link)


def covered(heads: Mapping[str, Head]) -> dict[str, Head]:
    """Return the chains that a checkpoint names: all but its own."""
    return {lane: head for lane, head in heads.items() if lane != LANE}


def sign(tx: Tx, signer: NoteSigner, now: float) -> AuditEvent:
    """Append the next checkpoint, over every chain as this transaction leaves it.

    Nobody else signs the next one meanwhile; so the chains are looked at afterwards,
    and no checkpoint names less than the one before.
    """
    last = tx.last(LANE)
    heads = tx.heads()
    checkpoint = Checkpoint(
        origin=signer.key.name,
        number=last.seq + 1,
        at=float(int(now)),
        before=last.hash,
        heads=covered(heads),
    )
    note = signer.sign(checkpoint.text())
    return tx.audit(
        AuditDraft(
            at=now,
            station=LANE,
            kind=KIND,
            actor=_ACTOR,
            data={"note": note, "key": str(signer.key)},
        )
    )


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as it stands in its chain, and the key that it says it is of."""

    checkpoint: Checkpoint
    key: NoteKey

    @classmethod
    def of(cls, event: AuditEvent) -> SignedCheckpoint:
        """Read and verify one link of `LANE`. MalformedNote, WrongSignature.

        Whether that key is one to believe is for the caller to judge.
        """
        key = NoteKey.read(event.data.get("key", ""))
        note = SignedNote.read(event.data.get("note", ""))
        note.verified_by([key])
        read = Checkpoint.read(note.text)
        place = (read.number, read.before, read.origin)
        if place != (event.seq, event.previous, key.name):
            raise MalformedNote("the checkpoint's place")
        return cls(read, key)
