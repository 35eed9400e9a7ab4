"""The administrator key: answers as Windows' unblock dialog expects them."""

from __future__ import annotations

import pytest

from kiosk.authority.escrow import admin_key
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret

OURS, CARDS = bytes(range(16)), bytes(range(16, 32))
KEY = bytes.fromhex("0123456789ABCDEFFEDCBA98765432108899AABBCCDDEEFF")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("00" * 24, "1951EC3EF81BBABB"),
        ("0102030405060708" * 3, "B0A1674747F4EB87"),
        (KEY.hex(), "ACEAE5BE7FC280FC"),
    ],
)
def test_a_challenge_is_answered_with_one_block_of_triple_des(
    key: str, expected: str
) -> None:
    challenge = bytes.fromhex("A892D75601617C5D")
    with Secret(bytes.fromhex(key)) as secret:
        assert admin_key.answer(secret, challenge).hex().upper() == expected


def test_a_challenge_of_another_length_is_never_answered() -> None:
    with Secret(KEY) as secret, pytest.raises(ValueError, match="eight bytes"):
        admin_key.answer(secret, bytes(16))


def test_the_proof_is_forty_bytes_and_proves_with_the_same_key_only() -> None:
    entropy = SeededEntropy(1)
    with Secret(KEY) as ours, Secret(bytes(24)) as other:
        # The card answers as we do, with the two challenges the other way round.
        answered = admin_key.prove(ours, CARDS, OURS, entropy)
        assert len(answered) == 40
        assert admin_key.is_proven(ours, OURS, CARDS, answered)
        assert not admin_key.is_proven(other, OURS, CARDS, answered)
        assert not admin_key.is_proven(ours, CARDS, OURS, answered)
        assert not admin_key.is_proven(ours, OURS, CARDS, answered[:32])


def test_our_own_proof_sent_back_proves_nothing() -> None:
    with Secret(KEY) as key:
        reflected = admin_key.prove(key, OURS, CARDS, SeededEntropy(1))
        assert not admin_key.is_proven(key, OURS, CARDS, reflected)
