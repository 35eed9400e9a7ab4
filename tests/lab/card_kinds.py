"""Every kind of card that the contract of cards is held against, ready to insert."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.cards.ports import CardIdentity, Family, IdentityKind, KeyAlgorithm
from kiosk.core.entropy import SeededEntropy
from kiosk.simulation.cards.factory import Made, MadeCard, make_card
from kiosk.simulation.cards.gids import SimulatedGidsCard
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.cards.options import (
    PivOptions,
    Variant,
    of_variant,
    of_yubikey,
)

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
PIV_RSA = {
    f"{name} rsa": _piv(options, KeyAlgorithm.RSA_2048, apdus=9)
    for name, options in (("piv a", A), ("piv b", B), ("yubikey", YUBIKEY))
}
"""A signature of RSA is longer than one answer, and what is signed than a command."""
GIDS = {
    "gids": Kind(
        make=make_gids,
        family=Family.GIDS,
        pin_tries=3,
        algorithm=KeyAlgorithm.RSA_2048,
        change_apdus=8,
        changes_at=6,
        other=CardIdentity(Family.GIDS, IdentityKind.CARD_ID, b"\x01" * 16),
    )
}
FAMILIES = PIV | GIDS
"""One card of each family."""
VARIANTS = PIV_VARIANTS | GIDS
"""All the ways in which cards of the families differ."""
