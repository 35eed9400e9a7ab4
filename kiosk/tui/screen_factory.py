"""Which screen tells what: the scenes of a visit, made fresh each time."""

from __future__ import annotations

from kiosk.core.errors import Message
from kiosk.faces.error_pages import ErrorPage
from kiosk.faces.visit_wording import expected
from kiosk.faces.wording import said, say
from kiosk.tui.screens.confirm import ConfirmScreen
from kiosk.tui.screens.form import FormScreen
from kiosk.tui.screens.home import HomeScreen
from kiosk.tui.screens.message import MessageScreen
from kiosk.tui.screens.progress import ProgressScreen
from kiosk.tui.screens.result import ResultScreen
from kiosk.tui.widgets.bars import KeyHint
from kiosk.visit.station import FaceSettings
from kiosk.visit.views import Form, Home, Result

_TAKE = (KeyHint("", "tui.key.take"),)


class ScreenFactory:
    """Makes screens for one site's settings."""

    def __init__(self, settings: FaceSettings) -> None:
        self._settings = settings

    # --- without a person -------------------------------------------------------

    def out_of_service(self, missing: tuple[Message, ...]) -> MessageScreen:
        """What this station lacks, before a card is inserted."""
        text = say("tui.out_of_service.text")
        faults = [said(message) for message in missing]
        return self._tell("out_of_service", text, *faults, is_dead_end=True)

    def unreadable(self) -> MessageScreen:
        """Something is in the reader that does not answer."""
        return self._tell("unreadable", say("tui.unreadable.text"), keys=_TAKE)

    def two_cards(self, *, is_unsent: bool) -> MessageScreen:
        """One card too many. `is_unsent`: it came in the middle of a form."""
        unsent = (say("tui.unsent.text"),) if is_unsent else ()
        return self._tell("two_cards", say("tui.two_cards.text"), *unsent, keys=_TAKE)

    def forgotten(self) -> MessageScreen:
        """A card was left behind."""
        return self._tell("forgotten", say("tui.forgotten.text"), keys=_TAKE)

    def unsent(self) -> MessageScreen:
        """A card left before anything of what its person chose was sent."""
        return self._tell("unsent", say("tui.unsent.text"))

    # --- with one ---------------------------------------------------------------

    def recognising(self) -> MessageScreen:
        """The card is being read and judged."""
        return self._tell("recognising", say("tui.recognising.text"))

    def trouble(self, trouble: ErrorPage) -> MessageScreen:
        """The visit cannot go on."""
        text = said(trouble.message)
        return self._tell(trouble.kind, text, is_dead_end=True, keys=_TAKE)

    def home(self, home: Home) -> HomeScreen:
        """What may be done."""
        return HomeScreen(self._settings, home)

    def confirm(self, form: Form) -> ConfirmScreen:
        """What to know before typing."""
        return ConfirmScreen(self._settings, form)

    def form(self, form: Form, *, is_confirmed: bool) -> FormScreen:
        """What to type."""
        return FormScreen(self._settings, form, is_confirmed=is_confirmed)

    def progress(self, form: Form) -> ProgressScreen:
        """The steps as they happen."""
        return ProgressScreen(self._settings, expected(form))

    def result(self, result: Result) -> ResultScreen:
        """How it ended."""
        return ResultScreen(self._settings, result)

    def _tell(
        self,
        kind: str,
        *lines: str,
        is_dead_end: bool = False,
        keys: tuple[KeyHint, ...] = (),
    ) -> MessageScreen:
        return MessageScreen(
            self._settings, kind, *lines, is_dead_end=is_dead_end, keys=keys
        )
