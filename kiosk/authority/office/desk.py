"""An operator at work: signed in, at a station, before the authority's parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

from kiosk.authority.errors import Refused
from kiosk.authority.office.errors import (
    NoSuchCredential,
    SecondNeeded,
    SeveralCredentials,
)
from kiosk.authority.office.operators import Action, SignedIn, require
from kiosk.authority.required_ports import RequiredPorts
from kiosk.core.errors import Message
from kiosk.directory.asking import ask
from kiosk.directory.errors import DirectoryError
from kiosk.directory.values import Account
from statemachine.lifecycle import State
from storage.errors import RecordMissing
from storage.records import AuditDraft, AuditEvent, Credential, Template
from storage.registry import Tx
from storage.view import View

OPERATOR = "operator_guid"
"""In the evidence: objectGUID of the operator who acted, where it was known."""
_TAKES_AWAY = frozenset({Action.SUSPEND, Action.REVOKE, Action.RETIRE})
_SEVERAL = 100
"""How many are named where more than one has a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One operator's place. Used on one thread, the registry's."""

    parts: RequiredPorts
    operator: SignedIn
    station: str
    second_for: frozenset[Action]
    """What needs a second operator here."""


def find(desk: Desk, term: str) -> Credential:
    """Return the one credential with that id, card, account or holder.

    Retired ones are meant only by their id, or where there is no other.
    NoSuchCredential, SeveralCredentials.
    """
    found = desk.parts.registry.read(lambda view: _find(view, term))
    found = [each for each in found if each.state is not State.RETIRED] or found
    if not found:
        raise NoSuchCredential(term=term)
    if len(found) > 1:
        raise SeveralCredentials(term=term, ids=", ".join(each.id for each in found))
    return found[0]


def _find(view: View, term: str) -> list[Credential]:
    try:
        return [view.credential(term)]
    except RecordMissing:
        pass  # it may be another of its names
    return view.named(term, limit=_SEVERAL)


def as_of_now(desk: Desk, credential: Credential) -> tuple[Credential, Template]:
    """Return a credential as it is by now, whatever a page still shows of it.

    With the version of its template that it was issued by.
    """

    def read(view: View) -> tuple[Credential, Template]:
        current = view.credential(credential.id)
        return current, view.template(current.template, current.template_version)

    return desk.parts.registry.read(read)


def account(desk: Desk, name: str) -> Account:
    """Look an account up in the directory. DirectoryError."""
    return ask(desk.parts.directory, lambda dc: dc.find(name))


def holder_of(desk: Desk, action: Action, name: str) -> Account:
    """Return the account a card is to be put on record for, which is another's.

    NotInRole, Refused, DirectoryError.
    """
    require(desk.operator, action)
    holder = account(desk, name)
    if holder.guid == guid_of(desk, desk.operator):  # a name may be another's by now
        refuse(desk, "lifecycle.issue_refused", "", Message("refusal.own_card"))
    return holder


def judged_holder(desk: Desk, action: Action, guid: str) -> Account:
    """Return a holder who was judged before, judged again. As `holder_of`."""
    require(desk.operator, action)
    if guid == guid_of(desk, desk.operator):
        refuse(desk, "lifecycle.issue_refused", "", Message("refusal.own_card"))
    return ask(desk.parts.directory, lambda dc: dc.account(guid))


def identified(desk: Desk) -> Desk:
    """Return the desk with the operator's objectGUID known. DirectoryError.

    Names are given to others in time; what an operator has done is compared by this.
    """
    if desk.operator.guid:
        return desk
    guid = guid_of(desk, desk.operator)
    return replace(desk, operator=replace(desk.operator, guid=guid))


def guid_of(desk: Desk, person: SignedIn) -> str:
    """Return an operator's objectGUID. DirectoryError."""
    return person.guid or account(desk, person.account).guid


def is_own_card(desk: Desk, credential: Credential) -> bool:
    """Say whether the operator is the holder. DirectoryError."""
    return guid_of(desk, desk.operator) == credential.account_guid


def is_probably_own_card(desk: Desk, credential: Credential) -> bool:
    """As `is_own_card`, by name alone where the directory does not answer.

    For acts that only take something away: they must work while it is down.
    """
    try:
        return is_own_card(desk, credential)
    except DirectoryError:
        return has_own_name(desk, credential)


def has_own_name(desk: Desk, credential: Credential) -> bool:
    """Say whether the holder's account has, or had, the operator's name."""
    return credential.account.casefold() == desk.operator.account.casefold()


def has_done(desk: Desk, event: AuditEvent) -> bool:
    """Say whether the operator is who has done that. DirectoryError.

    By name where the evidence is older than what it says of operators.
    """
    if guid := event.data.get(OPERATOR):
        return guid == guid_of(desk, desk.operator)
    return event.actor.casefold() == desk.operator.account.casefold()


def agree(
    desk: Desk, action: Action, credential: Credential, second: SignedIn | None
) -> dict[str, str]:
    """Let pass what needs no second operator, or has one; return what to audit.

    The second is another person, may do the same, and is not the holder.
    SecondNeeded, NotInRole, Refused; DirectoryError, where something is given.
    """
    if action not in desk.second_for:
        return {}
    if second is None:
        raise SecondNeeded(action=action)
    require(second, action)
    if _is_involved(desk, action, credential, second):
        reason = Message("enrollment.second_is_involved")
        refuse(desk, f"{action}.second_refused", credential.id, reason)
    return {"second": second.account}


def _is_involved(
    desk: Desk, action: Action, credential: Credential, second: SignedIn
) -> bool:
    """Say whether the second operator is the first one, or the holder."""
    try:
        theirs = guid_of(desk, second)
        return theirs in (guid_of(desk, desk.operator), credential.account_guid)
    except DirectoryError:
        if action not in _TAKES_AWAY:
            raise
    names = (desk.operator.account.casefold(), credential.account.casefold())
    return second.account.casefold() in names


def refuse(desk: Desk, kind: str, credential: str, reason: Message) -> NoReturn:
    """Audit a refusal, and raise it. Refused."""
    note(desk, kind, credential=credential, result=reason.key)
    raise Refused(reason)


def note(
    desk: Desk,
    kind: str,
    *,
    credential: str = "",
    result: str = "",
    data: dict[str, str] | None = None,
) -> None:
    """Audit something the operator did or was refused, in a commit of its own."""
    desk.parts.registry.run(drafted(desk, kind, credential, result, data or {}))


def drafted(
    desk: Desk, kind: str, credential: str, result: str, data: dict[str, str]
) -> Callable[[Tx], None]:
    """Return the same as a part of a transaction."""
    who = {OPERATOR: desk.operator.guid} if desk.operator.guid else {}

    def commit(tx: Tx) -> None:
        tx.audit(
            AuditDraft(
                at=desk.parts.clock.now(),
                station=desk.station,
                kind=kind,
                actor=desk.operator.account,
                credential=credential,
                result=result,
                data={**data, **who},
            )
        )

    return commit
