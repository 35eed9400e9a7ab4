"""One visit, line by line: home, what is asked, what happens, how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from kiosk.core.secret import Secret
from kiosk.core.untrusted_text import visible
from kiosk.faces.entering import ON_CARD, PUNCTUATION, READ_OUT, takes, wrong_with
from kiosk.faces.error_pages import record, trouble_of
from kiosk.faces.receipt import page, print_page
from kiosk.faces.terminal_line import TerminalGone
from kiosk.faces.visit_wording import (
    again_key,
    at_dead_end,
    choices,
    is_at_stake,
    is_short,
    merged,
    of_broken,
    of_call,
    of_help,
    of_refusals,
    of_rule,
    of_standing,
    of_tries,
)
from kiosk.faces.wording import said, say, whom_to_call
from kiosk.pin.rules import PinRules, check
from kiosk.plain.news import CardGone, EndRequested, TimeIsUp
from kiosk.visit.views import Answers, FieldName, Outcome

if TYPE_CHECKING:
    from kiosk.cards.ports import Card
    from kiosk.plain.talk import Talk
    from kiosk.visit.station import Station
    from kiosk.visit.views import Form, Home, Result
    from statemachine.operation import Kind

T = TypeVar("T")
_WELL = (Outcome.DONE, Outcome.CARD_ONLY)
_INTERRUPTIONS = (CardGone, TimeIsUp, EndRequested, TerminalGone)


class Back(Exception):
    """The person wants to go back to what may be done."""


class PlainVisit:
    """The visit of one inserted card, until it leaves. Main thread."""

    def __init__(self, talk: Talk, station: Station, card: Card) -> None:
        self._talk = talk
        self._station = station
        self._port = station.visit(card)

    def run(self) -> None:
        """Talk until nothing is left to say. CardGone, TimeIsUp, Ended."""
        try:
            self._run()
        except _INTERRUPTIONS:
            raise
        except Exception as error:  # noqa: BLE001 - told to the person, logged here
            record(error)
            trouble = trouble_of(error)
            self._talk.say("", say(f"tui.{trouble.kind}.headline"))
            self._talk.say(said(trouble.message))
            helpdesk = self._station.settings.helpdesk
            self._talk.say(whom_to_call(helpdesk, trouble.kind))
        finally:
            self._station.on_card_worker(self._port.close)
        self._talk.say(say("tui.key.take") + ".")
        self._talk.until_card_leaves()

    def _run(self) -> None:
        home: Home | None = None
        kind: Kind | None = None
        while True:
            if home is None:
                self._talk.say("", say("tui.recognising.text"))
                home = self._ask_card(self._port.recognise)
            if kind is None:
                kind = self._at_home(home)
            if kind is None:
                return
            try:
                result = self._operate(kind)
            except Back:
                self._station.on_card_worker(self._port.leave)
                kind = None
                continue
            home, kind = None, self._after(result)
            if kind is not None:
                home = self._ask_card(self._port.recognise)

    def _ask_card(self, job: Callable[[], T]) -> T:
        return self._talk.result_of(job, self._station.on_card_worker)

    # --- home -----------------------------------------------------------------------

    def _at_home(self, home: Home) -> Kind | None:
        """Say how the card stands; return what is wanted, None: nothing is possible."""
        allowed = [offer.kind for offer in home.actions if offer.allowed]
        self._say_home(home)
        if not allowed:
            return None
        return allowed[
            self._talk.choose(len(allowed), lambda: self._say_home(home)) - 1
        ]

    def _say_home(self, home: Home) -> None:
        talk = self._talk
        talk.say("", f"{visible(home.person)}, {visible(home.account)}")
        talk.say(*of_standing(home))
        if is_short(home):
            talk.say(of_tries(home.tries))
        allowed = [offer for offer in home.actions if offer.allowed]
        desk = self._station.settings.helpdesk
        if allowed:
            talk.say(say("tui.home.question"))
        for number, offer in enumerate(allowed, 1):
            talk.say(f"{number}: {say(f'tui.action.{offer.kind}')}")
            talk.say(f"   {of_help(offer, desk)}")
        refused = of_refusals(home)
        if refused:
            talk.say(say("plain.not_now"))
            talk.say(*(f"- {each}" for each in refused))
        if not allowed:
            talk.say(at_dead_end(home, desk))

    # --- an operation ---------------------------------------------------------------

    def _operate(self, kind: Kind) -> Result:
        """Ask what is to be known and do it. Back."""
        try:
            form = self._ask_card(lambda: self._port.begin(kind))
            answers = self._answers(form)
        except CardGone as gone:
            gone.is_unsent = True
            raise
        self._talk.say("", say("tui.progress.headline"))
        return self._talk.result_of(
            lambda: self._port.submit(form, answers, self._talk.tell_step),
            self._station.on_card_worker,
            must_end=True,
        )

    def _answers(self, form: Form) -> Answers:
        """Ask everything that the form wants to know. Back."""
        answers = Answers({}, confirmed=self._confirm(form))
        try:
            self._explain(form)
            for name in form.fields:
                answers.values[name] = self._fill(form, name, answers)
        except BaseException:
            answers.wipe()
            raise
        return answers

    def _confirm(self, form: Form) -> bool:
        """Have confirmed what must be known before typing. Back."""
        confirm = form.confirm
        if confirm is None:
            return False

        def ask() -> None:
            self._talk.say("", said(confirm))
            for number, choice in enumerate(choices(form), 1):
                self._talk.say(f"{number}: {say(f'tui.confirm.{choice}')}")

        ask()
        if self._talk.choose(2, ask) != 1:
            raise Back
        return True

    def _explain(self, form: Form) -> None:
        talk = self._talk
        talk.say("", say(f"tui.form.{form.kind}"))
        talk.say(*(said(notice) for notice in form.notices))
        if is_at_stake(form):
            talk.say(of_tries(form.tries))
        talk.say(of_call(form, self._station.settings.helpdesk))
        if form.challenge is not None:
            talk.say(form.challenge.spoken)
            talk.say(say("tui.form.challenge_hex", hex=form.challenge.hex))

    def _fill(self, form: Form, name: FieldName, before: Answers) -> Secret:
        """Ask for one field until it can be right. Back."""
        if name is FieldName.NEW_PIN and form.rules is not None:
            return self._new_pin(form, form.rules, _old(before))
        while True:
            typed = self._ask(form, name, say(f"field.{name}"))
            wrong = wrong_with(form, name, typed)
            if wrong is None:
                return typed
            typed.wipe()
            self._talk.refuse(said(wrong))

    def _ask(self, form: Form, name: FieldName, label: str) -> Secret:
        alphabet, maximum = takes(form, name)
        while True:
            typed = self._talk.ask(
                label,
                alphabet,
                maximum,
                is_shown=name in READ_OUT,
                ignores=PUNCTUATION if name in READ_OUT else "",
            )
            if typed is None:
                raise Back
            if isinstance(typed, Secret):
                return typed
            self._talk.refuse(said(typed))

    def _new_pin(self, form: Form, rules: PinRules, old: Secret | None) -> Secret:
        """Ask for a PIN that meets every rule, twice."""
        talk = self._talk
        with Secret(b"") as nothing:
            talk.say(say("tui.rules.title"))
            for verdict in merged(rules, check(rules, nothing, old)):
                talk.say(f"- {of_rule(verdict.rule, rules)}")
        while True:
            new = self._ask(form, FieldName.NEW_PIN, say("field.new_pin"))
            verdicts = merged(rules, check(rules, new, old))
            broken = [it for it in verdicts if not it.holds]
            if broken:
                new.wipe()
                why = ", ".join(of_broken(it, rules) for it in broken)
                talk.refuse(say("tui.form.rules_first", rule=why))
                continue
            try:
                with self._ask(
                    form, FieldName.NEW_PIN, say("field.new_pin_again")
                ) as again:
                    if new.matches(again):
                        return new
            except BaseException:
                new.wipe()
                raise
            new.wipe()
            talk.refuse(say("tui.form.not_same"))

    # --- how it ended ---------------------------------------------------------------

    def _after(self, result: Result) -> Kind | None:
        """Say how it ended; return what is to be tried again, if anything is."""
        again = [] if result.again is None else [say(again_key(result))]
        home = [say("tui.key.home")]
        paper = [say("tui.key.print")] if self._station.settings.print_with else []
        choices = again + home + paper

        def ask() -> None:
            self._say_result(result)
            for number, choice in enumerate(choices, 1):
                self._talk.say(f"{number}: {choice}")
            self._talk.say(say("tui.key.take") + ".")

        ask()
        while True:
            chosen = choices[self._talk.choose(len(choices), ask) - 1]
            if chosen in paper:
                self._print(result)
            else:
                return result.again if chosen in again else None

    def _say_result(self, result: Result) -> None:
        talk = self._talk
        talk.say("", said(result.headline))
        talk.say(*(said(fact) for fact in result.facts))
        if result.advice:
            talk.say(say("tui.result.next"))
            talk.say(*(f"- {said(advice)}" for advice in result.advice))
        if result.event:
            talk.say(say("tui.result.event", event=result.event))
        if result.outcome not in _WELL:
            talk.say(whom_to_call(self._station.settings.helpdesk))

    def _print(self, result: Result) -> None:
        settings = self._station.settings
        text = page(settings, result)
        outcome = self._talk.result_of(
            lambda: print_page(settings, text), self._station.beside
        )
        self._talk.say(said(outcome))


def _old(answers: Answers) -> Secret | None:
    """The PIN that the card has now, where it was typed."""
    return next((it for name, it in answers.values.items() if name in ON_CARD), None)
