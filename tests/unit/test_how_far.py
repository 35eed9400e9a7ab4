"""What an operator waits for tells how far it is, and no more than can be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lab.desk.office import Office
from lab.desk.relayed_desk import relayed

from kiosk.authority.office.ports import OfficeAuthority
from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.core.errors import Message
from kiosk.desk.context import Site
from kiosk.desk.how_far import HowFar, NotWaitedFor
from kiosk.desk.patience import Patience
from kiosk.desk.session import Session
from kiosk.desk.views import DeskPort
from kiosk.texts import sentence


class Listener:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.said: list[Message] = []
        self.waits = True
        site = Site(
            clock=self.clock,
            entropy=SeededEntropy(1),
            issuer=None,
            waits=lambda: self.waits,
        )
        self.told = HowFar(self.said.append, site)

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
        "100 of 1000, about 18 s left. Esc ends it.",
        "400 of 1000, about 12 s left. Esc ends it.",
    ]


def test_what_comes_before_does_not_count_for_how_long_it_takes() -> None:
    listener = Listener()
    listener.after(60.0, 0)
    listener.after(10.0, 500)
    assert listener.words == [
        "0 of 1000 … Esc ends it.",
        "500 of 1000, about 10 s left. Esc ends it.",
    ]


def test_what_nobody_waits_for_is_ended() -> None:
    listener = Listener()
    listener.after(1.0, 1)
    listener.waits = False
    listener.after(0.1, 2)
    with pytest.raises(NotWaitedFor):
        listener.after(0.4, 3)


@pytest.mark.parametrize("desk", [Session, relayed], ids=["here", "far away"])
def test_an_operator_ends_what_only_looks_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    desk: Callable[[OfficeAuthority, Site], DeskPort],
) -> None:
    monkeypatch.setattr("lab.desk.office.desk_of", [desk])
    monkeypatch.setattr("kiosk.desk.how_far.ASKED_SECONDS", 0.0)
    for told in ("proof.verification", "office.evidence_export"):
        monkeypatch.setattr(f"kiosk.authority.{told}._TOLD_OF", 1)
    patience = Patience()
    office = Office(waits=patience.lasts)
    office.person("alice")
    office.holder("alice")
    office.sign_in("aaron")
    file = tmp_path / "all.jsonl"
    acts: tuple[tuple[str, Callable[[], object]], ...] = (
        ("menu", lambda: office.choose("risk")),
        ("audit", lambda: office.choose("verify")),
        ("audit", lambda: office.submit(file=str(file))),
    )
    for page, act in acts:
        if page == "audit" and office.page.name != page:
            office.choose("audit")
        patience.end()
        act()
        assert office.page.name == page
        assert office.page.notice == Message("desk.not_waited_for")
        assert not file.exists(), "what was begun is gone"
        patience.of(act)()
        assert office.page.notice != Message("desk.not_waited_for")
        if page == "menu":
            assert office.page.name == "risk"
            office.back()
    assert office.notice == "desk.audit.exported"
    assert file.exists()


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
