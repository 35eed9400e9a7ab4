"""A scenario set up: the world it asks for, its stations, its desk."""

from __future__ import annotations

from typing import Any

from kiosk.core.clock import ManualClock, SystemClock
from kiosk.core.entropy import SeededEntropy, SystemEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.chip import SimulatedCard
from kiosk.simulation.cards.factory import Made
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.rehearsal.backends import Domain, NotHere, RehearsalReaders
from kiosk.simulation.rehearsal.given import Given, GivenAccount, GivenCard, SiteRules
from kiosk.simulation.rehearsal.given_cards import blank_of, issued_to, made_of
from kiosk.simulation.rehearsal.office import GROUPS, OfficeDesk
from kiosk.simulation.rehearsal.station_state import RehearsedState
from kiosk.simulation.world import MIDDLEWARE, Reach, World
from statemachine.lifecycle import State
from storage.records import FirstPin, Sync

DAY = 86_400.0


class ScenarioRuntime:
    """What steps are played on. `here` is the station where the last one was."""

    def __init__(
        self,
        given: Given,
        readers: RehearsalReaders | None = None,
        domain: Domain | None = None,
        rules: SiteRules | None = None,
        reach: Reach | None = None,
    ) -> None:
        """`rules`: a site's own, in place of what the scenario says.

        `reach`: how stations get at their authority.
        """
        is_real = readers is not None or domain is not None
        rules = rules or SiteRules()
        self.world = World(
            clock=SystemClock() if is_real else ManualClock(),
            entropy=SystemEntropy() if is_real else SeededEntropy(1),
            policy=rules.policy or given.policy.policy(),
            readers=readers,
            domain=domain,
            lifecycle=rules.lifecycle,
            reach=reach,
            profile=rules.profile or given.profile.profile(),
        )
        first = RehearsedState(self.world.settings.station, self.world.readers)
        self._stations = {first.station: first}
        self.here = first
        self._office: OfficeDesk | None = None
        self._given_desk = given.desk
        self.desk_readers = SimulatedReaders(
            "operator", "card", clock=self.world.clock, more=MIDDLEWARE
        )
        self._kept: dict[str, Secret] = {}
        self._cards = {card.name: card for card in given.cards}
        self._templates = {
            each.name: each for each in rules.templates or given.templates
        }
        self._strangers: dict[str, Made[Any]] = {}
        self._blank: dict[str, SimulatedCard] = {}
        self._accounts: dict[str, str] = {}
        self._set_up(given)

    @property
    def office(self) -> OfficeDesk:
        """The operators' desk, opened when somebody sits down at it."""
        if self._office is None:
            self._office = OfficeDesk(self.world, self._given_desk)
        return self._office

    def go_to(self, station: str) -> RehearsedState:
        """Turn to a station; silent: stay. NotHere, where the reader is a real one."""
        if station and station not in self._stations:
            if not isinstance(self.world.readers, SimulatedReaders):
                raise NotHere(what=f"a second station ({station})")
            readers = SimulatedReaders(clock=self.world.clock, more=MIDDLEWARE)
            self._stations[station] = RehearsedState(station, readers)
        if station:
            self.here = self._stations[station]
        return self.here

    def restart(self) -> None:
        """Start the station's process anew; what its visits held is gone."""
        self.world.restart()
        for each in self._stations.values():
            each.visit = None

    # --- setting up -----------------------------------------------------------

    def _set_up(self, given: Given) -> None:
        for template in self._templates.values():
            self.world.add_template(template)
        for account in given.accounts:
            self._add_account(account)
        for card in given.cards:
            self._add_card(card)

    def _add_account(self, account: GivenAccount) -> None:
        directory = self.world.directory
        guid = self._accounts[account.name] = directory.add_account(
            account.name,
            display_name=account.display_name,
            password=Secret(account.password.encode()),
            delegated=account.delegated,
            enabled=account.enabled,
            locked=account.locked,
            expired=account.expired,
            privileged=account.privileged,
            smart_card_required=account.smart_card_required,
        )
        if not (account.roles or account.details):
            return
        if not isinstance(directory, SimulatedDirectory):
            raise NotHere(what="an operator's roles")
        directory.set_groups(guid, *(GROUPS[role] for role in account.roles))
        directory.set_details(guid, *account.details)

    def _add_card(self, card: GivenCard) -> None:
        if card.blank:
            self._blank[card.name] = blank_of(self.world, card)
            return
        made, puk, admin_key = made_of(self.world, card)
        made.card.set_tries(pin=card.tries_left)
        if not card.account:
            self._strangers[card.name] = made
            return
        template = self._templates[card.template]
        by_code = template.first_pin is FirstPin.ACTIVATION_CODE
        new = card.state is State.ISSUED
        self.world.register(
            card.name,
            made,
            puk,
            account_guid=self._accounts[card.account],
            template=card.template,
            state=card.state,
            sync=Sync.NEVER if new else card.sync,
            keyless=card.keyless,
            transport_pin=Secret(card.pin.encode()) if new and by_code else None,
            admin_key=admin_key,
        )

    def made(self, name: str) -> Made[Any]:
        """Return the card of that name, registered or not."""
        if name in self._strangers:
            return self._strangers[name]
        return self.world.holders[name].made

    def chip(self, name: str) -> SimulatedCard:
        """Return the card of that name, whoever has it or nobody."""
        chip: SimulatedCard = self._blank.get(name) or self.made(name).card
        return chip

    def find_issued(self) -> None:
        """Note who has a card from now that was blank."""
        found = self.world.registry.run(
            lambda tx: tx.credentials(state=State.ISSUED, limit=9)
        )
        owners = {each.account_guid: each for each in found}
        for name in self._blank.keys() - self.world.holders.keys():
            owner = self._accounts.get(self._cards[name].account, "")
            if owner in owners:
                chip = self._blank[name]
                self.world.holders[name] = issued_to(name, chip, owners[owner])

    def account(self, name: str) -> str:
        """Return the objectGUID of an account."""
        return self._accounts[name]

    # --- what is read out and typed -------------------------------------------

    def keep(self, name: str, value: Secret) -> None:
        """Keep what somebody said under a name, to be typed as `@name`."""
        self._kept[name] = value

    def typed(self, text: str) -> Secret:
        """Return what is typed unseen; its owner wipes it."""
        if text.startswith("@"):
            return self._kept[text[1:]].copy()
        return Secret(text.encode())

    def read(self, text: str) -> str:
        """Return what is typed and seen."""
        kept = text.startswith("@")
        return self._kept[text[1:]].reveal().decode() if kept else text
