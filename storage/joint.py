"""How a compacted journal is joined to the one before it.

The last group that a compaction writes, a note, says of which journals the new one is
what lived: the number and the checksum of their last groups. Whoever has read the
newest of them to its end knows all that the new one has until there.
"""

from __future__ import annotations

import msgspec

from storage import groups
from storage.documents import OWN
from storage.groups import Change, Group
from storage.known_types import known

End = list[int | str]
"""Number and body's checksum of a journal's last group."""
ENDS = "ends"
"""Under which key of its own table a journal says so."""
LOOKED_AT = 1 << 18
"""Bytes at a file's end in which the joint is looked for."""
_KEPT = 100
_NOTE = b'P\t"%s"\t"%s"\t' % (OWN.encode(), ENDS.encode())


def ends(raw: bytes | None) -> list[End]:
    """Return the ends that a note has, the oldest first."""
    return msgspec.json.decode(raw, type=known(list[End])) if raw else []


def noted(known: list[End], end: End) -> Change:
    """Return the note with one end more."""
    return Change(OWN, ENDS, msgspec.json.encode([*known, end][-_KEPT:]))


def found(data: bytes, base: int) -> tuple[Group, Change] | None:
    """Return the last group that is a note, and the note; `data` begins at `base`."""
    note = data.rfind(_NOTE)
    head = data.rfind(b"\n", 0, max(note - 1, 0)) + 1
    try:
        group = next(groups.read(data[head:], base + head, None, 0))
        (change,) = group.changes
    except (groups.Torn, StopIteration, ValueError):
        return None
    return (group, change) if change[:2] == (OWN, ENDS) else None
