"""A scenario set up: the world it asks for, and the hands that carry out its steps."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.cards.ports import Card
from kiosk.core.clock import ManualClock, SystemClock
from kiosk.core.entropy import SeededEntropy, SystemEntropy
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.directory.values import PasswordPolicy
from kiosk.simulation.cards.chip import SimulatedCard
from kiosk.simulation.cards.factory import Made
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.interference import die
from kiosk.simulation.rehearsal import scenario as language
from kiosk.simulation.rehearsal.backends import Domain, NotHere, RehearsalReaders
from kiosk.simulation.rehearsal.given_cards import blank_of, issued_to, made_of
from kiosk.simulation.rehearsal.office import GROUPS, OfficeDesk
from kiosk.simulation.rehearsal.scenario import GivenAccount, GivenCard, Scenario
from kiosk.simulation.rehearsal.site_rules import SiteRules
from kiosk.simulation.rehearsal.station_state import RehearsedState
from kiosk.simulation.world import MIDDLEWARE, Reach, World
from kiosk.visit.views import Answers, FieldName, Form, Home, Progress, Result
from statemachine.lifecycle import Event, State
from storage.records import FirstPin, Sync

DAY = 86_400.0


class NothingAsked(KioskError):
    """A step types, and no form is there."""

    code = "rehearsal.nothing_asked"


class ScenarioRuntime:
    """What the runner plays on. Its screens are those of the seat used last."""

    def __init__(
        self,
        scenario: Scenario,
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
            policy=rules.policy or _policy(scenario.policy),
            readers=readers,
            domain=domain,
            lifecycle=rules.lifecycle,
            reach=reach,
            profile=rules.profile
            or ComplianceProfile(
                fips_201=scenario.profile.fips_201,
                second_factor=scenario.profile.second_factor,
            ),
        )
        first = RehearsedState(self.world.settings.station, self.world.readers)
        self._seats = {first.station: first}
        self.seat = first
        self._office: OfficeDesk | None = None
        self._given_desk = scenario.desk
        self._desk_readers = SimulatedReaders(
            "operator", "card", clock=self.world.clock, more=MIDDLEWARE
        )
        self._at_desk: Card | None = None
        self._kept: dict[str, Secret] = {}
        self._cards = {card.name: card for card in scenario.cards}
        self._templates = {
            each.name: each for each in rules.templates or scenario.templates
        }
        self._strangers: dict[str, Made[Any]] = {}
        self._blank: dict[str, SimulatedCard] = {}
        self._accounts: dict[str, str] = {}
        self._set_up(scenario)

    # --- the screens of the seat used last --------------------------------------

    @property
    def home(self) -> Home | None:
        return self.seat.home

    @property
    def form(self) -> Form | None:
        return self.seat.form

    @property
    def result(self) -> Result | None:
        return self.seat.result

    @property
    def error(self) -> Message | None:
        """What was shown instead of a home screen."""
        return self.seat.error

    @property
    def progress(self) -> list[Progress]:
        return self.seat.progress

    @property
    def last(self) -> str:
        """The name of the card that was inserted last."""
        return self.seat.last

    @property
    def office(self) -> OfficeDesk:
        """The operators' desk, opened when somebody sits down at it."""
        if self._office is None:
            self._office = OfficeDesk(self.world, self._given_desk)
        return self._office

    def go_to(self, station: str) -> RehearsedState:
        """Turn to a station; silent: stay. NotHere, where the reader is a real one."""
        if station and station not in self._seats:
            if not isinstance(self.world.readers, SimulatedReaders):
                raise NotHere(what=f"a second station ({station})")
            readers = SimulatedReaders(clock=self.world.clock, more=MIDDLEWARE)
            self._seats[station] = RehearsedState(station, readers)
        if station:
            self.seat = self._seats[station]
        return self.seat

    # --- setting up -----------------------------------------------------------

    def _set_up(self, scenario: Scenario) -> None:
        for template in self._templates.values():
            self.world.add_template(template)
        for account in scenario.accounts:
            self._add_account(account)
        for card in scenario.cards:
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

    def _find_issued(self) -> None:
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

    # --- steps ----------------------------------------------------------------

    def play(self, step: language.Step) -> None:
        """Carry out one step (all but `expect`)."""
        match step:
            case (
                language.Insert()
                | language.Pull()
                | language.Choose()
                | language.Type()
                | language.ShowChallenge()
            ):
                self._at_kiosk(self.go_to(step.at), step)
            case language.Operate():
                self.world.operate(step.card, step.event)
            case language.HandOut():
                self._hand_out(step)
            case language.ScenarioSignIn():
                self._sign_in(step)
            case language.AtDesk():
                self._desk(step)
            case language.ScenarioDirectory():
                self._directory(step)
            case language.ScenarioCardFault():
                self.seat.readers.faults.set(step.fault)
            case language.Meanwhile():
                self._meanwhile(step)
            case language.Wait():
                self.world.clock.sleep(step.seconds + step.days * DAY)
            case language.Restart():
                self.world.restart()
                for seat in self._seats.values():
                    seat.visit = None
            case language.Expect():
                raise TypeError("an expectation is not played")

    # --- at a kiosk -------------------------------------------------------------

    def _at_kiosk(self, seat: RehearsedState, step: language.Step) -> None:
        match step:
            case language.Insert():
                self._insert(seat, step.card)
            case language.Pull():
                seat.readers.pull()
                seat.clear()
            case language.Choose():
                seat.guard(lambda: self._choose(seat, step))
            case language.Type():
                seat.guard(lambda: self._type(seat, step))
            case language.ShowChallenge():
                shown = seat.form.challenge if seat.form else None
                spoken = shown.spoken if shown else ""
                self._kept[step.keep] = Secret(spoken.encode())

    def _insert(self, seat: RehearsedState, name: str) -> None:
        seat.readers.pull()
        seat.home = seat.form = seat.result = seat.error = None
        seat.last = name
        card = seat.readers.insert(self.chip(name))
        visit = seat.visit = self.world.visit(card, station=seat.station)

        def recognise() -> None:
            seat.home = visit.recognise()

        seat.guard(recognise)

    def _choose(self, seat: RehearsedState, step: language.Choose) -> None:
        seat.result = seat.error = None
        if seat.visit is not None:
            seat.form = seat.visit.begin(step.action)

    def _type(self, seat: RehearsedState, step: language.Type) -> None:
        if seat.visit is None or seat.form is None:
            raise NothingAsked
        seat.error = None
        answers = Answers(
            {name: self._typed(text) for name, text in step.values.items()},
            confirmed=step.confirm,
        )
        seat.progress.clear()
        seat.result = seat.visit.submit(seat.form, answers, seat.progress.append)

    def _typed(self, text: str) -> Secret:
        if text.startswith("@"):
            return self._kept[text[1:]].copy()
        return Secret(text.encode())

    # --- operators ----------------------------------------------------------------

    def _hand_out(self, step: language.HandOut) -> None:
        hand = {
            "release": self.world.release_code,
            "activation": self.world.activation_code,
        }
        self._kept[step.keep] = hand[step.code](step.card)

    def _sign_in(self, step: language.ScenarioSignIn) -> None:
        card = None
        if step.card:
            own = self.chip(step.card)
            card = self._desk_readers.insert(own, "operator")
        self.office.sign_in(step, card)

    def _desk(self, step: language.AtDesk) -> None:
        if step.insert:
            chip = self.chip(step.insert)
            self._at_desk = self._desk_readers.insert(chip, "card")
            self.office.card_came(self._at_desk)
        if step.pull and self._at_desk is not None:
            self._desk_readers.pull("card")
            self.office.card_left(self._at_desk.insertion)
        secrets = {name: self._typed(text) for name, text in step.secrets.items()}
        fill = {
            name: self._kept[text[1:]].reveal().decode() if text[:1] == "@" else text
            for name, text in step.fill.items()
        }
        kept = self.office.act(replace(step, fill=fill), secrets)
        self._find_issued()
        if step.keep:
            self._kept[step.keep] = Secret(kept.encode())

    # --- everything else --------------------------------------------------------

    def _directory(self, step: language.ScenarioDirectory) -> None:
        directory = self.world.directory
        if step.heal:
            directory.heal()
        if step.fault is not None:
            directory.fail(step.fault)
        if step.change:
            directory.change_account(self.account(step.account), **step.change)
        if step.password:
            self.world.clock.sleep(60.0)
            directory.change_elsewhere(
                self.account(step.account),
                Secret(step.password.encode()),
                must_change=step.must_change,
            )

    def _meanwhile(self, step: language.Meanwhile) -> None:
        def operate() -> None:
            self.world.operate(step.card, Event(step.act))

        act = die if step.act == "die" else operate
        if step.before:
            self.world.authority.before(step.before, act)
        if step.after:
            self.world.authority.after(step.after, act)

    # --- what is observed -----------------------------------------------------

    def shown(self, values: tuple[Message, ...]) -> tuple[str, ...]:
        """Return the keys of what was shown."""
        return tuple(value.key for value in values)

    def fields(self) -> tuple[FieldName, ...]:
        """Return what the form asks for."""
        return self.form.fields if self.form else ()


def _policy(given: language.GivenPolicy) -> PasswordPolicy:
    days = given.maximum_age_days
    return PasswordPolicy(
        source="domain",
        minimum_length=given.minimum_length,
        complexity=given.complexity,
        history=5,
        minimum_age=0.0,
        maximum_age=days * DAY if days else None,
        lockout_threshold=given.lockout_threshold,
    )
