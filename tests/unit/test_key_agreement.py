"""A simulated card agrees on a secret with whoever shows it a public key."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lab.cards.card_kinds import PIN, make_piv

from kiosk.cards import tlv
from kiosk.cards.piv.application import PivApplication
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.keys import PrivateKey, generate
from kiosk.simulation.cards.piv import SimulatedPivCard

_KEY_MANAGEMENT = 0x9D
_P256, _P384, _X25519 = 0x11, 0x14, 0xE1


def own(algorithm: int) -> tuple[SimulatedPivCard, PrivateKey, PivApplication]:
    card = make_piv().card
    key = generate(algorithm, SeededEntropy(1))
    assert key is not None
    card.put_key(_KEY_MANAGEMENT, key, (0, 0))
    card.power_on()
    application = PivApplication(card, "reader")
    application.verify(Secret(PIN))
    return card, key, application


def agreed(application: PivApplication, algorithm: int, point: bytes) -> bytes | int:
    template = tlv.pack(0x82, b"") + tlv.pack(0x85, point)
    response = application.general_authenticate(algorithm, _KEY_MANAGEMENT, template)
    if not response.is_ok:
        return response.sw
    return tlv.need(tlv.need(response.data, 0x7C, "answer"), 0x82, "answer")


@pytest.mark.parametrize(
    ("algorithm", "curve"), [(_P256, ec.SECP256R1()), (_P384, ec.SECP384R1())]
)
def test_both_sides_have_one_secret(algorithm: int, curve: ec.EllipticCurve) -> None:
    _, key, application = own(algorithm)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    ours = ec.generate_private_key(curve)
    point = ours.public_key().public_bytes(
        Encoding.X962, PublicFormat.UncompressedPoint
    )
    secret = ours.exchange(ec.ECDH(), key.public_key())
    assert agreed(application, algorithm, point) == secret


def test_both_sides_have_one_secret_with_x25519() -> None:
    _, key, application = own(_X25519)
    assert isinstance(key, x25519.X25519PrivateKey)
    ours = x25519.X25519PrivateKey.generate()
    secret = ours.exchange(key.public_key())
    point = ours.public_key().public_bytes_raw()
    assert agreed(application, _X25519, point) == secret


def test_a_point_that_is_on_no_curve_is_refused() -> None:
    _, _, application = own(_P256)
    assert agreed(application, _P256, b"\x04" + bytes(64)) == 0x6A80


def test_a_key_of_another_kind_agrees_on_nothing() -> None:
    _, _, application = own(_P256)
    assert agreed(application, _P384, b"\x04" + bytes(96)) == 0x6A80
