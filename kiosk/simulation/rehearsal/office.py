"""The operators' desk of a scenario: the real session on the scenario's world."""

from __future__ import annotations

from kiosk.authority.local_office import LocalOfficeAuthority
from kiosk.authority.office.operators import Action
from kiosk.authority.office.policy import OfficePolicy
from kiosk.authority.required_ports import RequiredPorts
from kiosk.cards.ports import Card
from kiosk.certificates.judge import SiteCertificates
from kiosk.config import OperatorRole
from kiosk.config.sections.enrollment import NamedBy
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.desk.context import Site
from kiosk.desk.session import Session
from kiosk.desk.views import Filled, Page, Style
from kiosk.simulation.issuer import rehearsal_issuer
from kiosk.simulation.rehearsal.given import GivenDesk
from kiosk.simulation.world import World

STATION = "desk-1"
GROUPS = {role: f"CN={role},OU=Groups,DC=ad,DC=test" for role in OperatorRole}


def office_of(
    parts: RequiredPorts, *, with_account: bool, second_for: frozenset[Action]
) -> LocalOfficeAuthority:
    """Return the operators' half of an authority, as `STATION` has it."""
    policy = OfficePolicy(
        groups=GROUPS,
        with_account=with_account,
        second_for=second_for,
        named_by=NamedBy.UPN,
        expiring_days=30,
    )
    return LocalOfficeAuthority(parts, STATION, policy, SiteCertificates(list))


class NothingToKeep(KioskError):
    """No line of the page is to be read out: `page`."""

    code = "rehearsal.nothing_to_keep"


class OfficeDesk:
    """Operators' hands. Nothing of the session survives `sign_out`."""

    def __init__(self, world: World, given: GivenDesk) -> None:
        site = Site(
            clock=world.clock,
            entropy=world.entropy,
            issuer=lambda: rehearsal_issuer(world.clock.now()),
            questions=given.questions,
        )
        office = office_of(
            world.parts,
            with_account=given.with_account,
            second_for=frozenset(Action(each) for each in given.second_operator),
        )
        self._session = Session(office, site)
        self.inserted: int | None = None
        """The insertion of the card that is no operator's own; None: there is none."""
        self.page: Page = self._session.page()
        self.steps: list[Message] = []

    def sign_in_by_card(self, card: Card, pin: Secret) -> None:
        """Somebody else may have been signed in."""
        self._session.sign_out()
        self.page = self._session.card_came(card)
        self.submit({}, {"pin": pin})

    def sign_in_by_account(self, account: str, password: Secret) -> None:
        """Somebody else may have been signed in."""
        self._session.sign_out()
        self.page = self._session.choose("account", self.steps.append)
        self.submit({"account": account}, {"password": password})

    def sign_out(self) -> None:
        """Leave the desk."""
        self.page = self._session.sign_out()

    def card_came(self, card: Card) -> None:
        """A card that is not the operator's is put in."""
        self.inserted = card.insertion
        self.page = self._session.card_came(card)

    def card_left(self) -> None:
        """It is taken out."""
        if self.inserted is not None:
            self.page = self._session.card_left(self.inserted)
        self.inserted = None

    def choose(self, key: str) -> None:
        """Choose by key, or the `first` that is open."""
        key = self._first() if key == "first" else key
        self.page = self._session.choose(key, self.steps.append)

    def back(self) -> None:
        """Go a page back."""
        self.page = self._session.back()

    def _first(self) -> str:
        """The first row, or the first choice that is open; empty if there is none."""
        if self.page.table is not None and self.page.table.rows:
            return self.page.table.rows[0].key
        open_ = (each.key for each in self.page.choices if each.refusal is None)
        return next(open_, "")

    def submit(self, texts: dict[str, str], secrets: dict[str, Secret]) -> None:
        """Fill in what is given, and leave the rest as it stands."""
        whole = {field.name: field.value for field in self.page.fields}
        filled = Filled({**whole, **texts}, secrets)
        self.page = self._session.submit(filled, self.steps.append)

    def read_out(self) -> str:
        """Return what the page shows to be read out. NothingToKeep."""
        for line in self.page.lines:
            if line.style is Style.CODE and isinstance(line.text, str):
                return line.text
        raise NothingToKeep(page=self.page.name)
