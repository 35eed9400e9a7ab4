"""Signing in: an operator is a person whose card signed, and whose groups say what.

With the operator's own card (a nonce signed with the key on record, as in a visit)
or, where the site allows it, with account name and password (one bind). Roles are
read from the directory each time and can be read again while the operator works.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import NoReturn

from kiosk.authority.errors import ProofFailed
from kiosk.authority.office.errors import NoRole, SignInRefused
from kiosk.authority.office.operators import SignedIn
from kiosk.authority.office.policy import OfficePolicy
from kiosk.authority.office.values import SignInChallenge, SignInProof
from kiosk.authority.proof import signature, statement
from kiosk.authority.proof.presence import NONCE_BYTES, NONCE_SECONDS
from kiosk.authority.required_ports import RequiredPorts
from kiosk.config import OperatorRole
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.directory.asking import ask
from kiosk.directory.errors import AccountMissing
from kiosk.directory.ports import DomainController
from kiosk.directory.values import Account, BindResult
from statemachine.lifecycle import State
from storage.records import AuditDraft, Credential, Nonce, NoncePurpose, PublicKey
from storage.registry import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """Where somebody signs in. Used on one thread, the registry's."""

    parts: RequiredPorts
    station: str
    policy: OfficePolicy


def challenge(entrance: Entrance, card: str, tries_left: int | None) -> SignInChallenge:
    """Return what the card is to sign, if it may sign anybody in. SignInRefused.

    `tries_left` at its PIN: the last one is never spent here.
    """
    parts, station = entrance.parts, entrance.station
    found = parts.registry.read(lambda view: view.credential_by_card(card))
    known, key = _usable(entrance, found)
    if tries_left is not None and tries_left <= 1:
        _refuse(entrance, known.account, "refusal.one_try_left")
    nonce = parts.entropy.bytes(NONCE_BYTES)
    issued = Nonce(
        value=nonce,
        purpose=NoncePurpose.SIGN_IN,
        bound_to=known.id,
        station=station,
        expires_at=parts.clock.now() + NONCE_SECONDS,
    )
    parts.registry.run(lambda tx: tx.issue_nonce(issued))
    return SignInChallenge(
        credential=known.id,
        nonce=nonce,
        message=statement.sign_in(nonce, known.id, station),
        key_slot=key.slot,
        key_algorithm=key.algorithm,
    )


def by_card(entrance: Entrance, proof: SignInProof) -> SignedIn:
    """Judge the card's signature. ProofFailed, SignInRefused, NoRole, DirectoryError.

    The card is looked at again: it may have been suspended meanwhile.
    """
    parts, station = entrance.parts, entrance.station
    known, key = _usable(
        entrance, parts.registry.read(lambda view: view.credential(proof.credential))
    )
    message = statement.sign_in(proof.nonce, known.id, station)
    valid = signature.is_valid(key, message, proof.signature)
    fresh = parts.registry.run(lambda tx: _taken(tx, entrance, proof.nonce, known.id))
    if not (valid and fresh):
        _note(entrance, known.account, "operator.sign_in_refused")
        raise ProofFailed
    evidence = {
        "how": "card",
        "statement": base64.b64encode(message).decode(),
        "signature": base64.b64encode(proof.signature).decode(),
    }
    guid = known.account_guid
    return ask(
        parts.directory,
        lambda dc: _signed_in(entrance, dc, dc.account(guid), evidence),
    )


def by_account(entrance: Entrance, name: str, password: Secret) -> SignedIn:
    """Sign in with account name and password: one bind, on one DC, whatever it says.

    SignInRefused, NoRole, DirectoryError.
    """
    if not entrance.policy.with_account:
        _refuse(entrance, "", "enrollment.card_only")
    directory = entrance.parts.directory
    account = ask(directory, lambda dc: _proven(entrance, dc, name, password))
    how = {"how": "account"}
    return ask(
        directory,
        lambda dc: _signed_in(entrance, dc, dc.account(account.guid), how),
    )


def still(parts: RequiredPorts, policy: OfficePolicy, operator: SignedIn) -> SignedIn:
    """Read the operator's roles again. NoRole, DirectoryError.

    Who signed in by login has the role that the configuration gives.
    """
    if operator.login:
        return operator
    guid = operator.guid
    roles = ask(parts.directory, lambda dc: _roles(policy, dc, dc.account(guid)))
    return replace(operator, roles=roles)


# --- parts -------------------------------------------------------------------


def _proven(
    entrance: Entrance, dc: DomainController, name: str, password: Secret
) -> Account:
    """Return whose password that is. SignInRefused; ReadFailed before it was tried."""
    try:
        account = dc.find(name)
    except AccountMissing:
        _refuse(entrance, "", "enrollment.wrong_password")
    said = dc.verify_password(account, password)
    if said is not BindResult.OK:
        wrong = said is BindResult.WRONG_PASSWORD
        reason = "enrollment.wrong_password" if wrong else f"directory.bind.{said}"
        _refuse(entrance, account.name, reason)
    return account


def _usable(
    entrance: Entrance, known: Credential | None
) -> tuple[Credential, PublicKey]:
    if known is None:
        _refuse(entrance, "", "enrollment.card_not_known")
    if known.state is not State.ACTIVE:
        _refuse(entrance, known.account, "enrollment.card_not_active")
    if known.authentication_key is None:
        _refuse(entrance, known.account, "stop.no_authentication_key")
    return known, known.authentication_key


def _taken(tx: Tx, entrance: Entrance, nonce: bytes, credential: str) -> bool:
    return tx.consume_nonce(
        nonce,
        purpose=NoncePurpose.SIGN_IN,
        bound_to=credential,
        station=entrance.station,
        now=entrance.parts.clock.now(),
    )


def _signed_in(
    entrance: Entrance,
    dc: DomainController,
    account: Account,
    evidence: dict[str, str],
) -> SignedIn:
    name = account.name
    if not account.enabled or account.expired:
        _refuse(entrance, name, "enrollment.account_not_usable")
    try:
        roles = _roles(entrance.policy, dc, account)
    except NoRole:
        _note(entrance, name, "operator.sign_in_refused", "enrollment.no_role")
        raise
    told = {"roles": ", ".join(sorted(roles)), **evidence}
    _note(entrance, name, "operator.signed_in", data=told)
    return SignedIn(
        account=name, roles=roles, guid=account.guid, person=account.display_name
    )


def _roles(
    policy: OfficePolicy, dc: DomainController, account: Account
) -> frozenset[OperatorRole]:
    groups = {group for group in policy.groups.values() if group}
    found = dc.member_of(account, tuple(groups))
    if not found or not account.enabled or account.expired:
        raise NoRole(account=account.name)
    return frozenset(role for role, group in policy.groups.items() if group in found)


def _refuse(entrance: Entrance, account: str, reason: str) -> NoReturn:
    _note(entrance, account, "operator.sign_in_refused", reason)
    raise SignInRefused(Message(reason))


def _note(
    entrance: Entrance,
    account: str,
    kind: str,
    result: str = "",
    data: dict[str, str] | None = None,
) -> None:
    draft = AuditDraft(
        at=entrance.parts.clock.now(),
        station=entrance.station,
        kind=kind,
        actor=account or "unknown",
        result=result,
        data=data or {},
    )
    entrance.parts.registry.run(lambda tx: tx.audit(draft))
