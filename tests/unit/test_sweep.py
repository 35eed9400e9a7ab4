"""What is forgotten when nobody waits: a little at a time, so that nobody has to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lab.registries import nonce

from storage import tinydb_registry
from storage.registry import NONCES_KEPT_SECONDS
from storage.tinydb_registry import TinyDbRegistry

MANY = 8
LATER = 100.0 + NONCES_KEPT_SECONDS


def test_many_are_forgotten_in_several_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tinydb_registry, "_SWEPT", 3)
    path = tmp_path / "registry.journal"
    registry = TinyDbRegistry(path)
    for number in range(MANY):
        one = nonce(bytes([number]) * 32)
        registry.run(lambda tx, one=one: tx.issue_nonce(one))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    before = path.read_bytes()
    turns = 1
    while registry.idle(LATER):
        turns += 1
    assert turns == 3
    added = path.read_bytes().removeprefix(before)
    counts = re.findall(rb"^G [0-9]+ ([0-9]+) ", added, re.MULTILINE)
    assert counts == [b"3", b"3", b"2"]
    assert registry.run(lambda tx: tx.drop_nonces()) == 0
    registry.close()
