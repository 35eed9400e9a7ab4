"""The line between a desk and its authority is cut at every message there is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import lab.desk.office
import pytest
from lab.desk.office import PASSWORD, PIN, Office
from lab.desk.relayed_desk import Authority, Cut

from kiosk.authority.office.ports import OfficeAuthority
from kiosk.cards.ports import Card
from kiosk.core.errors import Message
from kiosk.core.frame_line import Turns
from kiosk.core.secret import Secret
from kiosk.desk.context import Site
from kiosk.desk.relay.frames import (
    Answered,
    AppendFile,
    CardAsked,
    CreateFile,
    FileAsked,
    Typed,
)
from kiosk.desk.relay.lending import Lending
from kiosk.desk.relay.remote_desk import CLOSED, RemoteDesk
from kiosk.desk.session import Session
from kiosk.desk.views import DeskPort
from kiosk.simulation.cards.options import PivOptions
from kiosk.simulation.cards.piv import SimulatedPivCard
from kiosk.simulation.cards.reader import SimulatedReaders
from statemachine.lifecycle import State

pytestmark = pytest.mark.slow


@dataclass
class Desks:
    """Every line of one test, cut when `cut` says so."""

    cut: Cut = field(default_factory=Cut)
    turns: Turns = field(default_factory=Turns)
    authority: Authority | None = None

    def make(self, authority: OfficeAuthority, site: Site) -> DeskPort:
        self.authority = Authority(
            lambda site: Session(authority, site),
            site,
            self.cut,
            self.turns,
        )
        return RemoteDesk(self.authority.connect, lambda job: job())

    @property
    def sent(self) -> int:
        return self.cut.sent

    def settle(self) -> None:
        assert self.authority is not None
        self.authority.settle()


@pytest.fixture
def desks(monkeypatch: pytest.MonkeyPatch) -> Desks:
    made = Desks()
    monkeypatch.setattr(lab.desk.office, "desk_of", [made.make])
    return made


class Hands:
    """An operator and a card: each goes on until it is done, whatever page comes."""

    def __init__(self, desks: Desks) -> None:
        self.desks = desks
        self.office = Office()
        self.office.person("alice")
        self.hannas = self.office.holder("hanna").made.card
        self.card: Card | None = None
        options = PivOptions(serial=b"\0\0\0\7", version=b"\5\4\3")
        self.chip = SimulatedPivCard(entropy=self.office.world.entropy, options=options)

    def signs_in_by_card(self) -> None:
        office = self.office
        self.goes_on(
            lambda: self.puts_in(self.hannas),
            lambda: office.submit({"pin": PIN}),
        )

    def issues(self) -> None:
        office = self.office
        self.goes_on(
            lambda: office.choose("account"),
            lambda: office.submit({"password": PASSWORD}, account="olga"),
            lambda: office.choose("issue"),
            lambda: office.submit(term="alice"),
            lambda: office.choose("alice@ad.test"),
            lambda: office.choose("staff"),
            lambda: self.puts_in(self.chip),
            office.submit,
        )

    def goes_on(self, *steps: Callable[[], object]) -> None:
        """Do one thing after the other, as long as there is a session."""
        for step in steps:
            step()
            if self.office.page.name == CLOSED:
                return

    def opens(self, people: Path) -> None:
        """Sign in and name a list of people; a session that is over begins anew."""
        office = self.office
        if office.page.name == CLOSED:
            office.page = office.desk.page()
        self.goes_on(
            lambda: office.choose("account"),
            lambda: office.submit({"password": PASSWORD}, account="olga"),
            lambda: office.choose("batch"),
            lambda: office.submit(file=str(people)),
        )

    def puts_in(self, chip: SimulatedPivCard) -> None:
        if self.card is None:
            self.card = self.office.world.readers.insert(chip)
            self.office.page = self.office.desk.card_came(self.card)

    def is_card_free(self) -> bool:
        """Somebody else can begin a transaction with the card."""
        readers = self.office.world.readers
        assert isinstance(readers, SimulatedReaders)
        (slot,) = readers._slots.values()
        taken: list[bool] = []

        def take() -> None:
            taken.append(slot.transaction.acquire(blocking=False))
            if taken[0]:
                slot.transaction.release()

        other = threading.Thread(target=take)
        other.start()
        other.join()
        return taken[0]

    def live(self) -> list[str]:
        """The cards that somebody was given."""
        found = self.office.world.registry.run(
            lambda tx: tx.credentials(state=State.ISSUED, limit=100)
        )
        return [each.card for each in found]


def messages(what: Callable[[Hands], None], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many messages it takes when nothing is cut."""
    desks = Desks()
    monkeypatch.setattr(lab.desk.office, "desk_of", [desks.make])
    hands = Hands(desks)
    before = desks.sent
    what(hands)
    return desks.sent - before


def cut_at(hands: Hands, number: int, *, is_heard: bool) -> None:
    cut = hands.desks.cut
    cut.at, cut.is_heard = cut.sent + number, is_heard


def everywhere(whole: int) -> list[tuple[int, bool]]:
    """Before each message and after it, but for a last one that is heard."""
    places = [(number, heard) for number in range(1, whole + 1) for heard in (0, 1)]
    return [(number, bool(heard)) for number, heard in places[:-1]]


def test_where_the_line_is_cut_while_somebody_signs_in_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = messages(Hands.signs_in_by_card, monkeypatch)
    assert whole > 20
    for number, is_heard in everywhere(whole):
        desks = Desks()
        monkeypatch.setattr(lab.desk.office, "desk_of", [desks.make])
        hands = Hands(desks)
        cut_at(hands, number, is_heard=is_heard)
        hands.signs_in_by_card()
        assert hands.office.page.name == CLOSED, number
        desks.settle()
        assert hands.is_card_free(), number
        hands.office.page = hands.office.desk.page()
        assert hands.office.page.name == "sign_in", "who was signed in is not any more"
        hands.signs_in_by_card()
        assert hands.office.page.name == "menu", (number, hands.office.notice)


def test_where_it_is_cut_while_a_card_is_issued_it_is_issued_or_the_next_try_does_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = messages(Hands.issues, monkeypatch)
    assert whole > 60
    issued_before = 0
    for number, is_heard in everywhere(whole):
        desks = Desks()
        monkeypatch.setattr(lab.desk.office, "desk_of", [desks.make])
        hands = Hands(desks)
        cut_at(hands, number, is_heard=is_heard)
        hands.issues()
        assert hands.office.page.name == CLOSED, number
        said = hands.office.notice
        desks.settle()
        assert hands.is_card_free(), number
        hands.office.page = hands.office.desk.page()
        assert hands.office.page.name == "sign_in", "who was signed in is not any more"
        given = hands.live()
        assert not given or said == "relay.line_cut_issuing", (number, said)
        issued_before += len(given)
        hands.issues()
        if given:
            assert hands.office.notice == "enrollment.already_on_record"
        else:
            assert hands.office.page.name == "issued", (number, hands.office.notice)
        assert len(hands.live()) == 1, number
    assert issued_before < 10, "only what was said last can be lost"


def test_an_authority_that_ends_lets_a_card_be_issued_before_it_goes(
    desks: Desks,
) -> None:
    hands = Hands(desks)
    office = hands.office
    sent: list[Message] = []

    def ends(what: Message) -> None:
        if what.key.startswith("enrollment."):
            assert desks.turns.end(), "a step is under way"
            sent.append(what)

    office.emit = ends  # type: ignore[method-assign]  # it ends in the middle of that
    hands.issues()
    assert len(sent) > 3, "it went on"
    assert office.page.name == "issued", "nobody else has its transport PIN"
    page = office.back()
    assert (page.name, page.notice) == (CLOSED, Message("relay.ending"))
    assert hands.live() == ["piv:serial:00000007"]
    assert hands.is_card_free()


def test_a_batch_writes_the_line_of_a_card_whose_last_words_were_lost(
    desks: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, results = tmp_path / "people.csv", tmp_path / "people.results.csv"

    def begun() -> Hands:
        people.write_text("account,template\nalice,staff\n")
        results.unlink(missing_ok=True)
        made = Desks()
        monkeypatch.setattr(lab.desk.office, "desk_of", [made.make])
        hands = Hands(made)
        hands.opens(people)
        hands.puts_in(hands.chip)
        return hands

    hands = begun()
    before = hands.desks.sent
    hands.office.submit()
    whole = hands.desks.sent - before
    assert [it.split(",")[3] for it in results.read_text().splitlines()[1:]] == [
        "begun",
        "done",
    ]
    written_later = 0
    for number, is_heard in everywhere(whole):
        hands = begun()
        cut_at(hands, number, is_heard=is_heard)
        hands.office.submit()
        hands.desks.settle()
        issued = hands.live()
        hands.opens(people)
        lines = [line.split(",") for line in results.read_text().splitlines()[1:]]
        done = [line for line in lines if line[3] == "done"]
        assert [line[4] for line in done] == issued, (number, is_heard)
        written_later += any(line[5] == "relay.line_cut_issuing" for line in done)
        shown = "desk.batch.end" if done else "desk.batch.next"
        assert shown in hands.office.sentences(), (number, is_heard)
    assert written_later > 0


def test_an_export_is_whole_or_not_there_wherever_its_line_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.desk.relay.session_host.CHUNK", 2048)
    file = tmp_path / "all.jsonl"

    def begun() -> Hands:
        file.unlink(missing_ok=True)
        made = Desks()
        monkeypatch.setattr(lab.desk.office, "desk_of", [made.make])
        hands = Hands(made)
        signs_in(hands)
        return hands

    def signs_in(hands: Hands) -> None:
        office = hands.office
        if office.page.name == CLOSED:
            office.page = office.desk.page()
        hands.goes_on(
            lambda: office.choose("account"),
            lambda: office.submit({"password": PASSWORD}, account="aaron"),
            lambda: office.choose("audit"),
        )

    hands = begun()
    before = hands.desks.sent
    hands.office.submit(file=str(file))
    whole = hands.desks.sent - before
    assert hands.office.notice == "desk.audit.exported"
    assert whole > 8
    lines = len(file.read_bytes().splitlines())
    kept = 0
    for number, is_heard in everywhere(whole):
        hands = begun()
        cut_at(hands, number, is_heard=is_heard)
        hands.office.submit(file=str(file))
        assert hands.office.page.name == CLOSED, (number, is_heard)
        hands.desks.settle()
        if file.exists():
            assert len(file.read_bytes().splitlines()) == lines, (number, is_heard)
            kept += 1
            continue
        signs_in(hands)
        hands.office.submit(file=str(file))
        assert hands.office.notice == "desk.audit.exported", (number, is_heard)
    assert 0 < kept <= 4, "only what was said last can be lost"


def test_a_station_of_before_is_still_sent_an_export(
    desks: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_before(
        texts: dict[str, str],
        secrets: dict[str, Secret],
        *,
        can_stop: bool,
        can_drop: bool,
    ) -> Typed:
        assert can_drop, "today's says it"
        return Typed(texts, secrets, can_stop=can_stop)

    monkeypatch.setattr("kiosk.desk.relay.remote_desk.Typed", as_before)
    asked: list[FileAsked] = []
    answer = Lending.answer

    def heard(lending: Lending, it: CardAsked | FileAsked) -> Answered:
        if isinstance(it, FileAsked):
            asked.append(it)
        return answer(lending, it)

    monkeypatch.setattr(Lending, "answer", heard)
    hands = Hands(desks)
    office, file = hands.office, tmp_path / "all.jsonl"
    hands.goes_on(
        lambda: office.choose("account"),
        lambda: office.submit({"password": PASSWORD}, account="aaron"),
        lambda: office.choose("audit"),
        lambda: office.submit(file=str(file)),
    )
    assert office.notice == "desk.audit.exported"
    assert {type(each) for each in asked} == {CreateFile, AppendFile}
    assert file.read_bytes().endswith(b"\n")
