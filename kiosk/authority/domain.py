"""What the directory says of one account now, read in one connection."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.directory.ports import (
    Account,
    AccountMissing,
    Directory,
    DirectoryError,
    PasswordPolicy,
    PolicyUnreadable,
)
from kiosk.errors import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainView:
    """One look at the account on one DC. `trouble`: the look itself failed."""

    dc: str = ""
    account: Account | None = None
    policy: PasswordPolicy | None = None
    trouble: Message | None = None
    """Directory not to be had: nothing may be changed now."""
    account_gone: bool = False
    honours_history: bool = False
    """That DC can honour the history when a password is set."""


def look(directory: Directory, guid: str, *, history: bool = False) -> DomainView:
    """Read account and effective policy. Never raises a DirectoryError.

    `history`: ask, too, whether the DC can honour it.
    """
    try:
        with directory.connect() as dc:
            try:
                account = dc.account(guid)
            except AccountMissing:
                return DomainView(dc=dc.name, account_gone=True)
            try:
                policy = dc.password_policy(account)
            except PolicyUnreadable as error:
                return DomainView(dc=dc.name, account=account, trouble=error.message)
            return DomainView(
                dc=dc.name,
                account=account,
                policy=policy,
                honours_history=history and dc.honours_history(),
            )
    except DirectoryError as error:
        return DomainView(trouble=error.message)
