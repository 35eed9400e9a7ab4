"""Who is in the directory: people that cards are for, and how their accounts stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kiosk.authority.office.desk import Desk
from kiosk.authority.office.operators import Action, require
from kiosk.authority.office.values import (
    Holder,
    LockoutSeen,
)
from kiosk.directory.asking import ask, ask_first
from kiosk.directory.errors import AccountMissing
from kiosk.directory.ports import DomainController
from kiosk.directory.values import Account, Person
from storage.records import Credential


def look_for(desk: Desk, term: str) -> tuple[Holder, ...]:
    """Return people one of whose names begins so. NotInRole, DirectoryError."""
    require(desk.operator, Action.ISSUE)
    found = ask(desk.parts.directory, lambda dc: dc.look_for(term))
    return tuple(_found(each) for each in found)


Told = Callable[[int, int], None]
"""Hears how many names were looked up, and of how many."""


def resolve(
    desk: Desk, names: Sequence[str], told: Told = lambda _done, _names: None
) -> tuple[Holder | None, ...]:
    """Return whose account each name is; None: nobody's. NotInRole, DirectoryError.

    Where one controller breaks off another goes on. It changes nothing: what `told`
    raises ends it without harm.
    """
    require(desk.operator, Action.ISSUE)
    found: list[Holder | None] = []

    def look_up(dc: DomainController) -> None:
        for name in names[len(found) :]:
            try:
                found.append(holder(dc.find(name)))
            except AccountMissing:
                found.append(None)
            told(len(found), len(names))

    ask(desk.parts.directory, look_up)
    return tuple(found)


def holder(account: Account) -> Holder:
    """Return an account as whoever makes a card for it knows it."""
    return Holder(
        guid=account.guid,
        account=account.name,
        name=account.display_name or account.sam_account_name,
    )


def _found(person: Person) -> Holder:
    return Holder(
        guid=person.guid,
        account=person.account,
        name=person.name,
        details=person.details,
    )


def lockout(desk: Desk, credential: Credential) -> LockoutSeen:
    """Ask the DC that took the last write what it has counted for the holder.

    Each DC counts for itself. If that one is away another is asked, and named.
    NotInRole, DirectoryError.
    """
    require(desk.operator, Action.LOOK)

    def look(dc: DomainController) -> LockoutSeen:
        seen = dc.lockout(dc.account(credential.account_guid))
        return LockoutSeen(
            dc=dc.name,
            bad_passwords=seen.bad_passwords,
            last_bad=seen.last_bad,
            locked=seen.locked,
        )

    directory, last = desk.parts.directory, credential.last_sync
    if last is None:
        return ask(directory, look)
    return ask_first(directory, last.dc, look)
