"""A folder between us and an authority elsewhere: request out, certificate in.

For each key of a card, `<card>-9A.csr` (PEM, PKCS#10) is written there; whoever runs
the authority puts `<card>-9A.cer` beside it (PEM or DER, further certificates may
follow in PEM). Names are the card's identity key with hyphens, nobody's own name.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk.cards.values import KeySlot
from kiosk.certificates.ports import (
    Answer,
    CertificateRequest,
    Certified,
    Pending,
    SourceMalformed,
)
from kiosk.certificates.source_files import remove, unusable, write_private
from kiosk.certificates.tickets import file_stem

LARGEST = 64 * 1024
"""Bytes of an answer that are still read."""
_LINE = 64


class CertificateFolder:
    """The folder. Wrapped in `Ticketed` it is a `CertificateSource`."""

    def __init__(
        self, folder: Path, *, days: int, issuers: Sequence[x509.Certificate] = ()
    ) -> None:
        """`issuers` are those whose certificates are believed; empty: anybody's."""
        self._folder = folder
        self.days = days
        self._issuers = tuple(issuers)

    def obtain(self, request: CertificateRequest, *, now: float) -> Answer:  # noqa: ARG002 - a folder has no clock
        """Write the request, or read what has come. SourceUnusable, SourceMalformed."""
        wanted, given = self._files(request.card, request.slot)
        pem = _pem(request.csr)
        if _content(wanted) != pem:
            remove(given)  # it answers an earlier request
            write_private(wanted, pem)
        answer = _content(given)
        if answer is None:
            return Pending(where=str(wanted))
        return Certified(_chain(answer), self._issuers)

    def forget(self, card: str) -> None:
        for slot in KeySlot:
            for file in self._files(card, slot):
                remove(file)

    def _files(self, card: str, slot: KeySlot) -> tuple[Path, Path]:
        stem = self._folder / file_stem(card, slot)
        return Path(f"{stem}.csr"), Path(f"{stem}.cer")


def _content(file: Path) -> bytes | None:
    """Return what a file holds, up to a bound; None: it is not there."""
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(file, error) from error
    if len(content) > LARGEST:
        raise SourceMalformed
    return content


def _pem(csr: bytes) -> bytes:
    text = base64.b64encode(csr).decode()
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return "\n".join(
        (
            "-----BEGIN CERTIFICATE REQUEST-----",
            *lines,
            "-----END CERTIFICATE REQUEST-----",
            "",
        )
    ).encode()


def _chain(content: bytes) -> tuple[bytes, ...]:
    if b"-----BEGIN" not in content:  # there may be words before it: `openssl ca`
        return (content,)
    try:
        found = x509.load_pem_x509_certificates(content)
    except (ValueError, x509.InvalidVersion) as error:
        raise SourceMalformed from error
    return tuple(each.public_bytes(Encoding.DER) for each in found)
