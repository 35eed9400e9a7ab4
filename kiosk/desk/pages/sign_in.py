"""Signing in: with the operator's own card, or with account name and password."""

from __future__ import annotations

from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, go, stay
from kiosk.desk.pages.asking_pin import asking_pin, is_at_reader
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
        asking = asking_pin(
            context.others_card(), "pin", Message("field.current_pin"), is_needed=True
        )
        return Page(
            name="sign_in",
            title=title,
            lines=asking.lines or (PageLine(Message("desk.sign_in.type_pin")),),
            fields=asking.fields,
            action=Message("desk.sign_in.action"),
            choices=choices,
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - one choice
        return go(AccountPage())

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        card = context.others_card()
        if card is None:
            return stay(Message("desk.sign_in.insert"))
        at_reader = is_at_reader(card)
        emit(Message("tui.step.pad" if at_reader else "desk.sign_in.asking"))
        context.session = sign_in.with_card(
            context.authority, card, filled.secrets.get("pin")
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
