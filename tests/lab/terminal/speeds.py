"""The same keys at another speed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from lab.matrix.visitor import Visitor

Pieces = Callable[[bytes], Iterator[bytes]]
_LONGEST = 9


def one_by_one(data: bytes) -> Iterator[bytes]:
    """Key by key; an escape sequence is one key."""
    while data:
        size = 1
        if data[:1] == b"\x1b":
            size = 3 if data[1:2] == b"O" else len(data)
        yield data[:size]
        data = data[size:]


def in_pieces(seed: int) -> Pieces:
    """Cut somewhere: otherwise for each seed, always the same for one."""

    def cut(data: bytes) -> Iterator[bytes]:
        chance = random.Random(seed)
        while data:
            size = chance.randint(1, _LONGEST)
            yield data[:size]
            data = data[size:]

    return cut


def send(visitor: Visitor, pieces: Iterator[bytes]) -> None:
    """Each piece is handled before the next one comes."""
    for piece in pieces:
        visitor.type(piece)
