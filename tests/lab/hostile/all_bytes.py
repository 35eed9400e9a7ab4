"""`python -m lab.hostile.all_bytes FOLDER SEED`: a history's every byte, as digests.

One JSON object: what the journal's files, each card, the directory and the source of
randomness are like after the history of a seed. Two runs of one seed print the same,
whatever the process, its hash seed, its time zone and the machine's own clock.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from kiosk.core.clock import ManualClock
from kiosk.core.secret import Secret
from lab.hostile.explore import wandered
from lab.quick_hashes import pytest_configure as be_quick
from storage.tinydb_registry import TinyDbRegistry

_PLAIN = (str, bytes, int, float, Enum, type(None))


def flat(value: object, path: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield everything that a value is made of, each with where it is."""
    if isinstance(value, _PLAIN):
        yield path, repr(value).encode()
    elif isinstance(value, bytearray):
        yield path, bytes(value)
    elif isinstance(value, Secret):
        yield path, bytes(value.reveal())
    elif isinstance(value, random.Random):
        yield path, repr(value.getstate()).encode()
    elif hasattr(value, "private_bytes"):
        coded = Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
        yield path, value.private_bytes(*coded)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from flat(each, f"{path}[{key!r}]")
    elif isinstance(value, (set, frozenset)):
        yield path, repr(sorted(map(repr, value))).encode()
    elif isinstance(value, (list, tuple)):
        for number, each in enumerate(value):
            yield from flat(each, f"{path}[{number}]")
    elif not callable(value) and not isinstance(value, ManualClock):
        for name, each in _fields(value):
            yield from flat(each, f"{path}.{name}")


def _fields(value: object) -> Iterator[tuple[str, Any]]:
    names = [name for kind in type(value).__mro__ for name in _slots(kind)]
    for name in dict.fromkeys([*names, *getattr(value, "__dict__", {})]):
        if hasattr(value, name):
            yield name, getattr(value, name)


def _slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def digest(value: object) -> str:
    """Return SHA-256 of everything in a value."""
    whole = hashlib.sha256()
    for path, data in flat(value):
        whole.update(path.encode() + b"\0" + data + b"\0")
    return whole.hexdigest()


def main(folder: Path, seed: int) -> dict[str, str]:
    """Let the history happen on a journal in `folder`; return the digests."""
    logging.disable()
    be_quick()
    town = wandered(seed, TinyDbRegistry(folder / "registry.journal"))
    told = {
        f"card of {each.name}": digest(each.holder.made.card) for each in town.people
    }
    told["directory"] = digest(town.domain._state)
    told["randomness"] = digest(town.world.entropy)
    told["story"] = digest(town.points.story)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = f"file {path.relative_to(folder)}"
            told[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return told


if __name__ == "__main__":
    json.dump(main(Path(sys.argv[1]), int(sys.argv[2])), sys.stdout, indent=1)
