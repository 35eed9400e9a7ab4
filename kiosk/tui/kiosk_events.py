"""Between messages and the table: which event a message is, and what a deed asks.

UI thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.tui import messages as told
from kiosk.tui.screens.confirm import ConfirmScreen
from kiosk.tui.screens.form import FormScreen
from kiosk.tui.screens.home import HomeScreen
from kiosk.tui.screens.result import ResultScreen
from kiosk.visit.views import Answers
from statemachine.self_service import Deed, SelfServiceEvent

if TYPE_CHECKING:
    from kiosk.tui.conversation import Conversation


def event_of(message: told.Told) -> SelfServiceEvent | None:
    """Say what a message means in the table; None: nothing."""
    match message:
        case told.Recognised():
            is_open = any(offer.allowed for offer in message.home.actions)
            return (
                SelfServiceEvent.RECOGNISED
                if is_open
                else SelfServiceEvent.NOTHING_OFFERED
            )
        case told.FormReady():
            asks = message.form.confirm is not None
            return (
                SelfServiceEvent.QUESTION_READY if asks else SelfServiceEvent.FORM_READY
            )
        case told.Ended():
            return SelfServiceEvent.ENDED
        case told.Failed():
            return SelfServiceEvent.FAILED
        case HomeScreen.KindChosen():
            return SelfServiceEvent.CHOSEN
        case ConfirmScreen.Decided(is_yes=True):
            has_more = bool(message.form.fields)
            return (
                SelfServiceEvent.CONFIRMED
                if has_more
                else SelfServiceEvent.CONFIRMED_ALL
            )
        case ConfirmScreen.Decided() | FormScreen.Cancelled():
            return SelfServiceEvent.BACK
        case FormScreen.FormFilled():
            return SelfServiceEvent.FILLED
        case ResultScreen.Again():
            return SelfServiceEvent.AGAIN
        case ResultScreen.Left():
            return SelfServiceEvent.DONE_READING
    return None


def ask(visit: Conversation, deed: Deed, message: told.Told | None) -> None:
    """Ask the visit what a deed wants of it."""
    match deed, message:
        case Deed.ASK, HomeScreen.KindChosen():
            visit.begin(message.kind)
        case Deed.ASK, ResultScreen.Again():
            visit.begin_again(message.kind)
        case Deed.LOOK_AGAIN, _:
            visit.recognise()
        case Deed.LEAVE_FORM, _:
            visit.leave()
        case Deed.SUBMIT, FormScreen.FormFilled():
            visit.submit(message.screen.form, message.screen.take())
        case Deed.SUBMIT, ConfirmScreen.Decided():
            visit.submit(message.form, Answers({}, confirmed=True))
