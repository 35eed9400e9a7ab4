"""How cards are issued and taken over."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from kiosk.config.sections import Section


class NamedBy(StrEnum):
    """By which rule a certificate names the account that it stands for."""

    UPN = "upn"
    """The certificate's userPrincipalName is the account's."""
    E_MAIL = "e-mail"
    """The certificate's e-mail address is in the account's `mail`, and no other's."""
    IDENTITIES = "altSecurityIdentities"
    """The account's altSecurityIdentities names the certificate in a strong form."""
    OFFICER = "officer"
    """An officer says whose it is, and a second one confirms it."""


class Enrollment(Section, frozen=True, kw_only=True):
    """How cards are issued and taken over."""

    ca_certificate_file: Path | None = None
    """The certificate (PEM) that signs those of issued cards (`kiosk ca init` makes
    it); silent: there is no authority of our own.
    """
    ca_key_file: Path | None = None
    """Its private key (mode 0600), encrypted with the vault's or as PEM."""
    certificate_days: Annotated[int, Meta(ge=1, le=3650)] = 1095
    """How long an issued certificate is valid."""
    trusted_ca_file: Path | None = None
    """Certificates (PEM) whose cards may be imported with their key; silent: only
    the one above.
    """
    named_by: NamedBy = NamedBy.UPN
    """By what a certificate of an imported card names its account: upn; e-mail (the
    address in `mail`, which no other account has); altSecurityIdentities (issuer
    and serial number, SKI or SHA1-PUKEY: no weaker form counts); officer (a person
    says so, a second one confirms it).
    """


class CertificateOrigin(StrEnum):
    """Who certifies the keys of new cards."""

    LOCAL_CA = "local ca"
    """Our own authority: `enrollment.ca_certificate_file`."""
    FILES = "files"
    """Any authority: requests are written to a folder, certificates put there."""
    EST = "est"
    """A server that speaks EST (RFC 7030)."""


class Certificates(Section, frozen=True, kw_only=True):
    """Where the certificates of new cards come from."""

    source: CertificateOrigin = CertificateOrigin.LOCAL_CA
    """Our own authority (see [enrollment]), a folder between us and another one, or
    an EST server.
    """
    card_source: CertificateOrigin | None = None
    """The same for the key (9E) with which a card proves itself without a PIN;
    silent: as above.
    """
    folder: Path | None = None
    """For files: where requests (*.csr) are written, and certificates (*.cer) put
    beside them.
    """
    url: Annotated[
        str,
        Meta(
            pattern=r"^(https://[A-Za-z0-9.-]+(:[0-9]{1,5})?)?\Z",
            examples=["https://ca.example.org"],
        ),
    ] = ""
    """For EST: the server, https://host or https://host:port."""
    profile: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9._-]*\Z", examples=["smartcard-logon"])
    ] = ""
    """For EST: the label of the profile for signing in, where the server has
    several.
    """
    card_profile: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9._-]*\Z", examples=["smartcard-logon"])
    ] = ""
    """For EST: the label of the profile for the key (9E) of the card."""
    server_ca_file: Path | None = None
    """For EST: certificates (PEM) of the authority that signed the server's own;
    silent: those the system trusts.
    """
    user: Annotated[str, Meta(pattern=r"^[^:\s]*\Z", examples=["pin-kiosk"])] = ""
    """For EST: our name at the server."""
    password_file: Path | None = None
    """A file with the password and nothing else (mode 0600)."""
    client_certificate_file: Path | None = None
    """For EST: our own TLS certificate (PEM), instead."""
    client_key_file: Path | None = None
    """Its private key (PEM, mode 0600)."""
    connect_timeout: Annotated[float, Meta(gt=0, le=60)] = 5.0
    """Seconds until a silent server is given up."""
    receive_timeout: Annotated[float, Meta(gt=0, le=300)] = 15.0
    """Seconds to wait for one whole answer."""
    wait: Annotated[float, Meta(ge=0, le=600)] = 30.0
    """Seconds that the card waits in the reader for somebody's approval there,
    before it is taken out and issued again later.
    """
    attestation_ca_file: Path | None = None
    """Certificates (PEM) of makers whose cards tell that they have made a key
    themselves (YubiKeys); silent: cards are not asked.
    """
    attestation_required: bool = False
    """Cards that do not tell it get no certificate."""
