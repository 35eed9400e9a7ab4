"""An operator at work: signed in, at a station, before the authority's parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from kiosk.authority.office.operators import Action, SignedIn, require
from kiosk.authority.ports import Refused
from kiosk.authority.required_ports import RequiredPorts
from kiosk.core.errors import KioskError, Message
from kiosk.directory.asking import ask
from kiosk.directory.ports import Account, DirectoryError
from statemachine.lifecycle import State
from storage.records import AuditDraft, Credential
from storage.registry import RecordMissing, Tx
from storage.view import View

_SEVERAL = 100
"""How many are named where more than one has a name."""


class NoSuchCredential(KioskError):
    """Nothing in the registry fits what was typed: `term`."""

    code = "enrollment.no_such_credential"


class SecondNeeded(KioskError):
    """The site wants two operators for that: `action`."""

    code = "enrollment.second_needed"


class SeveralCredentials(KioskError):
    """More than one fits what was typed: `term`, `ids`."""

    code = "enrollment.several_credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One operator's place. Used on one thread, the registry's."""

    parts: RequiredPorts
    operator: SignedIn
    station: str
    second_for: frozenset[Action] = frozenset()
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


def account(desk: Desk, name: str) -> Account:
    """Look an account up in the directory. DirectoryError."""
    return ask(desk.parts.directory, lambda dc: dc.find(name))


def holder_of(desk: Desk, action: Action, name: str) -> Account:
    """Return the account a card is to be put on record for, which is another's.

    NotInRole, Refused, DirectoryError.
    """
    require(desk.operator, action)
    holder, own = account(desk, name), account(desk, desk.operator.account)
    if holder.guid == own.guid:
        refuse(desk, "lifecycle.issue_refused", "", Message("refusal.own_card"))
    return holder


def is_own_card(desk: Desk, account_guid: str, account_name: str) -> bool:
    """Say whether the operator is the holder; sure, because the directory says so.

    DirectoryError, where it cannot be asked.
    """
    if is_own_name(desk, account_name):
        return True
    return account(desk, desk.operator.account).guid == account_guid


def is_own_name(desk: Desk, account_name: str) -> bool:
    """Say whether the holder's account has the operator's name."""
    return account_name.casefold() == desk.operator.account.casefold()


def is_probably_own_card(desk: Desk, credential: Credential) -> bool:
    """As `is_own_card`, by name alone where the directory does not answer.

    For acts that only take something away: they must work while it is down.
    """
    try:
        return is_own_card(desk, credential.account_guid, credential.account)
    except DirectoryError:
        return is_own_name(desk, credential.account)


def agree(
    desk: Desk, action: Action, credential: Credential, second: SignedIn | None
) -> dict[str, str]:
    """Let pass what needs no second operator, or has one; return what to audit.

    The second is another person, may do the same, and is not the holder.
    SecondNeeded, NotInRole, Refused.
    """
    if action not in desk.second_for:
        return {}
    if second is None:
        raise SecondNeeded(action=action)
    require(second, action)
    same = second.account.casefold() == desk.operator.account.casefold()
    if same or second.account.casefold() == credential.account.casefold():
        reason = Message("enrollment.second_is_involved")
        refuse(desk, f"{action}.second_refused", credential.id, reason)
    return {"second": second.account}


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

    def commit(tx: Tx) -> None:
        tx.audit(
            AuditDraft(
                at=desk.parts.clock.now(),
                station=desk.station,
                kind=kind,
                actor=desk.operator.account,
                credential=credential,
                result=result,
                data=data,
            )
        )

    return commit
