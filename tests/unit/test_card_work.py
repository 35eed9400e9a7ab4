"""A card that takes long is issued while its operator goes on with something else."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from lab.matrix.desk_pages import PEOPLE

from kiosk.certificates.ports import SourceRefused
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.core.workers import SerialWorker
from kiosk.desk.station import Beside
from kiosk.desk.views import DeskPort, Filled, Page, Style
from kiosk.simulation.demo_desk import CARD_READER, PASSWORD, DemoAside, DemoDesk
from statemachine.lifecycle import State

T = TypeVar("T")


class SlowSource:
    """A certificate that somebody has yet to agree to."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self.is_asked, self.may_answer = threading.Event(), threading.Event()
        self.refuses = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def obtain(self, request: Any, *, now: float) -> Any:
        self.is_asked.set()
        assert self.may_answer.wait(30)
        if self.refuses:
            raise SourceRefused(reason="no")
        return self._source.obtain(request, now=now)


class Office:
    """A desk whose certificates wait, and what is asked of its session."""

    def __init__(self) -> None:
        self.demo = DemoDesk()
        self.demo.aside = DemoAside(self.demo)
        site = self.demo._site()
        assert site.issuer is not None
        self.source = SlowSource(site.issuer())
        slow = dataclasses.replace(site, issuer=lambda: self.source)
        self.demo._site = lambda: slow  # type: ignore[method-assign]
        self.demo.start(self._heard)

    def _heard(self, event: Any) -> None:
        if card := getattr(event, "card", None):
            self._tell(lambda it: it.card_came(card))
        elif hasattr(event, "insertion"):
            self._tell(lambda it: it.card_left(event.insertion))

    def _tell(self, what: Callable[[DeskPort], Page]) -> None:
        def job() -> None:
            what(self.session)

        self.demo.on_worker(job)

    @property
    def session(self) -> DeskPort:
        return self.demo.open()

    def on(self, question: Callable[[DeskPort], Page]) -> Page:
        """Ask the session on its own thread, as the screens do."""
        return self.demo.ask(lambda: question(self.session))

    def choose(self, key: str) -> Page:
        return self.on(lambda it: it.choose(key, _nobody))

    def submit(self, **texts: str) -> Page:
        secrets = {"password": Secret(PASSWORD)} if "account" in texts else {}
        filled = Filled(texts=dict(texts), secrets=secrets)
        return self.on(lambda it: it.submit(filled, _nobody))

    def sign_in(self, name: str) -> Page:
        self.choose("account")
        return self.submit(account=name)

    def insert(self, who: str) -> None:
        self.demo.insert(PEOPLE[who])

    def ends(self) -> None:
        """The source answers, and the card is done."""
        self.source.may_answer.set()
        done = threading.Event()
        self.demo.aside.run(done.set)  # type: ignore[union-attr]  # it has one
        assert done.wait(30)

    def begun(self) -> Page:
        """Olga has begun to issue a blank card to Bob."""
        self.sign_in("olga")
        self.choose("issue")
        self.submit(term="bob")
        self.choose("bob@ad.test")
        self.choose("staff")
        self.insert("blank")
        page = self.submit()
        assert self.source.is_asked.wait(30)
        return page


def _nobody(step: Message) -> None:
    """Nobody looks on."""


@pytest.fixture
def office() -> Iterator[Office]:
    it = Office()
    yield it
    it.source.may_answer.set()
    it.demo.stop()


def told(page: Page) -> str:
    return " ".join(str(line.text) for line in page.lines)


def pin_shown(page: Page) -> bool:
    return any(line.style is Style.CODE for line in page.lines)


def test_the_desk_answers_while_a_certificate_is_waited_for(office: Office) -> None:
    assert office.begun().name == "work"
    page = office.on(lambda it: it.page())
    assert page.progress is not None
    assert "enrollment.step.certificate" in told(page)
    found = office.choose("go:list:suspended")
    assert found.table is not None
    assert [row.cells[0] for row in found.table.rows] == ["Grace Green"]


def test_what_is_handed_over_is_there_when_its_operator_comes_back(
    office: Office,
) -> None:
    office.begun()
    office.choose("go:")
    office.ends()
    menu = office.on(lambda it: it.page())
    assert menu.choices[0].key == "work"
    page = office.choose("work")
    assert page.name == "issued"
    assert pin_shown(page)
    assert page.leaving is not None, "Esc asks first"
    menu = office.on(lambda it: it.back())
    assert menu.choices[0].label == Message("desk.menu.hand_over")
    assert pin_shown(office.choose("work")), "it is not lost by going back"
    page = office.submit()
    assert page.is_done
    assert page.choices[0].key != "work", "it was handed over"


def test_what_was_handed_over_is_wiped(office: Office) -> None:
    office.begun()
    office.ends()
    office.on(lambda it: it.page())
    session: Any = office.session
    (work,) = session._context.works.values()
    pin = work._issued.transport_pin
    assert pin
    office.submit()
    assert not pin


def test_no_other_card_is_begun_before_the_pin_is_handed_over(office: Office) -> None:
    office.begun()
    office.ends()
    office.on(lambda it: it.page())
    office.choose("go:issue")
    office.submit(term="alice")
    office.choose("alice@ad.test")
    office.choose("staff")
    office.demo.readers.pull(CARD_READER)
    office.demo.insert(-2)
    assert office.submit().notice == Message("desk.not_handed_over")
    assert pin_shown(office.choose("go:work"))


def test_another_operator_sees_nothing_of_it(office: Office) -> None:
    office.begun()
    office.on(lambda it: it.sign_out())
    office.ends()
    menu = office.sign_in("ada")
    assert all(each.key != "work" for each in menu.choices)
    office.on(lambda it: it.sign_out())
    office.sign_in("olga")
    assert pin_shown(office.choose("work"))


def test_one_card_is_issued_at_a_time(office: Office) -> None:
    office.begun()
    session: Any = office.session
    assert session._context.others_card() is None, "it is being worked on"
    office.choose("go:issue")
    office.submit(term="alice")
    office.choose("alice@ad.test")
    page = office.choose("staff")
    assert page.action is None


def test_why_it_failed_is_told_and_it_can_be_tried_again(office: Office) -> None:
    office.begun()
    office.source.refuses = True
    office.ends()
    page = office.on(lambda it: it.page())
    assert "enrollment.source_refused" in told(page)
    office.source.refuses = False
    assert office.choose("again").name == "card"
    assert office.submit().name == "work"
    office.ends()
    assert pin_shown(office.on(lambda it: it.page()))


def test_a_card_that_is_pulled_meanwhile_is_told(office: Office) -> None:
    office.begun()
    office.demo.readers.pull(CARD_READER)
    office.ends()
    assert "card.removed" in told(office.on(lambda it: it.page()))


def test_a_batch_that_was_left_knows_how_its_line_ended(
    office: Office, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("account,template\nbob,staff\nalice,staff\n")
    office.sign_in("olga")
    office.choose("batch")
    office.insert("blank")
    office.submit(file=str(people))
    office.submit()
    assert office.source.is_asked.wait(30)
    assert "desk.batch.next" not in told(office.on(lambda it: it.page()))
    office.on(lambda it: it.back())
    office.ends()
    assert "bob@ad.test,staff,done" in (tmp_path / "people.results.csv").read_text()
    assert pin_shown(office.choose("go:work"))


def test_a_list_is_not_read_again_while_its_card_is_on_its_way(
    office: Office, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("account,template\nbob,staff\nalice,staff\n")
    office.sign_in("olga")
    office.choose("batch")
    office.insert("blank")
    office.submit(file=str(people))
    office.submit()
    assert office.source.is_asked.wait(30)
    office.choose("go:batch")
    assert office.submit(file=str(people)).notice == Message("desk.already_working")
    office.ends()
    page = office.submit(file=str(people))
    assert page.table is not None
    assert [row.cells[1] for row in page.table.rows] == [
        Message("desk.row.done"),
        Message("desk.row.waiting"),
    ], "nobody is given a second card"


def code_shown(page: Page) -> str:
    (code,) = [str(line.text) for line in page.lines if line.style is Style.CODE]
    return code


def test_a_card_that_fails_leaves_what_goes_with_the_one_before(
    office: Office, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("account,template\nbob,staff\nalice,staff\n")
    office.sign_in("olga")
    office.choose("batch")
    office.insert("blank")
    office.submit(file=str(people))
    office.submit()
    office.ends()
    first = code_shown(office.on(lambda it: it.page()))
    session: Any = office.session
    (work,) = session._context.works.values()
    pin = work._issued.transport_pin
    office.demo.readers.pull(CARD_READER)
    office.demo.insert(-2)
    office.source.refuses = True
    page = office.submit()
    assert page.progress is not None, "the next card is on its way"
    assert page.action is None
    office.ends()
    page = office.on(lambda it: it.page())
    assert "enrollment.source_refused" in told(page)
    assert code_shown(page) == first, "nobody else has it"
    assert pin
    office.source.refuses = False
    office.submit()
    office.ends()
    page = office.on(lambda it: it.page())
    assert "desk.batch.end" in told(page)
    assert code_shown(page) != first
    assert not pin, "it is wiped"


def test_the_last_pin_of_a_batch_is_not_lost_at_its_end(
    office: Office, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("account,template\nbob,staff\n")
    office.sign_in("olga")
    office.choose("batch")
    office.insert("blank")
    office.submit(file=str(people))
    office.submit()
    office.ends()
    page = office.on(lambda it: it.page())
    assert "desk.batch.end" in told(page)
    assert pin_shown(page)
    assert page.leaving == Message("desk.handover.leaving_pin")
    office.on(lambda it: it.back())
    assert pin_shown(office.choose("work"))


def test_a_batch_says_at_its_end_that_the_last_pin_is_handed_over(
    office: Office, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("account,template\nbob,staff\n")
    office.sign_in("olga")
    office.choose("batch")
    office.insert("blank")
    office.submit(file=str(people))
    office.submit()
    office.ends()
    office.on(lambda it: it.page())
    page = office.submit()
    assert page.notice == Message("desk.handover.done")
    assert not pin_shown(page)
    assert page.leaving is None


def test_where_nothing_is_done_beside_the_desk_the_pin_is_kept_as_well() -> None:
    office = Office()
    office.source.may_answer.set()
    office.demo.aside = None
    try:
        page = office.begun()
        assert pin_shown(page)
        office.on(lambda it: it.back())
        assert pin_shown(office.choose("go:work"))
    finally:
        office.demo.stop()


def test_the_bar_counts_the_steps_that_there_are(office: Office) -> None:
    office.begun()
    page = office.on(lambda it: it.page())
    states = [each.style for each in page.lines]
    assert states[:4] == [Style.DONE, Style.DONE, Style.RUNNING, Style.OPEN]
    assert page.progress == (2, 4)
    assert page.flow is not None
    assert page.flow.at == 2
    office.ends()
    page = office.on(lambda it: it.page())
    assert page.flow is not None
    assert page.flow.at == 3


def test_what_was_issued_is_on_record(office: Office) -> None:
    office.begun()
    office.ends()
    found = office.demo.world.registry.read(
        lambda view: view.credentials(state=State.ISSUED, limit=50)
    )
    assert "Bob Baker" in [each.holder for each in found]


def test_what_the_work_asks_is_asked_on_the_sessions_thread() -> None:
    worker = SerialWorker("desk")
    aside = Beside(worker)
    told: list[str] = []
    done = threading.Event()

    def job() -> None:
        told.append(threading.current_thread().name)
        told.append(aside.ask(lambda: threading.current_thread().name))
        done.set()

    aside.run(job)
    assert done.wait(30)
    worker.stop()
    assert told == ["desk cards", "desk"]
