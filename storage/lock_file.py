"""Locks of a registry's folder that are taken from outside an open registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import StoreLocked
from storage.fileops import FileOps


@contextmanager
def tried(
    ops: FileOps, lock: Path, seconds: float, *, is_shared: bool = False
) -> Iterator[bool]:
    """Hold a lock; False: somebody else did, for all these seconds. OSError.

    `is_shared`: with others who hold it so.
    """
    handle, _ = ops.open_as_it_may_be(lock)  # to read is enough for a lock
    try:
        if not ops.lock(handle, seconds, is_shared=is_shared):
            yield False
            return
        try:
            yield True
        finally:
            ops.unlock(handle)
    finally:
        ops.close(handle)


@contextmanager
def held(
    ops: FileOps, lock: Path, seconds: float, path: Path, *, is_shared: bool = False
) -> Iterator[None]:
    """Hold a lock of the registry `path`, as `tried` does. StoreLocked, OSError."""
    with tried(ops, lock, seconds, is_shared=is_shared) as is_held:
        if not is_held:
            raise StoreLocked(path=str(path), seconds=int(seconds))
        yield
