"""What the directory says of one account now: a look at one DC, seldom at two."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kiosk.authority import in_step
from kiosk.authority.in_step import Compared
from kiosk.authority.ports import Seen
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
    compared: Compared = Compared.NOT_KNOWN
    """The password beside what was known of it."""

    @property
    def seen(self) -> Seen | None:
        """What that DC shows of the password; None: nothing."""
        return None if self.account is None else in_step.seen(self.account, self.dc)


def look(
    directory: Directory, guid: str, *, history: bool = False, known: Seen | None = None
) -> DomainView:
    """Read account and effective policy. Never raises a DirectoryError.

    `history`: ask, too, whether the DC can honour it. `known`: what was known of the
    password; a DC that has not got it yet is not taken at its word.
    """
    view = _look(directory, guid, history=history)
    if known is None or view.seen is None:
        return view
    compared = in_step.compare(known, view.seen)
    if compared is Compared.BEHIND:
        compared = _on_record(directory, guid, known, view.dc)
    return replace(view, compared=compared)


def _look(directory: Directory, guid: str, *, history: bool) -> DomainView:
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


def _on_record(directory: Directory, guid: str, known: Seen, asked: str) -> Compared:
    """Ask the DC that showed what was known: it has it, whatever others lack."""
    if known.dc == asked or directory.rests(known.dc):
        return Compared.NOT_KNOWN
    try:
        with directory.connect(known.dc) as dc:
            there = in_step.seen(dc.account(guid), known.dc)
    except DirectoryError:
        return Compared.NOT_KNOWN
    compared = in_step.compare(known, there)
    return Compared.NOT_KNOWN if compared is Compared.BEHIND else compared
