"""Release an unblock: the caller is verified, then a code or an answer is read out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from kiosk.authority.office.operators import Action
from kiosk.authority.office.values import (
    CodeInUse,
)
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.desk.context import Context, Move, Plain, instead
from kiosk.desk.pages.of_holder import of_holder
from kiosk.desk.pages.rows import visit_in_words
from kiosk.desk.pages.second import asking_second, second_of
from kiosk.desk.views import Emit, Filled, Page, PageField, PageLine, Style
from kiosk.pin.codes import grouped
from statemachine.operation import Phase
from storage.records import ApprovalKind, Credential

_SECOND = 1.0
_HOUR = 3600
_PIN_SET = (Phase.CARD_CHANGED, Phase.WRITING, Phase.DONE, Phase.OUT_OF_STEP)


def _questions(context: Context) -> tuple[PageLine, ...]:
    """Return what the caller is asked, with where each answer is found."""
    site = context.site
    if not site.questions:
        return (PageLine(Message("desk.verify_caller"), Style.WARNING),)
    lines = [PageLine(Message("desk.ask_caller"), Style.WARNING)]
    for question, answer in zip_longest(
        site.questions, site.answers[: len(site.questions)], fillvalue=""
    ):
        lines.append(PageLine(f"· {question}", Style.STRONG))
        if answer:
            told = Message("desk.compare_with", {"where": answer})
            lines.append(PageLine(("  ", told), Style.MUTED))
    return tuple(lines)


def _known(details: tuple[str, ...]) -> tuple[PageLine, ...]:
    """Return what the directory says of the holder, to compare with."""
    if not details:
        return ()
    return (
        PageLine(Message("desk.directory_says"), Style.HEADING),
        *(PageLine(each) for each in details),
    )


class ReleasePage(Plain):
    """Questions first; the code is shown once, on a page of its own."""

    def __init__(self, credential: Credential, kind: ApprovalKind) -> None:
        self._credential = credential
        self._kind = kind
        self._warned = False
        """The operator was told that one try may be left."""
        self._details: tuple[str, ...] | None = None

    def _may_spend_last_try(self, context: Context) -> bool:
        """Looked at anew: the card may have been at a kiosk meanwhile."""
        if self._kind is not ApprovalKind.RELEASE:
            return False
        return context.office.spends_last_try(self._credential.id)

    def show(self, context: Context) -> Page:
        self._warned = self._may_spend_last_try(context)
        if self._details is None:
            self._details = context.office.details(self._credential.id)
        warning = PageLine(Message("desk.puk_last_try"), Style.WARNING)
        warned = (warning,) if self._warned else ()
        second = asking_second(context, Action.RELEASE)
        return Page(
            name=f"release_{self._kind}",
            title=Message(
                f"desk.release.{self._kind}", {"holder": self._credential.holder}
            ),
            lines=(*_questions(context), *warned),
            below=(*_known(self._details), *second.lines),
            fields=second.fields,
            action=Message("desk.release.action"),
            asks_own_key=True,
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        emit(Message("desk.working"))
        second = second_of(context, Action.RELEASE, filled, emit)
        given = context.office.give_code(
            self._credential.id, self._kind, second, last_try=self._warned
        )
        told = Message(
            f"enrollment.code_{self._kind}", {"holder": self._credential.holder}
        )
        with given.code as code:
            follows = self._credential.id, self._kind
            page = ReadOutPage(told, grouped(code), given.validity, follows)
        return instead(page)


class AnswerPage(Plain):
    """The caller's challenge in, its answer out."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def show(self, context: Context) -> Page:
        holder = {"holder": self._credential.holder}
        second = asking_second(context, Action.RELEASE)
        return Page(
            name="answer",
            title=Message("desk.answer", holder),
            lines=_questions(context),
            below=second.lines,
            fields=(
                PageField(
                    name="challenge",
                    label=Message("enrollment.challenge", holder),
                ),
                *second.fields,
            ),
            action=Message("desk.answer_action"),
            asks_own_key=True,
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        emit(Message("desk.working"))
        second = second_of(context, Action.RELEASE, filled, emit)
        with Secret(filled.texts["challenge"].encode("ascii", "replace")) as challenge:
            spoken = context.office.answer(self._credential.id, challenge, second)
        return instead(
            ReadOutPage(Message("desk.group_by_group"), spoken, Message("desk.once"))
        )


class ReadOutPage(Plain):
    """What is read out, how long it counts, and what the person does meanwhile.

    Gone when the page is left; nothing is left of a code that was used or ran out.
    """

    def __init__(
        self,
        told: Message,
        spoken: str,
        validity: Message,
        follows: tuple[str, ApprovalKind] | None = None,
    ) -> None:
        """`follows`: whose code it is, and of which kind."""
        self._told = told
        self._spoken = spoken
        self._validity = validity
        self._follows = follows

    def show(self, context: Context) -> Page:
        used = None
        if self._follows is not None:
            used = context.office.follow(*self._follows)
        if used is not None and not used.seconds_left:
            self._spoken = ""
        return Page(
            name="read_out",
            title=Message("desk.read_out"),
            lines=tuple(self._lines(used)),
            below=() if used is None else tuple(meanwhile(used)),
            refresh=0.0 if used is None else _SECOND,
        )

    def _lines(self, used: CodeInUse | None) -> Iterator[PageLine]:
        if self._spoken:
            yield PageLine(self._told)
            yield PageLine(self._spoken, Style.CODE)
            yield PageLine(_left(used) or self._validity, Style.MUTED)
        elif used is not None and used.visit is None:
            yield PageLine(Message("desk.code_is_over"), Style.WARNING)
        else:
            yield PageLine(Message("desk.code_was_used"))


def _left(used: CodeInUse | None) -> Message | None:
    """Return the countdown; a code that counts for days has none."""
    if used is None or used.seconds_left > _HOUR:
        return None
    minutes, seconds = divmod(used.seconds_left, 60)
    return Message("desk.time_left", {"time": f"{minutes}:{seconds:02}"})


def meanwhile(used: CodeInUse) -> Iterator[PageLine]:
    """Tell what the holder does with the code, as it happens."""
    yield PageLine(Message("desk.meanwhile.title"), Style.HEADING)
    given = Message("desk.meanwhile.given", {"at": int(used.given_at)})
    yield PageLine(given, Style.DONE)
    if used.wrong_entries:
        wrong = Message("desk.meanwhile.wrong", {"count": used.wrong_entries})
        yield PageLine(wrong, Style.WARNING)
    visit = used.visit
    if visit is None:
        if used.seconds_left:
            yield PageLine(Message("desk.meanwhile.waiting"), Style.MUTED)
        return
    entered = Message("desk.meanwhile.entered", {"station": visit.station})
    yield PageLine(entered, Style.DONE)
    if visit.phase in _PIN_SET:
        yield PageLine(Message("desk.meanwhile.pin_set"), Style.DONE)
    yield visit_in_words(visit)
    if visit.reason:
        yield PageLine(of_holder(Message(visit.reason)), Style.WARNING)
