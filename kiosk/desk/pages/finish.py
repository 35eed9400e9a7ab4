"""Finish an out-of-step case with the person, who types the card's PIN here.

The same visit as at a kiosk: what the form announces is shown before anything is typed,
and shown anew when it has changed. Only the holder's own PIN can end it.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.cards.ports import Card
from kiosk.core.errors import KioskError, Message
from kiosk.core.workers import InlineWorker
from kiosk.desk.context import Context, Move, Plain, done, stay
from kiosk.desk.pages.asking_pin import tries_at
from kiosk.desk.views import Emit, FieldKind, Filled, Page, PageField, PageLine, Style
from kiosk.visit.run import Workplace
from kiosk.visit.views import Answers, FieldName, Form, Outcome, Progress, StepState
from kiosk.visit.visit import Visit
from statemachine.operation import Kind
from storage.records import Credential


@dataclass(frozen=True, slots=True)
class _Shown:
    """The card that is there, and what its holder is told."""

    insertion: int
    visit: Visit
    form: Form | None
    refusal: Message | None
    """Why there is no form."""


class FinishPage(Plain):
    """Wants the holder's card in the reader, and its PIN."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._shown: _Shown | None = None

    def show(self, context: Context) -> Page:
        card = context.others_card()
        shown = self._shown = None if card is None else self._looked_at(context, card)
        lines = [PageLine(Message("desk.finish.about"))]
        if shown is None:
            lines.append(PageLine(Message("desk.finish.insert"), Style.WARNING))
        else:
            lines += _told(shown)
        form = shown.form if shown else None
        return Page(
            name="finish",
            title=Message("desk.finish.title", {"holder": self._credential.holder}),
            lines=tuple(lines),
            fields=()
            if form is None
            else tuple(_field(each, tries_at(card)) for each in form.fields),
            action=None if form is None else Message("desk.act.finish"),
            asks_own_key=True,
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        shown, self._shown = self._shown, None
        if shown is None or shown.form is None or context.others_card() is None:
            return stay(Message("desk.finish.insert"))
        context.office.must_not_be_own(self._credential.id)
        typed = {
            FieldName(name): secret.copy() for name, secret in filled.secrets.items()
        }
        # The page has said what the form wants confirmed, above the field.
        answers = Answers(typed, confirmed=True)
        result = shown.visit.submit(shown.form, answers, lambda step: _say(step, emit))
        if result.outcome is Outcome.DONE:
            return done(result.headline, back=1)
        return stay(result.headline)

    def _looked_at(self, context: Context, card: Card) -> _Shown:
        """Recognise the card, once for each insertion and each try."""
        if self._shown is not None and self._shown.insertion == card.insertion:
            return self._shown
        workplace = Workplace(
            card=card,
            authority=context.office.visit_port(),
            worker=InlineWorker(),
        )
        visit = Visit(workplace)
        form = refusal = None
        try:
            home = visit.recognise()
            offer = next(each for each in home.actions if each.kind is Kind.FINISH)
            if home.credential != self._credential.id:
                refusal = Message("card.wrong_card")
            elif offer.allowed:
                form = visit.begin(Kind.FINISH)
            else:
                refusal = offer.reason
        except KioskError as error:
            refusal = error.message
        return _Shown(card.insertion, visit, form, refusal)


def _told(shown: _Shown) -> list[PageLine]:
    """Say what will happen, or why nothing can."""
    if shown.form is None:
        return [PageLine(shown.refusal, Style.WARNING)] if shown.refusal else []
    lines = [PageLine(notice) for notice in shown.form.notices]
    if shown.form.confirm is not None:
        lines.append(PageLine(shown.form.confirm, Style.WARNING))
    return lines


def _field(name: FieldName, tries: Message | None) -> PageField:
    return PageField(
        name=name,
        label=Message(f"field.{name}"),
        kind=FieldKind.SECRET,
        is_needed=True,
        help=tries,
    )


def _say(progress: Progress, emit: Emit) -> None:
    if progress.state is StepState.DONE:
        emit(Message(f"step.{progress.step}"))
