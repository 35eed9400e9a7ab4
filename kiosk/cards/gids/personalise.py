"""A GIDS card becomes somebody's: made operational, its key, its certificate.

Every step may be done again, whatever was done before it: a card that was pulled is
issued by starting over. What a card needs before it is operational comes from Windows'
inbox minidriver ("card initialisation"), the records from what it writes.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.cards.errors import UNUSABLE
from kiosk.cards.gids import objects
from kiosk.cards.gids.administration import GENERATED, GidsAdministration
from kiosk.cards.gids.application import GidsApplication
from kiosk.cards.gids.objects import Container, FileEntry
from kiosk.cards.new_keys import Certify, NewKey
from kiosk.cards.values import CardIdentity, Family, IdentityKind, KeyAlgorithm, KeySlot
from kiosk.core.secret import Secret

_FIRST = 0
"""The index of the only container."""
_APPS = b"mscp\0\0\0\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class GidsPlan:
    """What the card shall have."""

    container: str
    """The name of its key container: a GUID as text."""
    algorithm: KeyAlgorithm
    kept: bytes = b""
    """Its key (DER SubjectPublicKeyInfo), if it has one and shall keep it."""


def initialise(
    application: GidsApplication,
    *,
    pin: Secret,
    admin_key: Secret,
    check: bytes,
    card_id: bytes,
) -> None:
    """Make a blank card operational, with PIN, administrator key, name and no key.

    Its name comes first, so that one that was pulled is found again. `check` is the
    key's check value. PinRefused, NotVerified (the card is not blank),
    UnexpectedStatus.
    """
    card = GidsAdministration(application)
    card.set_pin(pin)
    named, _ = objects.CARD_ID
    card.make_file(named)
    card.put(objects.CARD_ID, card_id)
    for fid in objects.ACCESS_RULES:
        if fid != named:
            card.make_file(fid)
    card.make_admin_key_file()
    card.set_admin_key(admin_key, check)
    card.put(objects.MASTERFILE, objects.write_masterfile(_entries()))
    card.put(objects.CARD_APPS, _APPS)
    card.put(objects.CARD_CF, bytes(objects.CARD_CF_BYTES))
    card.make_operational()


def equip(
    application: GidsApplication, plan: GidsPlan, *, pin: Secret, certify: Certify
) -> CardIdentity:
    """Give an operational card its key, container and certificate; return its name.

    Logs the user in and out. WrongPin, NotSupported, and what `certify` raises.
    """
    card = GidsAdministration(application)
    application.verify(pin)
    card.make_key_file(_FIRST, plan.algorithm)
    spki = plan.kept or card.generate(_FIRST, plan.algorithm)
    container = own_container(plan.algorithm)
    key = NewKey(
        slot=KeySlot.AUTHENTICATION,
        algorithm=plan.algorithm,
        spki=spki,
        sign=lambda message: application.sign(container, plan.algorithm, message),
    )
    (certificate,) = certify([key])
    kind = GENERATED[plan.algorithm]
    card.put(objects.KEY_MAP, objects.write_key_map([kind]))
    named = (plan.container, container.exchange_bits)
    card.put(objects.CMAP_FILE, objects.write_cmapfile([named]))
    card.put(objects.FIRST_CERTIFICATE, objects.write_certificate(certificate))
    fid, do = objects.FIRST_CERTIFICATE
    own = FileEntry("mscp", container.certificate.lower(), do, fid)
    card.put(objects.MASTERFILE, objects.write_masterfile((*_entries(), own)))
    card.put(objects.CARD_CF, objects.fresher(_freshness(application)))
    value = application.card_id()
    application.logout()
    return CardIdentity(Family.GIDS, IdentityKind.CARD_ID, value)


def own_container(algorithm: KeyAlgorithm) -> Container:
    """Return the only container of a card of ours, whether or not it is written yet."""
    return Container(
        index=_FIRST,
        is_default=True,
        exchange_bits=int(algorithm.rpartition("-")[2]),
        signature_bits=0,
    )


def _entries() -> tuple[FileEntry, ...]:
    places = (
        ("", "cardid", objects.CARD_ID),
        ("", "cardapps", objects.CARD_APPS),
        ("", "cardcf", objects.CARD_CF),
        ("mscp", "cmapfile", objects.CMAP_FILE),
    )
    root, _ = objects.MASTERFILE
    return (
        FileEntry("mscp", "", 0, root),
        *(FileEntry(folder, name, do, fid) for folder, name, (fid, do) in places),
    )


def _freshness(application: GidsApplication) -> bytes:
    """Return what the card says of how fresh it is; zeros where it makes no sense."""
    try:
        return application.file(objects.CARD_CF, "cardcf")
    except UNUSABLE:
        return b""
