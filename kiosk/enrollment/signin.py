"""Signing in: an operator is a person whose card signed, and whose groups say what.

With the operator's own card (a nonce signed with the key on record, as in a visit)
or, where the site allows it, with account name and password (one bind). Roles are
read from the directory each time and can be read again while the operator works.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from kiosk.authority.office.operators import Action, SignedIn
from kiosk.authority.ports import ProofFailed
from kiosk.authority.proof import signature, statement
from kiosk.authority.proof.presence import NONCE_BYTES, NONCE_SECONDS
from kiosk.authority.required_ports import RequiredPorts
from kiosk.cards.ports import Card, KeyAlgorithm, KeySlot
from kiosk.config import OperatorRole
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.directory.asking import ask
from kiosk.directory.ports import Account, AccountMissing, BindResult, DomainController
from statemachine.lifecycle import State
from storage.records import AuditDraft, Credential, Nonce, NoncePurpose, PublicKey
from storage.registry import Tx


class NoRole(KioskError):
    """The account is in none of the groups that have a role: `account`."""

    code = "enrollment.no_role"


class SignInRefused(KioskError):
    """Who this is could not be shown. `reason` says why."""

    code = "enrollment.sign_in_refused"

    def __init__(self, reason: Message) -> None:
        super().__init__(reason=reason.key)
        self.reason = reason

    @property
    def message(self) -> Message:
        return self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePolicy:
    """What a site decides about its operators."""

    groups: Mapping[OperatorRole, str] = field(default_factory=dict)
    """The DN of the group that has a role."""
    with_account: bool = False
    second_for: frozenset[Action] = frozenset()
    """What needs two operators."""


def with_card(
    parts: RequiredPorts, station: str, policy: RolePolicy, card: Card, pin: Secret
) -> SignedIn:
    """Sign in with the operator's own card. One try at the PIN, never the last.

    SignInRefused, NoRole, CardError, ProofFailed, DirectoryError.
    """
    recognised = card.recognise()
    known = parts.registry.run(
        lambda tx: tx.credential_by_card(recognised.identity.key)
    )
    known, key = _usable(parts, station, known)
    if recognised.pin_tries.left is not None and recognised.pin_tries.left <= 1:
        _refuse(parts, station, known.account, "refusal.one_try_left")
    nonce, message = _challenge(parts, known.id, station)
    with card.session(recognised.identity) as session:
        session.verify(pin)
        signed = session.sign(KeySlot(key.slot), KeyAlgorithm(key.algorithm), message)
    valid = signature.is_valid(key, message, signed)
    evidence = {
        "statement": base64.b64encode(message).decode(),
        "signature": base64.b64encode(signed).decode(),
    }
    fresh = parts.registry.run(lambda tx: _taken(tx, parts, nonce, known.id, station))
    if not (valid and fresh):
        _note(parts, station, known.account, "operator.sign_in_refused")
        raise ProofFailed
    how = {"how": "card", **evidence}
    guid = known.account_guid
    return ask(
        parts.directory,
        lambda dc: _signed_in(parts, station, policy, dc, dc.account(guid), how),
    )


def with_account(
    parts: RequiredPorts, station: str, policy: RolePolicy, name: str, password: Secret
) -> SignedIn:
    """Sign in with account name and password: one bind, on one DC, whatever it says.

    SignInRefused, NoRole, DirectoryError.
    """
    if not policy.with_account:
        _refuse(parts, station, "", "enrollment.card_only")
    account = ask(
        parts.directory, lambda dc: _proven(parts, station, dc, name, password)
    )
    how = {"how": "account"}
    return ask(
        parts.directory,
        lambda dc: _signed_in(
            parts, station, policy, dc, dc.account(account.guid), how
        ),
    )


def still(parts: RequiredPorts, policy: RolePolicy, operator: SignedIn) -> SignedIn:
    """Read the operator's roles again. NoRole, DirectoryError.

    Who signed in by login has the role that the configuration gives.
    """
    if not operator.guid:
        return operator
    guid = operator.guid
    roles = ask(parts.directory, lambda dc: _roles(policy, dc, dc.account(guid)))
    return replace(operator, roles=roles)


# --- parts -------------------------------------------------------------------


def _proven(
    parts: RequiredPorts,
    station: str,
    dc: DomainController,
    name: str,
    password: Secret,
) -> Account:
    """Return whose password that is. SignInRefused; ReadFailed before it was tried."""
    try:
        account = dc.find(name)
    except AccountMissing:
        _refuse(parts, station, "", "enrollment.wrong_password")
    said = dc.verify_password(account, password)
    if said is not BindResult.OK:
        wrong = said is BindResult.WRONG_PASSWORD
        reason = "enrollment.wrong_password" if wrong else f"directory.bind.{said}"
        _refuse(parts, station, account.user_principal_name, reason)
    return account


def _usable(
    parts: RequiredPorts, station: str, known: Credential | None
) -> tuple[Credential, PublicKey]:
    if known is None:
        _refuse(parts, station, "", "enrollment.card_not_known")
    if known.state is not State.ACTIVE:
        _refuse(parts, station, known.account, "enrollment.card_not_active")
    if known.authentication_key is None:
        _refuse(parts, station, known.account, "stop.no_authentication_key")
    return known, known.authentication_key


def _challenge(
    parts: RequiredPorts, credential: str, station: str
) -> tuple[bytes, bytes]:
    nonce = parts.entropy.bytes(NONCE_BYTES)
    issued = Nonce(
        value=nonce,
        purpose=NoncePurpose.SIGN_IN,
        bound_to=credential,
        station=station,
        expires_at=parts.clock.now() + NONCE_SECONDS,
    )
    parts.registry.run(lambda tx: tx.issue_nonce(issued))
    return nonce, statement.sign_in(nonce, credential, station)


def _taken(
    tx: Tx, parts: RequiredPorts, nonce: bytes, credential: str, station: str
) -> bool:
    return tx.consume_nonce(
        nonce,
        purpose=NoncePurpose.SIGN_IN,
        bound_to=credential,
        station=station,
        now=parts.clock.now(),
    )


def _signed_in(
    parts: RequiredPorts,
    station: str,
    policy: RolePolicy,
    dc: DomainController,
    account: Account,
    evidence: dict[str, str],
) -> SignedIn:
    name = account.user_principal_name or account.sam_account_name
    if not account.enabled or account.expired:
        _refuse(parts, station, name, "enrollment.account_not_usable")
    try:
        roles = _roles(policy, dc, account)
    except NoRole:
        _note(parts, station, name, "operator.sign_in_refused", "enrollment.no_role")
        raise
    told = {"roles": ", ".join(sorted(roles)), **evidence}
    _note(parts, station, name, "operator.signed_in", data=told)
    return SignedIn(account=name, roles=roles, guid=account.guid)


def _roles(
    policy: RolePolicy, dc: DomainController, account: Account
) -> frozenset[OperatorRole]:
    groups = {group for group in policy.groups.values() if group}
    found = dc.member_of(account, tuple(groups))
    if not found or not account.enabled:
        raise NoRole(account=account.user_principal_name)
    return frozenset(role for role, group in policy.groups.items() if group in found)


def _refuse(parts: RequiredPorts, station: str, account: str, reason: str) -> NoReturn:
    _note(parts, station, account, "operator.sign_in_refused", reason)
    raise SignInRefused(Message(reason))


def _note(
    parts: RequiredPorts,
    station: str,
    account: str,
    kind: str,
    result: str = "",
    data: dict[str, str] | None = None,
) -> None:
    draft = AuditDraft(
        at=parts.clock.now(),
        station=station,
        kind=kind,
        actor=account or "unknown",
        result=result,
        data=data or {},
    )
    parts.registry.run(lambda tx: tx.audit(draft))
