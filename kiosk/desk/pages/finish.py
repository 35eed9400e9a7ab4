"""Finish an out-of-step case with the person, who types the card's PIN here.

The same visit as at a kiosk; only the holder's own PIN can end it.
"""

from __future__ import annotations

from kiosk.authority.local import LocalAuthority
from kiosk.cards.ports import Card
from kiosk.desk.context import Context, Move, Plain, back, stay
from kiosk.desk.views import Emit, Field, FieldKind, Filled, Line, Page, Style
from kiosk.enrollment.desk import is_own_card, refuse
from kiosk.errors import Message
from kiosk.visit.run import Workplace
from kiosk.visit.views import Answers, FieldName, Outcome, Progress, StepState
from kiosk.visit.visit import Visit
from kiosk.workers import InlineWorker
from statemachine.operation import Kind
from storage.records import Credential


class FinishPage(Plain):
    """Wants the holder's card in the reader, and its PIN."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def show(self, context: Context) -> Page:
        there = context.others_card() is not None
        lines = [Line(Message("desk.finish.about"))]
        if not there:
            lines.append(Line(Message("desk.finish.insert"), Style.WARNING))
        pin = Field(
            name="pin", label=Message("field.current_pin"), kind=FieldKind.SECRET
        )
        return Page(
            name="finish",
            title=Message("desk.finish.title", {"holder": self._credential.holder}),
            lines=tuple(lines),
            fields=(pin,) if there else (),
            action=Message("desk.act.finish") if there else None,
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        card = context.others_card()
        if card is None:
            return stay(Message("desk.finish.insert"))
        desk, credential = context.desk, self._credential
        if is_own_card(desk, credential.account_guid, credential.account):
            own = Message("refusal.own_card")
            refuse(desk, "operation.not_opened", credential.id, own)
        return self._finish(context, card, filled, emit)

    def _finish(self, context: Context, card: Card, filled: Filled, emit: Emit) -> Move:
        visit = Visit(
            Workplace(
                card=card,
                authority=LocalAuthority(context.parts),
                worker=InlineWorker(),
                station=context.site.station,
            )
        )
        home = visit.recognise()
        if home.account != self._credential.account:
            return stay(Message("card.wrong_card"))
        offer = next(each for each in home.actions if each.kind is Kind.FINISH)
        if not offer.allowed:
            return stay(offer.reason)
        form = visit.begin(Kind.FINISH)
        typed = {FieldName.CURRENT_PIN: filled.secrets["pin"].copy()}
        answers = Answers(typed, confirmed=True)
        result = visit.submit(form, answers, lambda step: _told(step, emit))
        if result.outcome is Outcome.DONE:
            return back(result.headline)
        return stay(result.headline)


def _told(progress: Progress, emit: Emit) -> None:
    if progress.state is StepState.DONE:
        emit(Message(f"step.{progress.step}"))
