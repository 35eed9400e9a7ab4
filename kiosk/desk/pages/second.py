"""A second operator, for what the site does not leave to one person."""

from __future__ import annotations

from kiosk.authority.office.errors import SecondNeeded
from kiosk.authority.office.operators import Action
from kiosk.authority.office.ports import Office
from kiosk.core.errors import Message
from kiosk.desk.context import Context
from kiosk.desk.pages.asking_pin import AskingPin, asking_pin, is_at_reader
from kiosk.desk.views import Emit, FieldKind, Filled, PageField, PageLine, Style
from kiosk.enrollment import sign_in


def asking_second(context: Context, action: Action) -> AskingPin:
    """Return how the second operator is asked; nothing where none is needed.

    With a card in the reader its PIN is asked, else account name and password.
    """
    if action not in context.authority.rules.second_for:
        return AskingPin()
    heading = Message("desk.second.heading")
    card = context.others_card()
    if card is not None:
        asking = asking_pin(
            card, "second_secret", Message("desk.second.pin"), heading=heading
        )
        told = () if asking.fields else (PageLine(heading, Style.HEADING),)
        return AskingPin(fields=asking.fields, lines=(*told, *asking.lines))
    fields = (
        PageField(
            name="second_account",
            label=Message("desk.field.account"),
            heading=heading,
        ),
        PageField(
            name="second_secret",
            label=Message("desk.field.password"),
            kind=FieldKind.PASSWORD,
        ),
    )
    return AskingPin(fields=fields)


def second_of(
    context: Context, action: Action, filled: Filled, emit: Emit
) -> Office | None:
    """Sign the second operator in; None where none is needed.

    SecondNeeded, and what signing in raises.
    """
    if action not in context.authority.rules.second_for:
        return None
    secret, card = filled.secrets.get("second_secret"), context.others_card()
    by_card = card is not None and "second_account" not in filled.texts
    if card is not None and by_card and is_at_reader(card):
        emit(Message("tui.step.pad"))
        return sign_in.with_card(context.authority, card, None)
    if not secret:
        raise SecondNeeded(action=action)
    if card is not None and by_card:
        return sign_in.with_card(context.authority, card, secret)
    name = filled.texts.get("second_account", "").strip()
    return context.authority.sign_in_by_account(name, secret)
