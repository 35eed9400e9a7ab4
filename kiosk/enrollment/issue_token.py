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

from kiosk.authority.office.card_values import CardOpening, Predecessor
from kiosk.cards.errors import NotSupported, PinRefused, WrongPin
from kiosk.cards.new_keys import Certify, NewKey
from kiosk.cards.pkcs11.card import Pkcs11Card, Pkcs11Session
from kiosk.cards.values import CardIdentity, Family, IdentityKind, KeyAlgorithm, KeySlot
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.enrollment import certification
from kiosk.enrollment.bench import Bench
from kiosk.enrollment.certification import Certification
from kiosk.enrollment.issuing import (
    Issued,
    IssueJob,
    Job,
    OpeningSecrets,
    begin,
    carry_out,
    handed_over,
)
from kiosk.enrollment.predecessor import last_retired, openers_of
from kiosk.pin.drawn import new_pin


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


def issue(wanted: IssueJob, token: Pkcs11Card, typed: Secret | None) -> Issued:
    """Personalise the token. As `issue.issue_card`."""
    bench, algorithm = wanted.bench, KeyAlgorithm(wanted.template.key_algorithm)
    identity = token.recognise(Family.PKCS11).identity
    if not _is_named(identity):
        raise NotSupported(what="serial number")
    wanted.emit(Message("enrollment.step.take"))
    predecessor = last_retired(bench.office, identity)
    with token.session(identity) as session, ExitStack() as wiped:
        is_ours = predecessor is not None and session.has_our_certificate
        if session.has_certificate and not is_ours:
            raise TokenInUse
        found = certification.waited(
            bench.clock,
            wanted.issuer,
            identity.key,
            wanted.order.holder,
            algorithm,
        )
        pins = _pins(wiped, bench, session, predecessor, typed)
        found = certification.still_held(found, partial(_signed, session, found))
        job = Job(
            wanted=wanted,
            certification=Certification(
                clock=bench.clock,
                source=wanted.issuer,
                person=certification.person_of(wanted.order.holder),
                card=identity.key,
                guid=found.guid or bench.entropy.bytes(16),
                found=found,
                predecessor=predecessor,
                emit=wanted.emit,
            ),
            predecessor=predecessor,
        )
        # A PIN of ours is kept at once where the token has it already.
        set_already = pins.after if pins.is_changed else None
        credential = begin(job, CardOpening(transport_pin=set_already))
        saved = carry_out(
            job,
            credential,
            partial(_personalise, job, session, identity, pins, credential.id),
            OpeningSecrets(pin=pins.after),
        )
        return Issued(saved, handed_over(job, pins.after))


def _is_named(identity: CardIdentity) -> bool:
    """Say whether it has a serial number, and not one that all of its kind have."""
    _, _, serial = identity.value.partition(b"/")
    return identity.kind is IdentityKind.SERIAL and bool(serial.strip(b"0"))


# --- which PIN opens it ------------------------------------------------------


def _pins(
    wiped: ExitStack,
    bench: Bench,
    session: Pkcs11Session,
    predecessor: Predecessor | None,
    typed: Secret | None,
) -> _Pins:
    """Log in: by what an earlier attempt has set, else by what was typed.

    NoTokenPin, WrongPin, PinBlocked.
    """
    if predecessor is not None and predecessor.is_unfinished:
        begun = _begun(wiped, bench, session, predecessor)
        if begun is not None:
            return _Pins(now=begun, after=begun)
    if not typed:
        raise NoTokenPin
    session.verify(typed)
    after = wiped.enter_context(new_pin(bench.entropy))
    return _Pins(now=typed, after=after)


def _begun(
    wiped: ExitStack, bench: Bench, session: Pkcs11Session, predecessor: Predecessor
) -> Secret | None:
    """Try the PIN that was about to be set; one that is refused is not kept."""
    pin = wiped.enter_context(openers_of(bench.office, predecessor)).transport_pin
    if pin is None:
        return None
    try:
        session.verify(pin)
    except WrongPin:
        bench.office.transport_pin_refused(predecessor.id)
        return None
    return pin


def _signed(
    session: Pkcs11Session,
    found: certification.Waited,
    slot: KeySlot,
    algorithm: KeyAlgorithm,
    message: bytes,
) -> bytes:
    return session.sign_with(found.keys[slot], algorithm, message)


# --- the token is changed ----------------------------------------------------


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
        _change_pin(job.bench, session, pins, id)
    return identity


def _change_pin(bench: Bench, session: Pkcs11Session, pins: _Pins, id: str) -> None:
    """Write the new PIN down, set it, and see that it opens the token."""
    bench.office.keep_transport_pin(id, pins.after)
    try:
        session.change_pin(pins.now, pins.after)
    except PinRefused as refused:
        bench.office.transport_pin_refused(id)
        raise TokenPinRefused from refused
    session.verify(pins.after)
