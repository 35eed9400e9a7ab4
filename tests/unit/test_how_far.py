"""What an operator waits for tells how far it is, and no more than can be read."""

from __future__ import annotations

import pytest
from lab.desk.office import Office

from kiosk.core.clock import ManualClock
from kiosk.core.errors import Message
from kiosk.desk.how_far import HowFar
from kiosk.texts import sentence


class Listener:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.said: list[Message] = []
        self.told = HowFar(self.said.append, self.clock)

    def after(self, seconds: float, done: int, total: int = 1000) -> None:
        self.clock.advance(seconds)
        self.told(done, total)

    @property
    def words(self) -> list[str]:
        return [sentence(each) for each in self.said[1:]]


def test_what_is_quick_says_only_that_it_has_begun() -> None:
    listener = Listener()
    listener.after(1.9, 999)
    assert [each.key for each in listener.said] == ["desk.working"]


def test_what_takes_long_says_how_far_it_is_and_how_long_it_takes() -> None:
    listener = Listener()
    for done in (100, 200, 300, 400, 500):
        listener.after(2.0, done)
    assert listener.words == [
        "100 of 1000, about 18 s left",
        "400 of 1000, about 12 s left",
    ]


def test_what_comes_before_does_not_count_for_how_long_it_takes() -> None:
    listener = Listener()
    listener.after(60.0, 0)
    listener.after(10.0, 500)
    assert listener.words == ["0 of 1000 …", "500 of 1000, about 10 s left"]


@pytest.mark.parametrize("again", [False, True])
def test_the_risk_report_tells_it(monkeypatch: pytest.MonkeyPatch, again: bool) -> None:
    office = Office()
    office.person("alice")
    office.holder("alice")
    office.sign_in("aaron")
    if again:
        office.choose("risk")
    office.said.clear()
    monkeypatch.setattr("kiosk.desk.how_far.FIRST_SECONDS", 0.0)
    monkeypatch.setattr("kiosk.desk.how_far.NEXT_SECONDS", 0.0)
    office.choose("again" if again else "risk")
    assert office.page.name == "risk"
    assert office.said[-1].key == "desk.how_far"
    assert office.said[-1].data["done"] == office.said[-1].data["total"] == 1


def test_verifying_the_evidence_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office()
    office.person("alice")
    office.holder("alice")
    office.sign_in("aaron")
    office.choose("audit")
    office.said.clear()
    monkeypatch.setattr("kiosk.desk.how_far.FIRST_SECONDS", 0.0)
    monkeypatch.setattr("kiosk.authority.proof.verification._TOLD_OF", 1)
    office.choose("verify")
    told = [each.data for each in office.said if each.key == "desk.how_far"]
    assert told
    assert told[0]["done"] == 1
