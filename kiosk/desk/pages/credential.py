"""The page of one credential: how it stands, what may happen, what has happened."""

from __future__ import annotations

from kiosk.authority.escrow import puks
from kiosk.authority.office.credential_view import View, view
from kiosk.authority.office.operators import Action
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, go
from kiosk.desk.pages.act import ReasonPage
from kiosk.desk.pages.finish import FinishPage
from kiosk.desk.pages.history import HistoryPage, moment
from kiosk.desk.pages.release import AnswerPage, ReleasePage
from kiosk.desk.pages.watch import WatchPage
from kiosk.desk.views import Choice, Emit, Page, PageLine, Style
from statemachine.lifecycle import Event, State
from statemachine.operation import Kind
from storage.records import ApprovalKind, Credential, LastSync, Sync, UnblockWay

_ACTS = {
    Action.SUSPEND: Event.SUSPEND,
    Action.RESUME: Event.RESUME,
    Action.REVOKE: Event.REVOKE,
    Action.RETIRE: Event.RETIRE,
}


class CredentialPage(Plain):
    """Read anew whenever it is shown."""

    def __init__(self, id: str) -> None:
        self._id = id

    def _credential(self, context: Context) -> Credential:
        return context.parts.registry.run(lambda tx: tx.credential(self._id))

    def show(self, context: Context) -> Page:
        seen = view(context.desk, self._credential(context))
        return Page(
            name="credential",
            title=seen.credential.holder,
            lines=(*_standing(seen), *_facts(seen)),
            below=(*_more(seen), *_holder(seen)),
            choices=tuple(_choices(context, seen)),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - quick
        credential = self._credential(context)
        match key:
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


# --- what is shown -----------------------------------------------------------


def _standing(seen: View) -> list[PageLine]:
    """The lifecycle in one line, with where this card is."""
    state = seen.credential.state
    lines = [
        PageLine(
            Message("desk.state_now", {"state": state}),
            Style.STRONG,
            Message("desk.label.state"),
        )
    ]
    if seen.credential.suspended_from is not None:
        origin = {"state": seen.credential.suspended_from}
        lines.append(PageLine(Message("desk.held_from", origin), Style.MUTED))
    road = "  ─  ".join(
        f"[{each}]" if each is state else str(each)
        for each in State
        if each is not State.SUSPENDED or state is State.SUSPENDED
    )
    lines.append(PageLine(road, Style.MUTED))
    return lines


def _facts(seen: View) -> list[PageLine]:
    credential = seen.credential
    sync = Style.WARNING if credential.sync is Sync.OUT_OF_STEP else Style.NORMAL
    lines = [
        _labelled("account", credential.account),
        _labelled("card", credential.card),
        PageLine(
            Message("desk.sync", {"sync": credential.sync}), sync, _label("password")
        ),
    ]
    if credential.sync_reason:
        lines.append(PageLine(Message(credential.sync_reason), Style.MUTED))
    if credential.sync is Sync.IN_STEP and credential.last_sync is not None:
        lines.append(PageLine(_last_written(credential.last_sync), Style.MUTED))
    if credential.authentication_key is None:
        lines.append(PageLine(Message("notice.keyless"), Style.WARNING))
    return lines


def _last_written(last: LastSync) -> Message:
    """In step by the record: when that was, and by what it can be seen."""
    how = "last_written" if last.mark is not None else "last_written_by_time"
    return Message(f"desk.{how}", {"at": moment(last.at), "dc": last.dc})


def _more(seen: View) -> list[PageLine]:
    credential = seen.credential
    template = f"{credential.template} {credential.template_version}"
    lines: list[PageLine] = []
    lines.append(_labelled("template", template))
    lines.append(_labelled("issued", moment(credential.issued_at)))
    if credential.expires_at is not None:
        lines.append(_labelled("expires", moment(credential.expires_at)))
    lines += _puk(credential)
    for code in seen.codes:
        told = {"kind": code.kind, "until": moment(code.expires_at)}
        lines.append(PageLine(Message("desk.code_open", told), Style.MUTED))
    return lines


def _puk(credential: Credential) -> list[PageLine]:
    """What is known of its PUK, with a warning where it may be the factory's."""
    escrow = credential.escrow
    known = Message(f"desk.puk.{puks.of(escrow).known}")
    is_at_risk = puks.is_factory(escrow) or puks.is_used_up(escrow)
    lines = [
        PageLine(known, Style.WARNING if is_at_risk else Style.MUTED, _label("puk"))
    ]
    if escrow.forms_refused and puks.is_due(escrow):
        lines.append(PageLine(Message("desk.puk_form_refused"), Style.WARNING))
    return lines


def _holder(seen: View) -> list[PageLine]:
    """What the holder may do at a kiosk, and why not."""
    lines = [PageLine(Message("desk.holder_may"), Style.HEADING)]
    for kind in Kind:
        refusal = seen.holder_may.get(kind)
        name = Message(f"tui.form.{kind}")
        if refusal is None:
            lines.append(PageLine(Message("desk.yes"), label=name))
        else:
            lines.append(PageLine(refusal, Style.MUTED, name))
    return lines


def _label(name: str) -> Message:
    return Message(f"desk.label.{name}")


def _labelled(name: str, text: str) -> PageLine:
    return PageLine(text, label=_label(name))


# --- what can be done --------------------------------------------------------


def _choices(context: Context, seen: View) -> list[Choice]:
    credential, template = seen.credential, seen.template
    unblock = seen.holder_may.get(Kind.UNBLOCK)
    by_phone = UnblockWay.ADMIN_KEY_PHONE in template.unblock
    no_phone = None if by_phone else Message("enrollment.no_phone_way")
    in_step = Message("enrollment.nothing_to_close")
    open_case = None if credential.sync is Sync.OUT_OF_STEP else in_step
    choices = [
        _choice(context, "release", Action.RELEASE, unblock),
        _choice(context, "activation", Action.RELEASE, _no_activation(credential)),
        _choice(context, "answer", Action.RELEASE, no_phone),
        *(
            _choice(context, action, action, seen.operator_may[event])
            for action, event in _ACTS.items()
        ),
        _choice(context, "finish", Action.LOOK, open_case),
        _choice(context, Action.CLOSE, Action.CLOSE, open_case),
        Choice("watch", Message("desk.act.watch")),
        Choice("history", Message("desk.act.history")),
    ]
    return sorted(choices, key=lambda choice: choice.refusal is not None)


def _choice(
    context: Context, key: str, action: Action, refusal: Message | None
) -> Choice:
    if not context.may(action):
        refusal = Message("desk.not_your_role", {"action": action})
    return Choice(key, Message(f"desk.act.{key}"), refusal=refusal)


def _no_activation(credential: Credential) -> Message | None:
    if credential.pin_changed_at is None and credential.state in (
        State.ISSUED,
        State.BLOCKED,
    ):
        return None
    return Message("refusal.already_activated")
