"""The source of certificates that a configuration describes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from kiosk.cards.values import KeySlot
from kiosk.certificates.attestation import AttestedOnly
from kiosk.certificates.card_certificates import read_pem
from kiosk.certificates.est import EstClient, EstSettings
from kiosk.certificates.files import CertificateFolder
from kiosk.certificates.https import HttpsClient, HttpsSettings
from kiosk.certificates.ports import (
    Answer,
    CertificateRequest,
    CertificateSource,
)
from kiosk.certificates.tickets import FolderTickets, Ticketed, TicketStore
from kiosk.config import Config
from kiosk.config.sections.enrollment import CertificateOrigin
from kiosk.core.clock import Clock
from kiosk.core.errors import KioskError

T = TypeVar("T")


class SourceUnclear(KioskError):
    """The source of certificates needs another setting: `key`."""

    code = "config.source_unclear"


class BySlot:
    """A `CertificateSource` that has another one for the key (9E) of the card."""

    wants_attestation = False

    def __init__(self, holders: CertificateSource, cards: CertificateSource) -> None:
        self._holders = holders
        self._cards = cards

    @property
    def days(self) -> int:
        return self._holders.days

    def obtain(self, request: CertificateRequest, *, now: float) -> Answer:
        is_cards = request.slot is KeySlot.CARD_AUTHENTICATION
        source = self._cards if is_cards else self._holders
        return source.obtain(request, now=now)

    def waiting(self, card: str) -> Sequence[CertificateRequest]:
        return (*self._holders.waiting(card), *self._cards.waiting(card))

    def forget(self, card: str) -> None:
        self._holders.forget(card)
        self._cards.forget(card)


def build(
    config: Config,
    clock: Clock,
    own: Callable[[], CertificateSource],
    tickets: TicketStore | None = None,
) -> CertificateSource:
    """Return the source; `own` opens our own authority, where it is wanted.

    `tickets`: where it is kept what cards wait for; None: in this station's folder.
    Nothing is connected. SourceUnclear, NotACertificate, and what `own` raises.
    """
    told = config.certificates
    kept = tickets or FolderTickets(tickets_folder(config))
    source = _one(told.source, config, clock, own, kept)
    if told.card_source not in (None, told.source):
        source = BySlot(source, _one(told.card_source, config, clock, own, kept))
    if told.attestation_ca_file is not None:
        roots = read_pem(told.attestation_ca_file)
        return AttestedOnly(source, roots, required=told.attestation_required)
    if told.attestation_required:
        raise SourceUnclear(key="certificates.attestation_ca_file")
    return source


def _one(
    origin: CertificateOrigin | None,
    config: Config,
    clock: Clock,
    own: Callable[[], CertificateSource],
    tickets: TicketStore,
) -> CertificateSource:
    match origin:
        case CertificateOrigin.EST:
            return Ticketed(est_client(config, clock), tickets)
        case CertificateOrigin.FILES:
            return Ticketed(_folder(config), tickets)
        case _:
            return own()


def tickets_folder(config: Config) -> Path:
    """Return where it is kept what cards wait for: beside the registry."""
    return config.registry.path.parent / "pending-certificates"


def requests_folder(config: Config) -> Path:
    """Return where requests are written and certificates put. SourceUnclear."""
    return _need(config.certificates.folder, "folder")


def _folder(config: Config) -> CertificateFolder:
    trusted = config.enrollment.trusted_ca_file
    return CertificateFolder(
        requests_folder(config),
        days=config.enrollment.certificate_days,
        issuers=read_pem(trusted) if trusted is not None else (),
    )


def est_client(config: Config, clock: Clock) -> EstClient:
    """Return the client of the site's EST server. SourceUnclear, SourceUnusable."""
    told = config.certificates
    if told.user:
        _need(told.password_file, "password_file")
    if told.client_certificate_file is not None:
        _need(told.client_key_file, "client_key_file")
    line = HttpsClient(
        HttpsSettings(
            url=_need(told.url or None, "url"),
            ca_file=told.server_ca_file,
            user=told.user,
            password_file=told.password_file,
            client_certificate=told.client_certificate_file,
            client_key=told.client_key_file,
            connect_timeout=told.connect_timeout,
            receive_timeout=told.receive_timeout,
        )
    )
    settings = EstSettings(
        days=config.enrollment.certificate_days,
        wait=told.wait,
        labels={
            KeySlot.AUTHENTICATION: told.profile,
            KeySlot.CARD_AUTHENTICATION: told.card_profile or told.profile,
        },
    )
    return EstClient(line, settings, clock)


def _need(value: T | None, key: str) -> T:
    if value is None:
        raise SourceUnclear(key=f"certificates.{key}")
    return value
