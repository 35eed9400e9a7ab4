"""How far a registry had come when this station last saw it: the high-water mark.

A registry that somebody puts back from a copy looks sound, and has forgotten which
nonces and codes were used. The mark is kept in a file of its own (0600), so that the
older registry is recognised when it is opened. Whoever puts the mark back as well, as
a snapshot of the whole machine does, is not: keep it on another disk against that.

Every thread of every process of the station moves it, at each commit. So it is a line
with all of it, and one more line for each move: what is furthest in any of them counts,
and nobody has to know what another one writes. A file that has become long is written
anew, while nobody adds a line.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from storage import canonical
from storage.audit import Head
from storage.fileops import FileOps, opened_or_made
from storage.known_types import known

_LONGEST = 64 * 1024
"""Bytes from which on the file is written anew."""
LOCK_SECONDS = 1.0
"""How long a commit waits for another process at the file: it may stand still there."""
_WRITING = threading.Lock()
"""Held by the thread of this process that writes a file anew."""

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
    """The file. Any thread of any process may move the mark; it never goes back."""

    def __init__(self, path: Path, registry: str) -> None:
        self._path = path
        self._registry = registry
        self._told: dict[str, int] | None = None
        """How far each chain has come by what was written here; None: nothing was."""
        self._covered = 0
        self.is_damaged = False
        """Was there a mark at the last `read`, and could not be read?"""

    @property
    def file(self) -> Path:
        """Where it is."""
        return self._path

    def read(self) -> HighWater:
        """Return what was seen last; nothing, if there is no mark of this registry.

        Nothing also where there is one that nobody can read: see `is_damaged`.
        """
        try:
            seen = self._seen(self._path.read_bytes())
        except FileNotFoundError:
            seen = self._nothing()
        except OSError as error:
            log.error("high_water.unreadable errno=%s", error.errno)
            seen = None
        self.is_damaged = seen is None
        return seen or self._nothing()

    def move(self, lanes: Mapping[str, Head], covered: int) -> None:
        """Move the mark forward to what is durable in the registry. OSError."""
        told = self._told
        further = lanes if told is None else _further(lanes, told)
        if told is None or not self._added(further, covered):
            self._write_anew(lanes, covered)
            told, further = {}, lanes
        self._told = {**told, **{lane: head.seq for lane, head in further.items()}}
        self._covered = max(self._covered, covered)

    def set_back(self, lanes: Mapping[str, Head], *, now: float, lost: int) -> None:
        """Put the mark where the older registry is, and remember that. OSError."""
        self._begin(
            HighWater(
                registry=self._registry,
                lanes=dict(lanes),
                set_back_at=now,
                lost=lost,
            )
        )

    def restart(self, lanes: Mapping[str, Head]) -> None:
        """Put the mark where a registry is that was restored on purpose. OSError."""
        self._begin(HighWater(registry=self._registry, lanes=dict(lanes)))

    # --- inside -----------------------------------------------------------------

    def _seen(self, data: bytes) -> HighWater | None:
        """Read a file; None: it is damaged, without its first line that has all of it.

        One that is empty was only begun.
        """
        if not data:
            return self._nothing()
        first, *added = data.split(b"\n")
        if (whole := _mark(first)) is None:
            return None
        marks = [mark for line in added if line and (mark := _mark(line)) is not None]
        if whole.registry != self._registry:
            return self._nothing()
        ours = (each for each in marks if each.registry == self._registry)
        return _furthest((whole, *ours))

    def _nothing(self) -> HighWater:
        return HighWater(registry=self._registry, lanes={})

    def _begin(self, mark: HighWater) -> None:
        """Write a mark whatever was there. OSError."""
        self._told, self._covered = None, 0
        with _alone(self._path):
            self._write(mark)

    def _write_anew(self, lanes: Mapping[str, Head], covered: int) -> None:
        """Write all of it in one line, with what others have added. OSError."""
        with _alone(self._path):
            seen = HighWater(
                registry=self._registry, lanes=dict(lanes), covered=covered
            )
            there = self._seen(self._path.read_bytes())
            self._write(_furthest((seen if there is None else there, seen)))

    def _added(self, further: Mapping[str, Head], covered: int) -> bool:
        """Add a line; False: the file is not there, or long enough. OSError."""
        if not further and covered <= self._covered:
            return True
        line = canonical.encode(
            HighWater(registry=self._registry, lanes=dict(further), covered=covered)
        )
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        except FileNotFoundError:
            return False
        try:
            _lock(handle, is_shared=True)
            ours = os.fstat(handle)
            if ours.st_size > _LONGEST or not _is_at(self._path, ours):
                return False
            if os.write(handle, b"\n" + line) <= len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(handle)
        return True

    def _write(self, mark: HighWater) -> None:
        with _beside(self._path) as temporary:
            handle = opened_or_made(temporary, os.O_WRONLY | os.O_TRUNC)
            with os.fdopen(handle, "wb") as stream:
                stream.write(canonical.encode(mark))
                stream.flush()
                os.fsync(
                    stream.fileno()
                )  # after a power cut it is this one or the last
            temporary.replace(self._path)


def _mark(line: bytes) -> HighWater | None:
    """Read a line; None: it is not whole."""
    try:
        return msgspec.json.decode(line, type=known(HighWater))
    except msgspec.DecodeError as error:
        log.warning("high_water.unreadable type=%s", type(error).__name__)
        return None


def _furthest(marks: Iterable[HighWater]) -> HighWater:
    """Return the first of them, moved on to where any of them is."""
    first, *others = marks
    lanes, covered = dict(first.lanes), first.covered
    for each in others:
        lanes |= _further(each.lanes, {lane: it.seq for lane, it in lanes.items()})
        covered = max(covered, each.covered)
    return msgspec.structs.replace(first, lanes=lanes, covered=covered)


def _further(lanes: Mapping[str, Head], than: Mapping[str, int]) -> dict[str, Head]:
    """Return the chains that have come further, or are new."""
    return {
        lane: head
        for lane, head in lanes.items()
        if lane not in than or than[lane] < head.seq
    }


def _lock(handle: int, *, is_shared: bool) -> None:
    """Take the file's lock until it is closed. TimeoutError, after which others go on.

    What was not told now is told with the next commit.
    """
    if not FileOps().lock(handle, LOCK_SECONDS, is_shared=is_shared):
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def _is_at(path: Path, opened: os.stat_result) -> bool:
    """Say whether that file is there: another one may have taken its place."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (opened.st_dev, opened.st_ino)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let nobody add a line to the file that is there, or write it anew. OSError."""
    with _WRITING, contextlib.ExitStack() as opened:
        while True:
            handle = opened_or_made(path, os.O_RDWR)
            opened.callback(os.close, handle)
            _lock(handle, is_shared=False)
            if _is_at(path, os.fstat(handle)):
                break
        yield


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
