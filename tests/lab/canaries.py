"""Secrets that are easy to find again, in every encoding that a program might use."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator


def encodings(secret: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield how a secret may look, and what that is called.

    Base 64 has three forms, by where in its text the secret begins.
    """
    text = secret.decode("latin-1")
    yield "plain", secret
    yield "UTF-16LE", text.encode("utf-16-le")
    yield "UTF-16BE", text.encode("utf-16-be")
    yield "UCS-4", text.encode("utf-32-le")
    yield "hex", secret.hex().encode()
    yield "HEX", secret.hex().upper().encode()
    yield "hex by bytes", secret.hex(" ").encode()
    yield "HEX by bytes", secret.hex(" ").upper().encode()
    yield "a list of numbers", ", ".join(map(str, secret)).encode()
    yield "FF-padded", secret.ljust(max(len(secret), 8), b"\xff")
    for skipped in range(3):
        whole = base64.b64encode(bytes(skipped) + secret)
        begin = (skipped * 8 + 5) // 6
        yield f"base 64 at {skipped}", whole[begin : (skipped + len(secret)) * 8 // 6]


def found(secrets: dict[str, bytes], places: Iterable[tuple[str, bytes]]) -> list[str]:
    """Return which secret stands where, and how."""
    looks = [
        (name, called, look)
        for name, secret in secrets.items()
        for called, look in encodings(secret)
    ]
    return [
        f"{name} as {called} in {place}"
        for place, content in places
        for name, called, look in looks
        if look in content
    ]
