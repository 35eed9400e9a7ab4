"""`kiosk registry`: what somebody types who wonders whether the files are whole."""

from __future__ import annotations

import pytest
from lab.registries import draft
from lab.typed_commands import Terminal, _terminal  # noqa: F401 - a fixture

from kiosk import bootstrap
from storage import tinydb_evidence
from storage.segments import folder_of


@pytest.fixture
def lived(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A station with more evidence than lives in the journal."""
    monkeypatch.setattr(tinydb_evidence, "LIVING", 5)
    monkeypatch.setattr(tinydb_evidence, "BATCH", 4)
    registry = bootstrap.embedded_registry(terminal.config)
    for number in range(20):
        registry.run(lambda tx, at=float(number): tx.audit(draft(at)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    registry.close()
    return terminal


def test_it_is_compacted_looked_at_and_whole(lived: Terminal) -> None:
    code, out, err = lived.type("registry", "compact")
    assert code == 0, err
    code, out, err = lived.type("registry", "info")
    assert code == 0, err
    assert "segments" in out
    code, out, err = lived.type("registry", "check")
    assert code == 0, err
    assert "whole" in out


def test_every_damaged_segment_is_named(lived: Terminal) -> None:
    lived.type("registry", "compact")
    path = lived.config.registry.path
    first, second = sorted(folder_of(path).glob("*.segment"))[:2]
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1])
    code, _, err = lived.type("registry", "check")
    assert code == 1
    assert str(first) in err
    assert str(second) in err
