"""The laboratory's own hash, by the vectors of RFC 1320 and MS-NLMP."""

from __future__ import annotations

import pytest
from lab.domain.nt_hash import md4, nt_hash


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        (b"abc", "a448017aaf21d8525fc10ae87aa6729d"),
        (b"1234567890" * 8, "e33b4ddc9c38f2199c3e7b164fcc0536"),
    ],
)
def test_vectors(data: bytes, digest: str) -> None:
    assert md4(data).hex() == digest


def test_a_password_is_hashed_as_utf_16() -> None:
    assert nt_hash("Password").hex() == "a4f49c406510bdcab6824ee7c30fd852"
