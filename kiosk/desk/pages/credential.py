"""The page of one credential: how it stands, and what this operator may do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from kiosk.authority.office.operators import Action
from kiosk.authority.office.values import (
    CredentialView,
)
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, go, instead, stay
from kiosk.desk.pages.act import ReasonPage
from kiosk.desk.pages.finish import FinishPage
from kiosk.desk.pages.history import HistoryPage
from kiosk.desk.pages.of_holder import of_holder
from kiosk.desk.pages.release import AnswerPage, ReleasePage
from kiosk.desk.pages.standing import beside, standing
from kiosk.desk.pages.watch import WatchPage
from kiosk.desk.views import Choice, Emit, Page
from statemachine.lifecycle import Event, State
from statemachine.operation import Kind
from storage.records import ApprovalKind, Credential, Sync, UnblockMethod

REFRESH = 3.0
"""Seconds after which it is read anew: what happens at a kiosk is seen here."""
_ACTS = {
    Action.SUSPEND: Event.SUSPEND,
    Action.RESUME: Event.RESUME,
    Action.REVOKE: Event.REVOKE,
    Action.RETIRE: Event.RETIRE,
}
_LETTERS = {
    "release": "u",
    "activation": "a",
    "answer": "t",
    "finish": "f",
    "close": "c",
    "suspend": "s",
    "resume": "l",
    "revoke": "r",
    "retire": "x",
    "watch": "w",
    "history": "y",
    "next": "n",
}
"""The same in every state."""


class Cases(Protocol):
    """The list that a credential was opened from."""

    def after(self, context: Context, id: str) -> str:
        """Return the id of the case that follows; empty: none is left."""


class CredentialPage(Plain):
    """Read anew whenever it is shown."""

    opens_cards = True

    def __init__(self, id: str, cases: Cases | None = None) -> None:
        """`cases`: where the next one comes from."""
        self._id = id
        self._cases = cases

    def _credential(self, context: Context) -> Credential:
        return context.office.credential(self._id)

    def show(self, context: Context) -> Page:
        seen = context.office.view(self._id)
        choices = [*_choices(context, seen)]
        if self._cases is not None:
            choices.append(_choice("next", None))
        return Page(
            name="credential",
            title=seen.credential.holder,
            lines=tuple(standing(seen)),
            below=tuple(beside(seen)),
            choices=tuple(sorted(choices, key=lambda it: it.refusal is not None)),
            refresh=REFRESH,
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - quick
        credential = self._credential(context)
        match key:
            case "next":
                return self._next(context)
            case "watch":
                return go(WatchPage(credential))
            case "history":
                return go(HistoryPage(credential))
            case "release":
                return go(ReleasePage(credential, ApprovalKind.RELEASE))
            case "activation":
                return go(ReleasePage(credential, ApprovalKind.ACTIVATION))
            case "answer":
                return go(AnswerPage(credential))
            case "finish":
                return go(FinishPage(credential))
            case _:
                return go(ReasonPage(credential, Action(key)))

    def _next(self, context: Context) -> Move:
        following = self._cases.after(context, self._id) if self._cases else ""
        if not following:
            return stay(Message("desk.no_next_case"))
        return instead(CredentialPage(following, self._cases))


# --- what can be done --------------------------------------------------------


def _choices(context: Context, seen: CredentialView) -> Iterator[Choice]:
    """What the operator's roles include; what is refused says why."""
    asked = [*_asked(seen), *_to_read()]
    return (
        _choice(key, refusal) for key, action, refusal in asked if context.may(action)
    )


def _asked(seen: CredentialView) -> Sequence[tuple[str, Action, Message | None]]:
    """Return every action, the most probable ones first."""
    credential, template = seen.credential, seen.template
    by_phone = UnblockMethod.ADMIN_KEY_PHONE in template.unblock
    no_phone = None if by_phone else Message("enrollment.no_phone_way")
    in_step = Message("enrollment.nothing_to_close")
    open_case = None if credential.sync is Sync.OUT_OF_STEP else in_step
    case = (("finish", Action.LOOK, open_case), ("close", Action.CLOSE, open_case))
    is_case = open_case is None and credential.state is State.ACTIVE
    return (
        *(case if is_case else ()),
        ("release", Action.RELEASE, seen.holder_may.get(Kind.UNBLOCK)),
        ("activation", Action.RELEASE, _no_activation(credential)),
        ("answer", Action.RELEASE, no_phone),
        *(
            (action, action, seen.operator_may[event])
            for action, event in _ACTS.items()
        ),
        *(() if is_case else case),
    )


def _to_read() -> Sequence[tuple[str, Action, Message | None]]:
    return (("watch", Action.LOOK, None), ("history", Action.LOOK, None))


def _choice(key: str, refusal: Message | None) -> Choice:
    told = None if refusal is None else of_holder(refusal)
    return Choice(key, Message(f"desk.act.{key}"), refusal=told, letter=_LETTERS[key])


def _no_activation(credential: Credential) -> Message | None:
    if credential.pin_changed_at is None and credential.state in (
        State.ISSUED,
        State.BLOCKED,
    ):
        return None
    return Message("refusal.already_activated")
