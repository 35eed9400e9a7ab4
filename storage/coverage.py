"""What checkpoints cover: kept small, because ten years have a million of them."""

from __future__ import annotations

from array import array
from bisect import bisect_left

from storage.checkpoints import Checkpoint

UNCOVERED = 1 << 62
"""The number of the checkpoint, or of the named link, that is still to come."""


class Coverage:
    """Which links the checkpoints name, and which checkpoint was the first to cover.

    A lane costs 48 bytes for each checkpoint that found it further on.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}

    def add(self, checkpoint: Checkpoint) -> str:
        """Take the next checkpoint; return a lane of which it takes back what one
        before it named, or nothing.
        """
        for lane, known in self._lanes.items():
            head = checkpoint.heads.get(lane)
            if head is None or head.seq < known.seqs[-1]:
                return lane
        for lane, head in checkpoint.heads.items():
            known = self._lanes.setdefault(lane, _Lane())
            if known.named(head.seq) not in ("", head.hash):
                return lane
            if not known.seqs or known.seqs[-1] != head.seq:
                known.seqs.append(head.seq)
                known.numbers.append(checkpoint.number)
                known.hashes += bytes.fromhex(head.hash)
        return ""

    def last(self) -> dict[str, int]:
        """Return the last link that is named of every chain."""
        return {lane: known.seqs[-1] for lane, known in self._lanes.items()}

    def named(self, lane: str, seq: int) -> str | None:
        """Return the hash that a checkpoint names for a link; empty: none names it;
        None: it is behind the last that is named of its chain.
        """
        known = self._lanes.get(lane)
        if known is None or seq > known.seqs[-1]:
            return None
        return known.named(seq)

    def next_named(self, lane: str, seq: int) -> tuple[int, str]:
        """Return the first link from `seq` on that is named, and its hash; none is:
        `UNCOVERED`, and nothing.
        """
        known = self._lanes.get(lane)
        if known is None:
            return UNCOVERED, ""
        at = bisect_left(known.seqs, seq)
        if at == len(known.seqs):
            return UNCOVERED, ""
        return known.seqs[at], known.hash_at(at)

    def __call__(self, lane: str, seq: int) -> int:
        """Return the number of the first checkpoint that covers a link."""
        known = self._lanes.get(lane) or _Lane()
        at = bisect_left(known.seqs, seq)
        return known.numbers[at] if at < len(known.numbers) else UNCOVERED


class _Lane:
    """What checkpoints name of one chain, in their order."""

    __slots__ = ("hashes", "numbers", "seqs")

    def __init__(self) -> None:
        self.seqs, self.numbers = array("q"), array("q")
        self.hashes = bytearray()

    def named(self, seq: int) -> str:
        at = bisect_left(self.seqs, seq)
        if at == len(self.seqs) or self.seqs[at] != seq:
            return ""
        return self.hash_at(at)

    def hash_at(self, at: int) -> str:
        return self.hashes[32 * at : 32 * at + 32].hex()
