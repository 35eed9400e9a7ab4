"""Requests that wait for somebody's decision, kept until the card comes back.

One private file per card and key, in a folder beside the registry. Nothing in it is
secret: a request, and whom it is for. A ticket says which key on the card must not be
made anew, or the certificate that is being made would be for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from kiosk.cards.values import KeySlot
from kiosk.certificates.certificate_requests import is_signed_by
from kiosk.certificates.ports import (
    Answer,
    CertificateRequest,
    Pending,
)
from kiosk.certificates.source_files import remove, write_private

GUID_BYTES = 16


class Asked(Protocol):
    """A source that remembers nothing itself."""

    @property
    def days(self) -> int:
        """As `CertificateSource`."""

    def obtain(self, request: CertificateRequest, *, now: float) -> Answer:
        """As `CertificateSource`."""

    def forget(self, card: str) -> None:
        """As `CertificateSource`."""


class Ticketed:
    """A `CertificateSource` that keeps what another one answers with Pending."""

    wants_attestation = False

    def __init__(self, source: Asked, folder: Path) -> None:
        self._source = source
        self._folder = folder

    @property
    def days(self) -> int:
        return self._source.days

    def obtain(self, request: CertificateRequest, *, now: float) -> Answer:
        answer = self._source.obtain(request, now=now)
        if isinstance(answer, Pending):
            content = msgspec.json.encode(request)
            write_private(self._folder / _name(request.card, request.slot), content)
        return answer

    def waiting(self, card: str) -> Sequence[CertificateRequest]:
        """As `CertificateSource`; a ticket that is damaged is none."""
        found = (self._read(card, slot) for slot in KeySlot)
        return [request for request in found if request is not None]

    def forget(self, card: str) -> None:
        for slot in KeySlot:
            remove(self._folder / _name(card, slot))
        self._source.forget(card)

    def _read(self, card: str, slot: KeySlot) -> CertificateRequest | None:
        try:
            content = (self._folder / _name(card, slot)).read_bytes()
            request = msgspec.json.decode(content, type=CertificateRequest)
        except (OSError, msgspec.DecodeError):
            return None
        is_whole = (
            (request.card, request.slot) == (card, slot)
            and len(request.guid) == GUID_BYTES
            and is_signed_by(request.csr, request.spki)
        )
        return request if is_whole else None


def file_stem(card: str, slot: KeySlot) -> str:
    """Return how files about a key of a card are called, e.g. `piv-serial-00bc-9A`."""
    return f"{card.replace(':', '-')}-{slot}"


def _name(card: str, slot: KeySlot) -> str:
    return f"{file_stem(card, slot)}.json"
