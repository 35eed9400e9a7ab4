"""Requests that wait for somebody's decision, kept until the card comes back.

A ticket says which key on the card must not be made anew, or the certificate that is
being made would be for nothing. Nothing in it is secret: a request, and whom it is for.
Where one station has a registry of its own it is a private file beside that, one for
each card and key; where several share one it is kept there, for the card may come back
to another process, or another station.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from storage.known_types import known
from storage.records import Slip
from storage.registry import Registry

GUID_BYTES = 16
KIND = "certificate"
"""The slips that hold tickets."""
_SLOTS = len(KeySlot)


class Asked(Protocol):
    """A source that remembers nothing itself."""

    @property
    def days(self) -> int:
        """As `CertificateSource`."""

    def obtain(self, request: CertificateRequest, *, now: float) -> Answer:
        """As `CertificateSource`."""

    def forget(self, card: str) -> None:
        """As `CertificateSource`."""


class TicketStore(Protocol):
    """Where tickets are kept. SourceUnusable, RegistryError."""

    def keep(self, card: str, slot: KeySlot, content: bytes) -> None:
        """Keep what is to be known of a key, in the place of what was."""

    def of(self, card: str) -> Iterator[tuple[KeySlot, bytes]]:
        """Yield what is kept of a card's keys."""

    def forget(self, card: str) -> None:
        """Forget all of a card."""


class FolderTickets:
    """`TicketStore` as private files of one station."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, card: str, slot: KeySlot, content: bytes) -> None:
        write_private(self._file(card, slot), content)

    def of(self, card: str) -> Iterator[tuple[KeySlot, bytes]]:
        for slot in KeySlot:
            try:
                yield slot, self._file(card, slot).read_bytes()
            except OSError:
                continue

    def forget(self, card: str) -> None:
        for slot in KeySlot:
            remove(self._file(card, slot))

    def _file(self, card: str, slot: KeySlot) -> Path:
        return self._folder / f"{file_stem(card, slot)}.json"


class RegistryTickets:
    """`TicketStore` in a registry, for every process. On the registry's thread."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def keep(self, card: str, slot: KeySlot, content: bytes) -> None:
        slip = Slip(kind=KIND, of=card, name=slot, text=content.decode())
        self._registry.run(lambda tx: tx.save_slip(slip))

    def of(self, card: str) -> Iterator[tuple[KeySlot, bytes]]:
        found = self._registry.read(
            lambda view: view.slips(KIND, of=card, limit=_SLOTS)
        )
        for slip in found:
            if slip.name in set(KeySlot):
                yield KeySlot(slip.name), slip.text.encode()

    def forget(self, card: str) -> None:
        self._registry.run(lambda tx: tx.forget_slips(KIND, card))


class Ticketed:
    """A `CertificateSource` that keeps what another one answers with Pending."""

    wants_attestation = False

    def __init__(self, source: Asked, tickets: TicketStore) -> None:
        self._source = source
        self._tickets = tickets

    @property
    def days(self) -> int:
        return self._source.days

    def obtain(self, request: CertificateRequest, *, now: float) -> Answer:
        answer = self._source.obtain(request, now=now)
        if isinstance(answer, Pending):
            content = msgspec.json.encode(request)
            self._tickets.keep(request.card, request.slot, content)
        return answer

    def waiting(self, card: str) -> Sequence[CertificateRequest]:
        """As `CertificateSource`; a ticket that is damaged is none."""
        found = (_read(card, *kept) for kept in self._tickets.of(card))
        return [request for request in found if request is not None]

    def forget(self, card: str) -> None:
        self._tickets.forget(card)
        self._source.forget(card)


def _read(card: str, slot: KeySlot, content: bytes) -> CertificateRequest | None:
    try:
        request = msgspec.json.decode(content, type=known(CertificateRequest))
    except msgspec.DecodeError:
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
