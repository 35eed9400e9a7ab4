"""Issue a blank GIDS card, or one that our escrow opens.

Its administrator key is what opens it: for our own authority, and for nobody else. By
mutual authentication with it the card is also known later, without a PIN.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from kiosk.authority.escrow import admin_key
from kiosk.authority.office.card_values import CardOpening, Predecessor
from kiosk.cards.errors import UNUSABLE, NotSupported, ObjectMissing, WrongAdminKey
from kiosk.cards.gids import objects
from kiosk.cards.gids.administration import GENERATED, GidsAdministration
from kiosk.cards.gids.application import GidsApplication
from kiosk.cards.gids.card import GidsCard
from kiosk.cards.gids.personalise import GidsPlan, equip, initialise, own_container
from kiosk.cards.new_keys import Certify
from kiosk.cards.values import CardIdentity, Family, IdentityKind, KeyAlgorithm, KeySlot
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.enrollment import certification
from kiosk.enrollment.admin_keys import authenticate
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
from kiosk.enrollment.possession import CardNotOurs
from kiosk.enrollment.predecessor import (
    admin_keys_in,
    last_retired,
    name_begun,
    openers_of,
)
from kiosk.pin.drawn import new_pin
from storage.records import Template

_FACTORY = bytes(admin_key.KEY_BYTES)
"""What cards leave the factory with: known to everybody."""


class KeyNotOfThisCard(KioskError):
    """The template wants a key that such cards do not make: `template`, `algorithm`."""

    code = "enrollment.key_not_of_this_card"


class AdminKeyNotOurs(CardNotOurs):
    """The card's administrator key is neither the factory's nor in our escrow."""

    code = "enrollment.admin_key_not_ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Secrets:
    """What opens the card from now."""

    pin: Secret
    admin_key: Secret
    before: Secret | None
    """The administrator key it has now; None: it is blank, and has none that counts."""


def refusal_of(template: Template) -> KioskError | None:
    """Return why no card can be issued as the template says; None: one can."""
    algorithm = template.key_algorithm
    if algorithm in GENERATED:
        return None
    return KeyNotOfThisCard(template=template.name, algorithm=algorithm)


def issue(wanted: IssueJob, gids: GidsCard) -> Issued:
    """Personalise the card. As `issue.issue_card`."""
    bench, algorithm = wanted.bench, KeyAlgorithm(wanted.template.key_algorithm)
    with gids.application() as application, ExitStack() as wiped:
        known = _identity(application)
        wanted.emit(Message("enrollment.step.take"))
        predecessor = last_retired(bench.office, known)
        card = known.key if known is not None else ""
        found = certification.waited(
            bench.clock, wanted.issuer, card, wanted.order.holder, algorithm
        )
        pin = wiped.enter_context(new_pin(bench.entropy))
        before = None
        if not application.is_blank():
            before = wiped.enter_context(_take(wanted, application, predecessor))
            application.reset_pin(pin)
            application.verify(pin)
            sign = partial(_signed, application)
            found = certification.still_held(found, sign)
        else:
            found = certification.Waited()
        after = _Secrets(
            pin=pin,
            admin_key=wiped.enter_context(_new_key(wanted)),
            before=before,
        )
        name = found.guid or name_begun(known, predecessor) or bench.entropy.bytes(16)
        job = Job(
            wanted=wanted,
            certification=Certification(
                clock=bench.clock,
                source=wanted.issuer,
                person=certification.person_of(wanted.order.holder),
                card=CardIdentity(Family.GIDS, IdentityKind.CARD_ID, name).key,
                guid=name,
                found=found,
                predecessor=predecessor,
                emit=wanted.emit,
            ),
            predecessor=predecessor,
        )
        opening = CardOpening(admin_key=after.admin_key, admin_key_before=after.before)
        credential = begin(job, opening)
        saved = carry_out(
            job,
            credential,
            partial(_personalise, job, application, after),
            OpeningSecrets(pin=pin, has_shown_admin_key=True),
        )
        return Issued(saved, handed_over(job, pin))


# --- what opens it now -------------------------------------------------------


def _identity(application: GidsApplication) -> CardIdentity | None:
    """Return which card this is; None: a blank one without a name."""
    try:
        name = application.card_id()
    except UNUSABLE:
        return None
    return CardIdentity(Family.GIDS, IdentityKind.CARD_ID, name)


@contextmanager
def _take(
    wanted: IssueJob, application: GidsApplication, predecessor: Predecessor | None
) -> Iterator[Secret]:
    """Authenticate with the key that opens the card, and yield it. AdminKeyNotOurs.

    A card that we do not know is opened only if nobody uses it, and the factory's key
    is on it: a wrong answer may count for good.
    """
    with ExitStack() as wiped:
        if predecessor is not None:
            kept = wiped.enter_context(openers_of(wanted.bench.office, predecessor))
            keys: Sequence[Secret] = admin_keys_in(kept)
        elif _is_used(application):
            raise AdminKeyNotOurs
        else:
            keys = [wiped.enter_context(Secret(_FACTORY))]
        yield _opens(wanted, application, keys)


def _opens(
    wanted: IssueJob, application: GidsApplication, keys: Sequence[Secret]
) -> Secret:
    for key in keys:
        try:
            authenticate(application, key, wanted.bench.entropy)
        except WrongAdminKey:
            continue
        except NotSupported as error:
            raise AdminKeyNotOurs from error
        return key
    raise AdminKeyNotOurs


def _is_used(application: GidsApplication) -> bool:
    """Say whether it has a key container, or does not tell."""
    try:
        return bool(application.containers())
    except ObjectMissing:
        return False


def _signed(
    application: GidsApplication,
    slot: KeySlot,
    algorithm: KeyAlgorithm,
    message: bytes,
) -> bytes:
    """Sign with the card's only key, if it has one. CardError."""
    if slot is not KeySlot.AUTHENTICATION:
        raise ObjectMissing(object=f"key {slot}")
    return application.sign(own_container(algorithm), algorithm, message)


# --- what opens it then ------------------------------------------------------


def _new_key(wanted: IssueJob) -> Secret:
    return Secret(wanted.bench.entropy.bytes(admin_key.KEY_BYTES))


def _personalise(
    job: Job, application: GidsApplication, after: _Secrets, certify: Certify
) -> CardIdentity:
    """Change name and administrator key first: from then the card proves itself."""
    entropy, name = job.bench.entropy, job.certification.guid
    check = admin_key.check(after.admin_key)
    if after.before is None:
        initialise(
            application,
            pin=after.pin,
            admin_key=after.admin_key,
            check=check,
            card_id=name,
        )
    else:
        authenticate(application, after.before, entropy)
        card = GidsAdministration(application)
        card.put(objects.CARD_ID, name)
        card.set_admin_key(after.admin_key, check)
    authenticate(application, after.admin_key, entropy)
    algorithm = KeyAlgorithm(job.wanted.template.key_algorithm)
    plan = GidsPlan(
        container=str(uuid.UUID(bytes=entropy.bytes(16), version=4)),
        algorithm=algorithm,
        kept=job.certification.found.keys.get(KeySlot.AUTHENTICATION, b""),
    )
    return equip(application, plan, pin=after.pin, certify=certify)
