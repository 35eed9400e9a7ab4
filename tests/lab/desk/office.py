"""An office on simulated parts: people with roles, cards, readers, and one desk.

office = Office()
office.sign_in("hanna")               # by account
office.choose("list:out_of_step")
office.page.name
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from kiosk.authority.office.operators import Action
from kiosk.authority.office.ports import OfficeAuthority
from kiosk.certificates.local_ca import Issuer, new_issuer
from kiosk.config import OperatorRole
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.desk.context import Site
from kiosk.desk.session import Session
from kiosk.desk.views import DeskPort, Filled, Page, Words
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.on_record import SimulatedHolder
from kiosk.simulation.rehearsal.office import GROUPS, office_of
from kiosk.simulation.world import World
from kiosk.texts import sentence
from lab.desk.carried_office import carry_authority
from statemachine.lifecycle import Lifecycle, State
from storage.records import Sync, Template
from storage.registry import Registry

desk_of: list[Callable[[OfficeAuthority, Site], DeskPort]] = [Session]
"""How the desk reaches the authority: the last one is meant."""
PASSWORD = b"Operator-2026"
PIN = b"271828"


class Office:
    """One site, with an operator of each role: hanna, olga, aaron, ada."""

    def __init__(
        self,
        *,
        with_account: bool = True,
        second_for: Iterable[Action] = (),
        answers: tuple[str, ...] = (),
        lifecycle: Lifecycle | None = None,
        registry: Registry | None = None,
        waits: Callable[[], bool] = lambda: True,
    ) -> None:
        self.world = World(lifecycle=lifecycle, registry=registry)
        assert isinstance(self.world.directory, SimulatedDirectory)
        self.domain = self.world.directory
        self.world.add_template(Template(name="staff"))
        self.authority = office_of(
            self.world.parts,
            with_account=with_account,
            second_for=frozenset(second_for),
        )
        self.site = Site(
            clock=self.world.clock,
            entropy=self.world.entropy,
            issuer=self._issuer,
            questions=("What is your employee number?",),
            answers=answers,
            waits=waits,
        )
        for name, role in (
            ("hanna", OperatorRole.HELPDESK),
            ("olga", OperatorRole.OFFICER),
            ("aaron", OperatorRole.AUDITOR),
            ("ada", OperatorRole.ADMINISTRATOR),
        ):
            self.person(name, role)
        self.desk = desk_of[-1](carry_authority(self.authority), self.site)
        self.page = self.desk.page()
        self.said: list[Message] = []

    def _issuer(self) -> Issuer:
        certificate, key = new_issuer("Lab CA", now=self.world.clock.now())
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "ca.pem").write_bytes(certificate)
            (folder / "ca.key").write_bytes(key)
            (folder / "ca.key").chmod(0o600)
            return Issuer.from_files(folder / "ca.pem", folder / "ca.key", days=100)

    # --- people and cards -------------------------------------------------------

    def person(self, name: str, *roles: OperatorRole, **more: object) -> str:
        """Add somebody; return the account's objectGUID."""
        return self.domain.add_account(
            name,
            display_name=f"{name.title()} Example",
            password=Secret(PASSWORD),
            groups=frozenset(GROUPS[role] for role in roles),
            **more,  # type: ignore[arg-type]  # arguments of add_account
        )

    def holder(
        self,
        name: str,
        *,
        state: State = State.ACTIVE,
        sync: Sync = Sync.IN_STEP,
        template: str = "staff",
    ) -> SimulatedHolder:
        """Give somebody who is known to the domain a card."""
        guid = next(
            person.guid
            for person in self._people(name)
            if person.account.startswith(name)
        )
        made, puk = self.world.make_card(name, pin=PIN)
        return self.world.register(
            name,
            made,
            puk,
            account_guid=guid,
            template=template,
            state=state,
            sync=sync,
        )

    def _people(self, name: str):  # type: ignore[no-untyped-def]  # a tuple of Person
        with self.domain.connect() as dc:
            return dc.look_for(name)

    # --- the operator's hands ---------------------------------------------------

    def emit(self, what: Message) -> None:
        self.said.append(what)

    def choose(self, key: str) -> Page:
        self.page = self.desk.choose(key, self.emit)
        return self.page

    def submit(self, secrets: dict[str, bytes] | None = None, **texts: str) -> Page:
        """Fill in what is given, the rest as it stands, and submit."""
        filled = Filled(
            texts={field.name: field.value for field in self.page.fields},
            secrets={name: Secret(value) for name, value in (secrets or {}).items()},
        )
        filled.texts.update(texts)
        self.page = self.desk.submit(filled, self.emit)
        assert not any(filled.secrets.values()), "a typed secret survived"
        return self.page

    def change(self, texts: dict[str, str]) -> Page:
        """Fill in fields whose names are no words, and submit."""
        return self.submit(None, **texts)

    def back(self) -> Page:
        self.page = self.desk.back()
        return self.page

    def insert(self, holder: SimulatedHolder) -> int:
        card = self.world.readers.insert(holder.made.card)
        self.page = self.desk.card_came(card)
        return card.insertion

    def pull(self, insertion: int) -> Page:
        self.world.readers.pull()
        self.page = self.desk.card_left(insertion)
        return self.page

    def sign_in(self, name: str, password: bytes = PASSWORD) -> Page:
        """Sign in by account."""
        self.choose("account")
        return self.submit({"password": password}, account=name)

    def open(self, term: str) -> Page:
        """Search and open the first that is found."""
        self.submit(term=term)
        if self.page.name == "menu" and self.page.table is not None:
            self.choose(self.page.table.rows[0].key)
        return self.page

    def rows(self) -> list[str]:
        """The first cell of every row."""
        rows = self.page.table.rows if self.page.table else ()
        return [str(row.cells[0]) for row in rows]

    # --- what can be read -------------------------------------------------------

    @property
    def notice(self) -> str:
        """The notice's key."""
        return self.page.notice.key if self.page.notice else ""

    def refusal(self, key: str) -> str | None:
        """Why a choice is greyed; empty: it is open; None: it is not there."""
        refusals = {each.key: each.refusal for each in self.page.choices}
        refusal = refusals.get(key)
        return None if key not in refusals else refusal.key if refusal else ""

    def sentences(self) -> list[str]:
        """The key of every sentence on the page."""
        words = [line.text for line in (*self.page.lines, *self.page.below)]
        return [each.key for each in words if isinstance(each, Message)]

    def text(self) -> str:
        """Every line of the page, in words."""
        return "\n".join(
            _in_words(line.text) for line in (*self.page.lines, *self.page.below)
        )

    def events(self, kind: str) -> list[dict[str, str]]:
        """The audit's events of one kind."""
        return [
            {"actor": event.actor, "result": event.result, **event.data}
            for event in self.world.registry.audit_events()
            if event.kind == kind
        ]


def _in_words(words: Words) -> str:
    if isinstance(words, tuple):
        return "".join(_in_words(each) for each in words)
    return sentence(words) if isinstance(words, Message) else words


def signed_in(
    name: str, *, second_for: Iterable[Action] = (), answers: tuple[str, ...] = ()
) -> Office:
    """Return an office where somebody has signed in, and alice has a card."""
    office = Office(second_for=second_for, answers=answers)
    office.person("alice")
    office.holder("alice")
    office.sign_in(name)
    assert office.page.name == "menu"
    return office
