"""The fixtures of `lab.desk`."""

from __future__ import annotations

import pytest

import lab.desk.office
from kiosk.desk.session import Session
from lab.desk.relayed_desk import relayed
from lab.desk.typed_commands import _terminal as _terminal


@pytest.fixture(params=[Session, relayed], ids=["here", "relayed"])
def here_and_relayed(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every page is the same where the session works at an authority elsewhere."""
    monkeypatch.setattr(lab.desk.office, "desk_of", [request.param])
