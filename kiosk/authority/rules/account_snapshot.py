"""What the directory says of one account now: a look at one DC, seldom at two."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kiosk.authority.rules import in_step
from kiosk.authority.rules.in_step import Compared
from kiosk.authority.values import Seen
from kiosk.core.errors import Message
from kiosk.directory.asking import ask
from kiosk.directory.errors import AccountMissing, DirectoryError, PolicyUnreadable
from kiosk.directory.ports import Directory, DomainController
from kiosk.directory.values import Account, PasswordPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSnapshot:
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
    newest: Seen | None = None
    """What is known of the password now, of any DC; None: nothing."""


def look(
    directory: Directory, guid: str, *, history: bool = False, known: Seen | None = None
) -> AccountSnapshot:
    """Read account and effective policy, both on one DC. Raises no DirectoryError.

    `history`: ask, too, whether the DC can honour it. `known`: what was known of the
    password; a DC that has not got it yet is not taken at its word.
    """
    view = _look(directory, guid, history=history)
    if view.account is None:
        return view
    seen = in_step.seen(view.account, view.dc)
    if known is None:
        return replace(view, newest=seen)
    compared = in_step.compare(known, seen)
    if compared is Compared.BEHIND:
        compared, seen = _on_record(directory, guid, known, view.dc)
    return replace(view, compared=compared, newest=seen)


def _look(directory: Directory, guid: str, *, history: bool) -> AccountSnapshot:
    try:
        return ask(directory, lambda dc: _on(dc, guid, history=history))
    except DirectoryError as error:
        return AccountSnapshot(trouble=error.message)


def _on(dc: DomainController, guid: str, *, history: bool) -> AccountSnapshot:
    """Look on one DC. ReadFailed."""
    try:
        account = dc.account(guid)
    except AccountMissing:
        return AccountSnapshot(dc=dc.name, account_gone=True)
    try:
        policy = dc.password_policy(account)
    except PolicyUnreadable as error:
        return AccountSnapshot(dc=dc.name, account=account, trouble=error.message)
    return AccountSnapshot(
        dc=dc.name,
        account=account,
        policy=policy,
        honours_history=history and dc.honours_history(),
    )


def _on_record(
    directory: Directory, guid: str, known: Seen, asked: str
) -> tuple[Compared, Seen]:
    """Ask the DC that showed what was known: it has it, whatever others lack."""
    if known.dc == asked or directory.rests(known.dc):
        return Compared.NOT_KNOWN, known
    try:
        with directory.connect(known.dc) as dc:
            there = in_step.seen(dc.account(guid), known.dc)
    except DirectoryError:
        return Compared.NOT_KNOWN, known
    compared = in_step.compare(known, there)
    if compared is Compared.BEHIND:
        return Compared.NOT_KNOWN, known
    return compared, there
