"""Suspend, resume, revoke, retire, close: with a reason, and a second operator
where the site wants one.
"""

from __future__ import annotations

from kiosk.authority.office.operators import Action
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, done, stay
from kiosk.desk.pages.second import asking_second, second_of
from kiosk.desk.views import Emit, Filled, Page, PageField, PageLine, Style
from storage.records import Credential


class ReasonPage(Plain):
    """Asks why, and does it."""

    def __init__(self, credential: Credential, action: Action) -> None:
        self._credential = credential
        self._action = action

    def show(self, context: Context) -> Page:
        holder = {"holder": self._credential.holder}
        lines = [PageLine(Message(f"desk.about.{self._action}"))]
        if self._action is Action.REVOKE:
            account = {"account": self._credential.account}
            advice = Message("enrollment.revoked_advice", account)
            lines.append(PageLine(advice, Style.WARNING))
        second = asking_second(context, self._action)
        return Page(
            name=f"act_{self._action}",
            title=Message(f"desk.act_title.{self._action}", holder),
            lines=tuple(lines),
            below=second.lines,
            fields=(
                PageField(name="reason", label=Message("desk.field.reason")),
                *second.fields,
            ),
            action=Message(f"desk.act.{self._action}"),
            asks_own_key=True,
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        reason = filled.texts["reason"].strip()
        if not reason:
            return stay(Message("desk.reason_needed"))
        emit(Message("desk.working"))
        if self._action is Action.CLOSE:
            context.office.close_case(self._credential.id, reason)
            return done(Message("desk.closed"), back=1)
        second = second_of(context, self._action, filled, emit)
        after = context.office.act(self._action, self._credential.id, reason, second)
        told = {"holder": after.holder, "state": after.state}
        if self._action is Action.REVOKE:
            account = {"account": after.account}
            return done(Message("enrollment.revoked_advice", account), back=1)
        return done(Message("enrollment.now", told), back=1)
