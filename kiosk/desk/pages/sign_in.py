"""Signing in: with the operator's own card, or with account name and password."""

from __future__ import annotations

from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, go, stay
from kiosk.desk.pages.tries import tries_at
from kiosk.desk.views import Choice, Emit, FieldKind, Filled, Page, PageField, PageLine
from kiosk.enrollment import sign_in


class SignInPage(Plain):
    """Asks for a card, then its PIN."""

    def show(self, context: Context) -> Page:
        title = Message("desk.sign_in.title")
        choices: tuple[Choice, ...] = ()
        if context.authority.rules.with_account:
            choices = (Choice("account", Message("desk.sign_in.by_account")),)
        if not context.cards:
            return Page(
                name="sign_in",
                title=title,
                lines=(PageLine(Message("desk.sign_in.insert")),),
                choices=choices,
            )
        if context.others_card() is None:
            return Page(
                name="sign_in",
                title=title,
                lines=(PageLine(Message("desk.sign_in.two_cards")),),
            )
        return Page(
            name="sign_in",
            title=title,
            lines=(PageLine(Message("desk.sign_in.type_pin")),),
            fields=(
                PageField(
                    name="pin",
                    label=Message("field.current_pin"),
                    kind=FieldKind.SECRET,
                    is_needed=True,
                    help=tries_at(context.others_card()),
                ),
            ),
            action=Message("desk.sign_in.action"),
            choices=choices,
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - one choice
        return go(AccountPage())

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        card = context.others_card()
        if card is None:
            return stay(Message("desk.sign_in.insert"))
        emit(Message("desk.sign_in.asking"))
        context.session = sign_in.with_card(
            context.authority, card, filled.secrets["pin"]
        )
        context.own_insertion = card.insertion
        return stay()


class AccountPage(Plain):
    """Account name and password."""

    def show(self, context: Context) -> Page:  # noqa: ARG002 - the same for all
        return Page(
            name="sign_in_account",
            title=Message("desk.sign_in.title"),
            fields=(
                PageField(
                    name="account",
                    label=Message("desk.field.account"),
                    is_needed=True,
                ),
                PageField(
                    name="password",
                    label=Message("desk.field.password"),
                    kind=FieldKind.PASSWORD,
                    is_needed=True,
                ),
            ),
            action=Message("desk.sign_in.action"),
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        emit(Message("desk.sign_in.asking"))
        context.session = context.authority.sign_in_by_account(
            filled.texts["account"].strip(), filled.secrets["password"]
        )
        return stay()
