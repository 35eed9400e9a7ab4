"""Issue a token behind its vendor's middleware: PIN, key pair, certificate.

PKCS#11 has no portable way to set more. The officer types the PIN that the token has
now. It is changed last, so that a token of which nothing else can be had is as it was,
and its new value is in escrow just before: a token that was pulled is opened by one of
the two, and the one in escrow is tried once for each time that it was written down.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from kiosk.authority.office.desk import Desk
from kiosk.cards.new_keys import Certify, NewKey
from kiosk.cards.pkcs11.card import Pkcs11Card, Pkcs11Session
from kiosk.cards.ports import (
    CardIdentity,
    Family,
    IdentityKind,
    KeyAlgorithm,
    KeySlot,
    NotSupported,
    PinRefused,
    WrongPin,
)
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.enrollment import certification, secrets
from kiosk.enrollment.certification import Certification
from kiosk.enrollment.issuing import (
    Issued,
    Job,
    Opening,
    Wanted,
    begin,
    carry_out,
    handed_over,
    transport_pin,
)
from kiosk.enrollment.predecessor import is_unfinished, last_retired
from storage.records import Credential
from storage.registry import Tx


class NoTokenPin(KioskError):
    """Nobody typed the PIN that the token has now."""

    code = "enrollment.no_token_pin"


class TokenPinRefused(KioskError):
    """The token does not take a PIN of ours; it has a key that is on no record."""

    code = "enrollment.token_pin_refused"


class TokenInUse(KioskError):
    """The token has a certificate to sign in with that is not ours to replace."""

    code = "enrollment.token_in_use"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pins:
    """`now` opens the token; `after` is its transport PIN."""

    now: Secret
    after: Secret

    @property
    def is_changed(self) -> bool:
        """An earlier attempt has set it already."""
        return self.now == self.after


def issue(wanted: Wanted, token: Pkcs11Card, typed: Secret | None) -> Issued:
    """Personalise the token. As `issue.issue_card`."""
    desk, algorithm = wanted.desk, KeyAlgorithm(wanted.template.key_algorithm)
    identity = token.recognise(Family.PKCS11).identity
    if not _is_named(identity):
        raise NotSupported(what="serial number")
    wanted.emit(Message("enrollment.step.take"))
    predecessor = last_retired(desk, identity)
    with token.session(identity) as session, ExitStack() as wiped:
        is_ours = predecessor is not None and session.has_our_certificate
        if session.has_certificate and not is_ours:
            raise TokenInUse
        found = certification.waited(
            desk, wanted.issuer, identity.key, wanted.holder, algorithm
        )
        pins = _pins(wiped, desk, session, predecessor, typed)
        found = certification.still_held(found, partial(_signed, session, found))
        job = Job(
            wanted=wanted,
            certification=Certification(
                desk=desk,
                source=wanted.issuer,
                person=certification.person_of(wanted.holder),
                card=identity.key,
                guid=found.guid or desk.parts.entropy.bytes(16),
                found=found,
                predecessor=predecessor,
                emit=wanted.emit,
            ),
            predecessor=predecessor,
        )
        credential = begin(job, partial(_opening, desk, pins))
        saved = carry_out(
            job,
            credential,
            partial(_personalise, job, session, identity, pins, credential.id),
            partial(_opened, job, pins.after),
        )
        return Issued(saved, handed_over(job, pins.after))


def _is_named(identity: CardIdentity) -> bool:
    """Say whether it has a serial number, and not one that all of its kind have."""
    _, _, serial = identity.value.partition(b"/")
    return identity.kind is IdentityKind.SERIAL and bool(serial.strip(b"0"))


# --- which PIN opens it ------------------------------------------------------


def _pins(
    wiped: ExitStack,
    desk: Desk,
    session: Pkcs11Session,
    predecessor: Credential | None,
    typed: Secret | None,
) -> _Pins:
    """Log in: by what an earlier attempt has set, else by what was typed.

    NoTokenPin, WrongPin, PinBlocked.
    """
    if predecessor is not None and is_unfinished(predecessor):
        begun = _begun(wiped, desk, session, predecessor)
        if begun is not None:
            return _Pins(now=begun, after=begun)
    if not typed:
        raise NoTokenPin
    session.verify(typed)
    after = wiped.enter_context(secrets.new_pin(desk.parts.entropy))
    return _Pins(now=typed, after=after)


def _begun(
    wiped: ExitStack, desk: Desk, session: Pkcs11Session, predecessor: Credential
) -> Secret | None:
    """Try the PIN that was about to be set; one that is refused is not kept."""
    envelope = predecessor.transport_pin_sealed
    if not envelope:
        return None
    field = secrets.TRANSPORT_PIN
    pin = wiped.enter_context(
        secrets.unseal(desk.parts, predecessor.id, field, envelope)
    )
    try:
        session.verify(pin)
    except WrongPin:
        desk.parts.registry.run(lambda tx: _forget(tx, predecessor.id))
        return None
    return pin


def _forget(tx: Tx, id: str) -> None:
    tx.save_credential(replace(tx.credential(id), transport_pin_sealed=""))


def _signed(
    session: Pkcs11Session,
    found: certification.Waited,
    slot: KeySlot,
    algorithm: KeyAlgorithm,
    message: bytes,
) -> bytes:
    return session.sign_with(found.keys[slot], algorithm, message)


# --- the token is changed ----------------------------------------------------


def _sealed(desk: Desk, pins: _Pins, id: str) -> str:
    return secrets.seal(desk.parts, id, secrets.TRANSPORT_PIN, pins.after)


def _opening(desk: Desk, pins: _Pins, id: str) -> Opening:
    """Return what has to be kept: a PIN of ours, where the token has it already."""
    return Opening(transport_pin=_sealed(desk, pins, id) if pins.is_changed else "")


def _personalise(
    job: Job,
    session: Pkcs11Session,
    identity: CardIdentity,
    pins: _Pins,
    id: str,
    certify: Certify,
) -> CardIdentity:
    algorithm = KeyAlgorithm(job.wanted.template.key_algorithm)
    slot = KeySlot.AUTHENTICATION
    spki = job.certification.found.keys.get(slot) or session.make_key(algorithm)
    key = NewKey(
        slot=slot,
        algorithm=algorithm,
        spki=spki,
        sign=partial(session.sign_with, spki, algorithm),
    )
    (certificate,) = certify([key])
    session.put_certificate(spki, certificate)
    if session.look_again() != certificate:
        raise TokenInUse  # what a kiosk would find is another one
    if not pins.is_changed:
        _change_pin(job.desk, session, pins, id)
    return identity


def _change_pin(desk: Desk, session: Pkcs11Session, pins: _Pins, id: str) -> None:
    """Write the new PIN down, set it, and see that it opens the token."""

    def write_down(tx: Tx) -> None:
        sealed = _sealed(desk, pins, id)
        tx.save_credential(replace(tx.credential(id), transport_pin_sealed=sealed))

    desk.parts.registry.run(write_down)
    try:
        session.change_pin(pins.now, pins.after)
    except PinRefused as refused:
        desk.parts.registry.run(lambda tx: _forget(tx, id))
        raise TokenPinRefused from refused
    session.verify(pins.after)


def _opened(job: Job, pin: Secret, tx: Tx, current: Credential) -> Credential:  # noqa: ARG001 - nothing more is read
    """Return the record of a token whose holder knows its PIN, or will."""
    return replace(current, transport_pin_sealed=transport_pin(job, current.id, pin))
