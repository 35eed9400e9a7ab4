"""Other people set the password on a real DC, at each moment of ours.

The truth is the NT hash in the DC's own database, never a bind: the password before the
last binds for an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from lab.domain.other_hands import Answer, Meddled, Moment
from lab.domain.samba import LabUser, SambaDomain
from lab.domain.samba_truth import Database, database_of

from kiosk.core.clock import SystemClock
from kiosk.core.secret import Secret
from kiosk.directory.ldap import LdapDirectory
from kiosk.simulation.rehearsal.real_domain import LaboratoryDomain
from kiosk.simulation.world import World
from kiosk.visit.views import Answers, FieldName, Home, Outcome, Result
from kiosk.visit.visit import Visit
from statemachine.operation import Kind
from storage.records import Sync, Template

pytestmark = pytest.mark.samba

OLD, NEW, THEIRS = "246813", "975318", "Helpdesk-4711"


@pytest.fixture(scope="module")
def database(samba: SambaDomain) -> Iterator[Database]:
    with database_of(samba) as opened:
        yield opened


class Person:
    """One holder with a simulated card, on a real directory."""

    def __init__(self, samba: SambaDomain, database: Database) -> None:
        self.samba = samba
        self.database = database
        self.user: LabUser = samba.add_user(password=OLD)
        self.domain = LaboratoryDomain(LdapDirectory(samba.settings(), SystemClock()))
        self.world = World(clock=SystemClock(), domain=self.domain)
        self.world.add_template(Template(name="staff"))
        self.made, puk = self.world.make_card("Ann", pin=OLD.encode())
        self.world.register(
            "ann", self.made, puk, account_guid=self.user.guid, template="staff"
        )

    def change(
        self,
        moment: Moment | None,
        hand: Callable[[], None],
        answer: Answer = Answer.COMES,
    ) -> Result:
        """Change the PIN, with somebody else in it."""
        visit = self._visit()
        visit.recognise()
        form = visit.begin(Kind.CHANGE)
        typed = {
            FieldName.OLD_PIN: Secret(self.card_pin().encode()),
            FieldName.NEW_PIN: Secret(NEW.encode()),
        }
        meddled = Meddled(self.domain, moment, hand, answer)
        object.__setattr__(self.world.parts, "directory", meddled)
        try:
            return visit.submit(form, Answers(typed, confirmed=True), lambda _: None)
        finally:
            object.__setattr__(self.world.parts, "directory", self.domain)

    def look(self) -> Home:
        """Insert the card again."""
        return self._visit().recognise()

    def _visit(self) -> Visit:
        self.world.readers.pull()
        return self.world.visit(self.world.readers.insert(self.made.card))

    def card_pin(self) -> str:
        return next(pin for pin in (OLD, NEW) if self.made.card.has_pin(pin.encode()))

    @property
    def agrees(self) -> bool:
        """Card and domain hold the same, by the DC's own database."""
        return self.database.has(self.user.guid, self.card_pin())

    def is_called_in_step(self) -> bool:
        return self.world.credential("ann").sync is Sync.IN_STEP


@pytest.fixture
def person(samba: SambaDomain, database: Database) -> Person:
    return Person(samba, database)


def reset(person: Person) -> None:
    person.samba.set_password_elsewhere(person.user, THEIRS)


def must_change(person: Person) -> None:
    person.samba.reset_and_must_change(person.user, THEIRS)


def own_change(person: Person) -> None:
    """The holder presses Ctrl+Alt+Del elsewhere, knowing what is the password now."""
    held = (OLD, NEW)
    now = next(each for each in held if person.database.has(person.user.guid, each))
    person.samba.own_change(person.user, now, THEIRS)


def smart_card(person: Person) -> None:
    person.samba.require_smart_card(person.user)


def ticked(person: Person) -> None:
    person.samba.require_smart_card(person.user)
    person.samba.change_user(person.user, userAccountControl=0x200)


def to_ours(person: Person) -> None:
    reset(person)
    person.samba.set_password_elsewhere(person.user, NEW)


HANDS = {
    "a reset": reset,
    "a reset, must change": must_change,
    "its owner": own_change,
    "smart card required": smart_card,
    "smart card required, and not": ticked,
    "resets, the last to our value": to_ours,
}
CASES = [
    *((moment, answer) for moment in Moment for answer in (Answer.COMES, Answer.LOST)),
    (Moment.UNANSWERED, Answer.NEVER_SENT),
]


@pytest.mark.parametrize("hand", HANDS.values(), ids=HANDS)
@pytest.mark.parametrize(("moment", "answer"), CASES)
def test_a_second_writer_at_each_moment_is_seen(
    person: Person, moment: Moment, answer: Answer, hand: Callable[[Person], None]
) -> None:
    result = person.change(moment, lambda: hand(person), answer)
    if result.outcome is Outcome.DONE:
        assert person.agrees, "done, and it is not"
    home = person.look()
    if person.is_called_in_step():
        assert person.agrees, "called in step, and it is not"
    else:
        assert "reason" in " ".join(notice.key for notice in home.notices)


@pytest.mark.parametrize("hand", HANDS.values(), ids=HANDS)
def test_one_who_comes_afterwards_is_seen_at_the_next_insertion(
    person: Person, hand: Callable[[Person], None]
) -> None:
    assert person.change(None, lambda: None).outcome is Outcome.DONE
    assert person.agrees
    assert person.is_called_in_step()
    hand(person)
    person.look()
    assert not person.is_called_in_step()


@pytest.mark.parametrize("answer", [Answer.COMES, Answer.LOST])
def test_one_write_of_ours_alone_is_in_step(person: Person, answer: Answer) -> None:
    assert person.change(None, lambda: None, answer).outcome is Outcome.DONE
    assert person.agrees
    home = person.look()
    assert person.is_called_in_step()
    assert "notice.in_step_unseen" not in {notice.key for notice in home.notices}


def test_who_is_renamed_and_moved_in_the_middle_is_in_step(person: Person) -> None:
    def rename() -> None:
        person.samba.rename(person.user, f"{person.user.name} Miller")

    assert person.change(Moment.UNANSWERED, rename).outcome is Outcome.DONE
    assert person.agrees
