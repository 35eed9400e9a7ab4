"""Release an unblock: the caller is verified, then a code or an answer is read out."""

from __future__ import annotations

from kiosk.authority.office import desk, holder_codes, telephone_unblock
from kiosk.authority.office.operators import Action
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.desk.context import Context, Move, Plain, instead
from kiosk.desk.pages.second import second_fields, second_of
from kiosk.desk.views import Emit, Filled, Page, PageField, PageLine, Style
from kiosk.pin.codes import grouped
from storage.records import ApprovalKind, Credential


def _questions(context: Context) -> tuple[PageLine, ...]:
    asked = context.site.questions
    if not asked:
        return (PageLine(Message("desk.verify_caller"), Style.WARNING),)
    return (
        PageLine(Message("desk.ask_caller"), Style.WARNING),
        *(PageLine(f"· {question}") for question in asked),
    )


class ReleasePage(Plain):
    """Questions first; the code is shown once, on a page of its own."""

    def __init__(self, credential: Credential, kind: ApprovalKind) -> None:
        self._credential = credential
        self._kind = kind
        self._warned = False
        """The operator was told that one try may be left."""

    def _may_spend_last_try(self, context: Context) -> bool:
        """Looked at anew: the card may have been at a kiosk meanwhile."""
        if self._kind is not ApprovalKind.RELEASE:
            return False
        return holder_codes.spends_last_try(
            *desk.as_of_now(context.desk, self._credential)
        )

    def show(self, context: Context) -> Page:
        self._warned = self._may_spend_last_try(context)
        warning = PageLine(Message("desk.puk_last_try"), Style.WARNING)
        return Page(
            name=f"release_{self._kind}",
            title=Message(
                f"desk.release.{self._kind}", {"holder": self._credential.holder}
            ),
            lines=(*_questions(context), *((warning,) if self._warned else ())),
            fields=second_fields(context, Action.RELEASE),
            action=Message("desk.release.action"),
            asks_own_key=True,
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        emit(Message("desk.working"))
        second = second_of(context, Action.RELEASE, filled)
        given = holder_codes.give(
            context.desk, self._credential, self._kind, second, last_try=self._warned
        )
        told = Message(
            f"enrollment.code_{self._kind}", {"holder": self._credential.holder}
        )
        with given.code as code:
            return instead(ReadOutPage(told, grouped(code), given.validity))


class AnswerPage(Plain):
    """The caller's challenge in, its answer out."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def show(self, context: Context) -> Page:
        holder = {"holder": self._credential.holder}
        return Page(
            name="answer",
            title=Message("desk.answer", holder),
            lines=_questions(context),
            fields=(
                PageField(
                    name="challenge",
                    label=Message("enrollment.challenge", holder),
                ),
                *second_fields(context, Action.RELEASE),
            ),
            action=Message("desk.answer_action"),
            asks_own_key=True,
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        emit(Message("desk.working"))
        second = second_of(context, Action.RELEASE, filled)
        with Secret(filled.texts["challenge"].encode("ascii", "replace")) as challenge:
            spoken = telephone_unblock.answer(
                context.desk, self._credential, challenge, second
            )
        return instead(
            ReadOutPage(Message("enrollment.read_out"), spoken, Message("desk.once"))
        )


class ReadOutPage(Plain):
    """What is read out, and how long it counts. Gone when the page is left."""

    def __init__(self, told: Message, spoken: str, validity: Message) -> None:
        self._told = told
        self._spoken = spoken
        self._validity = validity

    def show(self, context: Context) -> Page:  # noqa: ARG002 - the same for all
        return Page(
            name="read_out",
            title=Message("desk.read_out"),
            lines=(
                PageLine(self._told),
                PageLine(self._spoken, Style.CODE),
                PageLine(self._validity, Style.MUTED),
            ),
        )
