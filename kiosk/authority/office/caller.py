"""A caller: what the directory says of them, and what becomes of the code they got."""

from __future__ import annotations

from kiosk.authority.office.desk import Desk
from kiosk.authority.office.listing import visited
from kiosk.authority.office.operators import Action, require
from kiosk.authority.office.values import (
    CodeInUse,
)
from kiosk.directory.asking import ask
from kiosk.directory.errors import DirectoryError
from storage.records import Approval, ApprovalKind, Credential
from storage.view import View

_NEWEST = 10
"""Codes among which the newest of a kind is."""


def follow(desk: Desk, credential: str, kind: ApprovalKind) -> CodeInUse | None:
    """Return what has become of the newest code of that kind; None: there is none.

    NotInRole.
    """
    require(desk.operator, Action.RELEASE)
    now = desk.parts.clock.now()
    return desk.parts.registry.read(lambda view: _follow(view, credential, kind, now))


def details(desk: Desk, credential: Credential) -> tuple[str, ...]:
    """Return what tells the holder apart from others (department, manager …).

    Outside text; empty where the directory cannot be asked now. NotInRole.
    """
    require(desk.operator, Action.RELEASE)
    try:
        found = ask(desk.parts.directory, lambda dc: dc.look_for(credential.account))
    except DirectoryError:
        return ()
    own = [each for each in found if each.guid == credential.account_guid]
    return own[0].details if own else ()


def _follow(
    view: View, credential: str, kind: ApprovalKind, now: float
) -> CodeInUse | None:
    given = view.approvals(credential, limit=_NEWEST)
    code = next((each for each in given if each.kind is kind), None)
    if code is None:
        return None
    return CodeInUse(
        given_at=code.issued_at,
        seconds_left=0 if _is_over(code) else max(0, round(code.expires_at - now)),
        wrong_entries=code.wrong_entries,
        visit=visited(view, code.redeemed_by) if code.redeemed_by else None,
    )


def _is_over(code: Approval) -> bool:
    return code.spent or bool(code.redeemed_by)
