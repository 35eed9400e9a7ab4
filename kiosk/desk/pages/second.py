"""A second operator, for what the site does not leave to one person."""

from __future__ import annotations

from kiosk.authority.office.operators import Action
from kiosk.authority.office.ports import Office
from kiosk.authority.office.values import (
    SecondNeeded,
)
from kiosk.core.errors import Message
from kiosk.desk.context import Context
from kiosk.desk.pages.tries import tries_at
from kiosk.desk.views import FieldKind, Filled, PageField
from kiosk.enrollment import sign_in


def second_fields(context: Context, action: Action) -> tuple[PageField, ...]:
    """Return what the second operator fills in; nothing where none is needed.

    With a card in the reader its PIN is asked, else account name and password.
    """
    if action not in context.authority.rules.second_for:
        return ()
    heading = Message("desk.second.heading")
    secret = PageField(
        name="second_secret",
        label=Message("desk.second.pin"),
        kind=FieldKind.SECRET,
        heading=heading,
        help=tries_at(context.others_card()),
    )
    if context.others_card() is not None:
        return (secret,)
    return (
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


def second_of(context: Context, action: Action, filled: Filled) -> Office | None:
    """Sign the second operator in; None where none is needed.

    SecondNeeded, and what signing in raises.
    """
    if action not in context.authority.rules.second_for:
        return None
    secret = filled.secrets.get("second_secret")
    if not secret:
        raise SecondNeeded(action=action)
    card = context.others_card()
    if card is not None and "second_account" not in filled.texts:
        return sign_in.with_card(context.authority, card, secret)
    name = filled.texts.get("second_account", "").strip()
    return context.authority.sign_in_by_account(name, secret)
