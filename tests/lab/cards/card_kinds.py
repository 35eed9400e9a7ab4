"""Every kind of card that the contract of cards is held against, ready to insert."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from kiosk.authority.escrow import admin_key
from kiosk.cards.apdu import Command
from kiosk.cards.gids.application import FIRST_KEY
from kiosk.cards.gids.personalise import GidsPlan, equip, initialise
from kiosk.cards.new_keys import NewKey
from kiosk.cards.values import CardIdentity, Family, IdentityKind, KeyAlgorithm
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import KeyMade, Made, MadeCard, key_of, make_card
from kiosk.simulation.cards.gids import SimulatedGidsCard
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.cards.options import (
    GidsOptions,
    PivOptions,
    Variant,
    of_neo,
    of_variant,
    of_yubikey,
)
from kiosk.simulation.cards.reader import SimulatedReaders

PIN, NEW, PUK = b"481516", b"234291", b"75318642"
ADMIN_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA98765432108899AABBCCDDEEFF")
MadeGids = Made[SimulatedGidsCard]
AnyMade = MadeCard | MadeGids


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of card: how to make it, and what is to be expected of it."""

    make: Callable[[], AnyMade]
    family: Family
    pin_tries: int
    algorithm: KeyAlgorithm
    change_apdus: int
    """What a visit's transaction costs: identity, proof, change, proof, logout."""
    changes_at: int
    """Which APDU of it is the change."""
    other: CardIdentity
    """Another card of the same family."""


def make_piv(
    options: PivOptions | None = None, algorithm: KeyAlgorithm = KeyAlgorithm.P256
) -> MadeCard:
    """Make Ann's PIV card."""
    return make_card(
        SeededEntropy(4),
        subject="Ann",
        pin=PIN,
        puk=PUK,
        options=options,
        algorithm=algorithm,
    )


def make_gids(puk: bytes = PUK) -> MadeGids:
    """Make Ann's GIDS card."""
    return make_gids_card(
        SeededEntropy(4), subject="Ann", pin=PIN, puk=puk, admin_key=ADMIN_KEY
    )


def make_issued_gids() -> MadeGids:
    """Make Ann's GIDS card as our enrollment does, from one out of the factory."""
    entropy = SeededEntropy(4)
    chip = SimulatedGidsCard(entropy=entropy, options=GidsOptions(puk_tries=3))
    readers = SimulatedReaders()
    chip.power_on()
    made: list[KeyMade] = []

    def certify(keys: Sequence[NewKey]) -> list[bytes]:
        made.append(key_of(chip.keys[FIRST_KEY], keys[0].algorithm, "Ann"))
        return [made[0].certificate]

    card = readers.insert(chip).gids
    with card.application() as application, Secret(ADMIN_KEY) as key:
        application.send(Command(0x24, 0x01, 0x81, bytearray(PUK)))
        initialise(
            application,
            pin=Secret(PIN),
            admin_key=key,
            check=admin_key.check(key),
            card_id=entropy.bytes(16),
        )
        plan = GidsPlan(container="Ann's", algorithm=KeyAlgorithm.RSA_2048)
        identity = equip(application, plan, pin=Secret(PIN), certify=certify)
    return Made(
        card=chip,
        identity=identity,
        authentication=made[0],
        card_authentication=None,
    )


def _gids(make: Callable[[], MadeGids]) -> Kind:
    return Kind(
        make=make,
        family=Family.GIDS,
        pin_tries=3,
        algorithm=KeyAlgorithm.RSA_2048,
        change_apdus=8,
        changes_at=6,
        other=CardIdentity(Family.GIDS, IdentityKind.CARD_ID, b"\x01" * 16),
    )


def _piv(
    options: PivOptions, algorithm: KeyAlgorithm = KeyAlgorithm.P256, *, apdus: int = 7
) -> Kind:
    return Kind(
        make=lambda: make_piv(options, algorithm),
        family=Family.PIV,
        pin_tries=options.pin_tries,
        algorithm=algorithm,
        change_apdus=apdus,
        changes_at=apdus - 2,
        other=CardIdentity(Family.PIV, IdentityKind.GUID, bytes(16)),
    )


A, B, YUBIKEY = of_variant(Variant.A), of_variant(Variant.B), of_yubikey(77)
PIV = {"piv": _piv(PivOptions())}
PIV_VARIANTS = {"piv a": _piv(A), "piv b": _piv(B), "yubikey": _piv(YUBIKEY)}
FIRMWARE = {
    "yubikey 5.2": _piv(of_yubikey(77, (5, 2, 7))),
    "yubikey 5.7": _piv(of_yubikey(77, (5, 7, 4))),
    "neo": _piv(of_neo()),
    "digits as puk": _piv(replace(A, digits_only_puk=True)),
}
"""What else `kiosk card simulate` makes and has a PUK."""
PIV_RSA = {
    f"{name} rsa": _piv(options, KeyAlgorithm.RSA_2048, apdus=9)
    for name, options in (("piv a", A), ("piv b", B), ("yubikey", YUBIKEY))
}
"""A signature of RSA is longer than one answer, and what is signed than a command."""
GIDS = {"gids": _gids(make_gids), "gids issued": _gids(make_issued_gids)}
FAMILIES = PIV | GIDS
"""One card of each family."""
VARIANTS = PIV_VARIANTS | FIRMWARE | GIDS
"""All the ways in which cards of the families differ."""
