"""The PIN screen: tries before typing, every rule live, the new PIN twice."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Digits

from kiosk.core.errors import Message as Sentence
from kiosk.faces.glyphs import marks
from kiosk.faces.visit_wording import is_at_stake, of_call
from kiosk.faces.wording import said, say
from kiosk.tui.entries import Entries
from kiosk.tui.messages import Told
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.bars import KeyBar, KeyHint
from kiosk.tui.widgets.field import TypedField
from kiosk.tui.widgets.panels import Bullet, line
from kiosk.tui.widgets.pin_field import PinField
from kiosk.tui.widgets.rules import RuleList
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.tui.widgets.spoken_fields import CodeField
from kiosk.tui.widgets.tries_line import TriesLine
from kiosk.visit.station import FaceSettings
from kiosk.visit.views import Answers, Form

_ESC = KeyHint("Esc", "tui.key.leave_form")


class FormScreen(KioskScreen):
    """Collects what a form asks for."""

    CSS_PATH = "form.tcss"

    class FormFilled(Told):
        """Everything is typed; `take` hands it over. Carries no value itself."""

        def __init__(self, screen: FormScreen) -> None:
            super().__init__()
            self.screen = screen

    class Cancelled(Told):
        """The person went back."""

    def __init__(
        self, settings: FaceSettings, form: Form, *, is_confirmed: bool
    ) -> None:
        super().__init__(settings)
        self.form = form
        self._is_confirmed = is_confirmed
        self._entries = Entries(form, self._submitted, self._changed)
        self._problem = Bullet("", "", classes="problem")
        """What is not right yet; empty: nothing is known to be wrong."""
        self._told = ""
        self.KEYS = self._keys("tui.key.show")

    def _keys(self, showing: str) -> tuple[KeyHint, ...]:
        shown = (KeyHint("F3", showing),) if self._pins() else ()
        return (KeyHint("Enter", "tui.key.next"), *shown, _ESC)

    def _pins(self) -> list[PinField]:
        """What F3 shows; nothing where all PINs are typed at a reader's own keys."""
        return [field for field in self._entries.fields if isinstance(field, PinField)]

    # --- what it looks like -----------------------------------------------------

    def body(self) -> Iterable[Widget]:
        form = self.form
        yield line(say(f"tui.form.{form.kind}"), classes="headline")
        for notice in form.notices:
            yield Bullet(marks().attention, said(notice), classes="notice")
        yield from self._challenge()
        fields = Vertical(*self._entries.fields, id="fields")
        beside = [RuleList(id="rules")]
        tries = [TriesLine(form.tries)] if is_at_stake(form) else []
        yield Horizontal(fields, Vertical(*tries, *beside, id="beside"), id="columns")
        yield self._problem
        if form.challenge is None:
            yield line(of_call(form, self.settings.helpdesk), classes="call")

    def _challenge(self) -> Iterable[Widget]:
        """Whom to call and what to read out, where the card waits for an answer."""
        challenge = self.form.challenge
        if challenge is not None:
            yield line(of_call(self.form, self.settings.helpdesk), classes="told")
            yield line(challenge.spoken, classes="spoken")
            if self.settings.big_digits:
                yield Digits(challenge.spoken)
            yield line(
                say("tui.form.challenge_hex", hex=challenge.hex), classes="muted"
            )

    def on_mount(self) -> None:
        self.set_focus(self._entries.fields[0])
        self._judge()

    def _hint(self, hint: Sentence | None) -> None:
        told = said(hint) if hint else ""
        if told != self._told:  # a key that says nothing new moves nothing
            self._told = told
            self._problem.say(marks().failed if told else "", told)

    # --- typing -------------------------------------------------------------------

    def _changed(self, field: TypedField) -> None:
        refusal = field.typed.refusal
        if refusal is not None:
            self.app.bell()
        self._hint(refusal or self._misheard(field))
        self._judge()

    def _misheard(self, field: TypedField) -> Sentence | None:
        """Say at its last digit that a code was heard or typed wrongly."""
        if isinstance(field, CodeField) and len(field) == field.typed.maximum:
            return self._entries.wrong_with(field)
        return None

    def _submitted(self, field: TypedField) -> None:
        """Go to the next field, or to what is not right yet; or on."""
        is_last = field is self._entries.fields[-1]
        for each in self._entries.fields:
            if not is_last and each is not field:
                continue
            wrong = self._entries.wrong_with(each)
            if wrong is not None:
                self._start_over(each, wrong)
                return
        if is_last:
            self.tell(self.FormFilled(self))
        else:
            self.focus_next()

    def _start_over(self, field: SecretField, wrong: Sentence) -> None:
        self.turn.cut()
        self._hint(wrong)
        self.set_focus(self._entries.start_over(field))
        self._judge()

    def pressed(self, key: events.Key) -> bool:
        match key.key:
            case "escape":
                self.tell(self.Cancelled())
            case "f3":
                self._show_or_hide()
            case "down":
                self.focus_next()
            case "up":
                self.focus_previous()
            case _:
                return False
        return True

    def _show_or_hide(self) -> None:
        pins = self._pins()
        is_shown = not any(pin.is_shown for pin in pins)
        for pin in pins:
            pin.is_shown = is_shown
        showing = "tui.key.hide" if is_shown else "tui.key.show"
        self.query_one(KeyBar).show(*self._keys(showing))

    def _judge(self) -> None:
        """Show how the new PIN stands to every rule."""
        rules = self.form.rules
        if rules is not None:
            verdicts = self._entries.verdicts(rules)
            shown = self.query_one(RuleList)
            shown.show(rules, verdicts, is_same=self._entries.is_same)

    # --- handing over ---------------------------------------------------------------

    def take(self) -> Answers:
        """Hand over what was typed and wipe the fields. The visit wipes the answers."""
        return Answers(self._entries.take(), confirmed=self._is_confirmed)
