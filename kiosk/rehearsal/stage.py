"""A scenario set up: the world it asks for, and the hands that carry out its steps."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.cards.ports import CardError, KeyAlgorithm
from kiosk.cards.simulated.options import of_variant
from kiosk.clock import ManualClock, SystemClock
from kiosk.directory.ports import DirectoryError, PasswordPolicy
from kiosk.entropy import SeededEntropy, SystemEntropy
from kiosk.errors import KioskError, Message
from kiosk.rehearsal import scenario as language
from kiosk.rehearsal.grounds import Domain, Readers
from kiosk.rehearsal.interference import ProcessDied, die
from kiosk.rehearsal.scenario import GivenCard, Scenario
from kiosk.rehearsal.world import World
from kiosk.secret import Secret
from kiosk.visit.views import Answers, FieldName, Form, Home, Progress, Result
from kiosk.visit.visit import Visit
from statemachine.lifecycle import Event, State
from storage.records import FirstPin, Sync
from storage.registry import RegistryError


class Stage:
    """What the runner plays on. `home`, `form`, `result` are the last ones shown."""

    def __init__(
        self,
        scenario: Scenario,
        readers: Readers | None = None,
        domain: Domain | None = None,
    ) -> None:
        given = scenario.policy
        policy = PasswordPolicy(
            source="domain",
            minimum_length=given.minimum_length,
            complexity=given.complexity,
            history=5,
            minimum_age=0.0,
            maximum_age=None,
            lockout_threshold=given.lockout_threshold,
        )
        clock = SystemClock() if readers or domain else ManualClock()
        self.world = World(
            clock=clock,
            entropy=SystemEntropy() if readers or domain else SeededEntropy(1),
            policy=policy,
            readers=readers,
            domain=domain,
        )
        self.home: Home | None = None
        self.form: Form | None = None
        self.result: Result | None = None
        self.error: Message | None = None
        """What was shown instead of a home screen."""
        self.progress: list[Progress] = []
        self.last = ""
        """The name of the card that was inserted last."""
        self._visit: Visit | None = None
        self._codes: dict[str, Secret] = {}
        self._cards = {card.name: card for card in scenario.cards}
        self._templates = {each.name: each for each in scenario.templates}
        self._strangers: dict[str, object] = {}
        self._accounts: dict[str, str] = {}
        self._set_up(scenario)

    # --- setting up -----------------------------------------------------------

    def _set_up(self, scenario: Scenario) -> None:
        for template in scenario.templates:
            self.world.add_template(template)
        for account in scenario.accounts:
            self._accounts[account.name] = self.world.directory.add_account(
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
        for card in scenario.cards:
            self._add_card(card)

    def _add_card(self, card: GivenCard) -> None:
        guid = b""
        if card.looks_like:
            guid = self.world.holders[card.looks_like].made.identity.value
        made, puk = self.world.make_card(
            card.name,
            pin=card.pin.encode(),
            algorithm=KeyAlgorithm(card.key),
            options=of_variant(card.variant) if card.variant else None,
            with_card_authentication=card.card_authentication,
            guid=guid,
        )
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
        )

    def made(self, name: str) -> object:
        """Return the card of that name, registered or not."""
        if name in self._strangers:
            return self._strangers[name]
        return self.world.holders[name].made

    def account(self, name: str) -> str:
        """Return the objectGUID of an account."""
        return self._accounts[name]

    # --- steps ----------------------------------------------------------------

    def play(self, step: language.Step) -> None:
        """Carry out one step (all but `expect`)."""
        match step:
            case language.Insert():
                self._insert(step.card)
            case language.Pull():
                self.world.readers.pull()
                self.home = self.form = None
            case language.Choose():
                self._guard(lambda: self._choose(step))
            case language.Type():
                self._guard(lambda: self._type(step))
            case language.Operate():
                self.world.operate(step.card, step.event)
            case language.HandOut():
                self._hand_out(step)
            case language.Directory():
                self._directory(step)
            case language.CardFault():
                self.world.readers.faults.set(step.fault)
            case language.Meanwhile():
                self._meanwhile(step)
            case language.Wait():
                self.world.clock.sleep(step.seconds)
            case language.Restart():
                self.world.restart()
                self._visit = None
            case language.Expect():
                raise TypeError("an expectation is not played")

    def _insert(self, name: str) -> None:
        self.world.readers.pull()
        self.home = self.form = self.result = self.error = None
        self.last = name
        made = self.made(name)
        card = self.world.readers.insert(made.card)  # type: ignore[attr-defined]  # MadeCard of either kind
        self._visit = self.world.visit(card)
        self._guard(self._recognise)

    def _recognise(self) -> None:
        if self._visit is not None:
            self.home = self._visit.recognise()

    def _choose(self, step: language.Choose) -> None:
        self.result = None
        if self._visit is not None:
            self.form = self._visit.begin(step.action)

    def _type(self, step: language.Type) -> None:
        if self._visit is None or self.form is None:
            raise TypeError("nothing asks for anything now")
        answers = Answers(
            {name: self._typed(text) for name, text in step.values.items()},
            confirmed=step.confirm,
        )
        self.progress.clear()
        self.result = self._visit.submit(self.form, answers, self.progress.append)

    def _typed(self, text: str) -> Secret:
        if text.startswith("@"):
            return self._codes[text[1:]].copy()
        return Secret(text.encode())

    def _guard(self, act: Callable[[], None]) -> None:
        """Keep what a face would show instead; a dead process shows nothing."""
        try:
            act()
        except (KioskError, CardError, DirectoryError) as error:
            self.error = error.message
        except RegistryError as error:
            self.error = Message(error.code, dict(error.data))
        except ProcessDied:
            self.home = self.form = self.result = None

    def _hand_out(self, step: language.HandOut) -> None:
        hand = {
            "release": self.world.release_code,
            "activation": self.world.activation_code,
        }
        self._codes[step.keep] = hand[step.code](step.card)

    def _directory(self, step: language.Directory) -> None:
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
                self.account(step.account), Secret(step.password.encode())
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
