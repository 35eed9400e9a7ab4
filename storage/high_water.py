"""How far a registry had come when this station last saw it: the high-water mark.

A registry that somebody puts back from a copy looks sound, and has forgotten which
nonces and codes were used. The mark is kept in a file of its own (0600), so that the
older registry is recognised when it is opened. Whoever puts the mark back as well, as
a snapshot of the whole machine does, is not: keep it on another disk against that.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from storage import canonical
from storage.audit import Head

log = logging.getLogger(__name__)


class HighWater(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen."""

    registry: str
    """The registry's id; the mark of another one says nothing."""
    lanes: dict[str, Head]
    covered: int = 0
    """Links that the newest checkpoint covers, of all chains."""
    set_back_at: float = 0.0
    """When an older registry was last found; 0: never."""
    lost: int = 0
    """Links that were missing then."""


class HighWaterMark:
    """The file. Any process of the station may move the mark; it never goes back."""

    def __init__(self, path: Path, registry: str) -> None:
        self._path = path
        self._registry = registry

    def read(self) -> HighWater:
        """Return what was seen last; nothing, if there is no mark of this registry."""
        nothing = HighWater(registry=self._registry, lanes={})
        try:
            mark = msgspec.json.decode(self._path.read_bytes(), type=HighWater)
        except FileNotFoundError:
            return nothing
        except (OSError, msgspec.DecodeError) as error:
            log.warning("high_water.unreadable type=%s", type(error).__name__)
            return nothing
        return mark if mark.registry == self._registry else nothing

    def move(self, lanes: Mapping[str, Head], covered: int) -> None:
        """Move the mark forward to what is durable in the registry. OSError."""
        mark = self.read()
        merged = dict(mark.lanes)
        for lane, head in lanes.items():
            if lane not in merged or merged[lane].seq < head.seq:
                merged[lane] = head
        self._write(
            msgspec.structs.replace(
                mark, lanes=merged, covered=max(covered, mark.covered)
            )
        )

    def set_back(self, lanes: Mapping[str, Head], *, now: float, lost: int) -> None:
        """Put the mark where the older registry is, and remember that. OSError."""
        self._write(
            HighWater(
                registry=self._registry,
                lanes=dict(lanes),
                set_back_at=now,
                lost=lost,
            )
        )

    def restart(self, lanes: Mapping[str, Head]) -> None:
        """Put the mark where a registry is that was restored on purpose. OSError."""
        self._write(HighWater(registry=self._registry, lanes=dict(lanes)))

    def _write(self, mark: HighWater) -> None:
        with _beside(self._path) as temporary:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(canonical.encode(mark))
            temporary.replace(self._path)


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def missing(known: Mapping[str, Head], lanes: Mapping[str, Head]) -> int:
    """Return how many links were seen that are not there; 0: the registry is not older.

    A chain that ends at another link under the same number has lost at least that one.
    """
    lost = 0
    for lane, seen in known.items():
        head = lanes.get(lane)
        if head is None:
            lost += seen.seq
        elif head.seq < seen.seq:
            lost += seen.seq - head.seq
        elif head.seq == seen.seq and head.hash != seen.hash:
            lost += 1
    return lost
