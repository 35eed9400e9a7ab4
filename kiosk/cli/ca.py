"""`kiosk ca`: a certification authority of the site's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.frame import ConfigOption, new_app

if TYPE_CHECKING:
    from cryptography import x509

app = new_app("Make and show the authority that certifies new cards.")

_DAYS_OF_A_YEAR = 365


@app.command()
def init(
    name: Annotated[
        str,
        typer.Option("--name", help="What its certificate is called.", metavar="NAME"),
    ] = "",
    years: Annotated[
        int, typer.Option("--years", help="How long it is valid.", min=1, max=30)
    ] = 10,
    config: ConfigOption = None,
    *,
    plain_key: Annotated[
        bool,
        typer.Option(
            "--plain-key",
            help="Keep the private key as PEM in its file, not encrypted with the "
            "vault's key.",
        ),
    ] = False,
) -> None:
    """Make an authority at the places that [enrollment] names. Nothing is overwritten.

    Its private key is made here and never leaves: encrypted with the vault's key it
    is worth nothing elsewhere. Keep a copy of that key and of both files.
    """
    from kiosk.bootstrap import authority_files_of, vault_of
    from kiosk.certificates.create_ca import found
    from kiosk.certificates.profiles import fitting
    from kiosk.config import load
    from kiosk.core.clock import SystemClock
    from kiosk.core.hardening import harden_process

    harden_process()
    settings = load(config)
    certificate, key = authority_files_of(settings)
    made = found(
        certificate,
        key,
        name=fitting(name or f"Pin Kiosk issuer {settings.station.name}"),
        days=years * _DAYS_OF_A_YEAR,
        now=SystemClock().now(),
        vault=None if plain_key else vault_of(settings),
    )
    print(certificate)
    print(key)
    print()
    print(_page(made, is_sealed=not plain_key))


@app.command()
def show(
    config: ConfigOption = None,
    *,
    pem: Annotated[
        bool, typer.Option("--pem", help="Print the certificate for other programs.")
    ] = False,
) -> None:
    """Show the authority's certificate, and that its key is there and belongs to it."""
    from cryptography.hazmat.primitives.serialization import Encoding

    from kiosk.bootstrap import authority_files_of, issuer_of
    from kiosk.certificates.ca_key import is_sealed
    from kiosk.config import load
    from kiosk.core.hardening import harden_process

    harden_process()
    settings = load(config)
    _, key = authority_files_of(settings)
    own = issuer_of(settings).certificate
    if pem:
        print(own.public_bytes(Encoding.PEM).decode("ascii"), end="")
    else:
        print(_page(own, is_sealed=is_sealed(key)))


def _page(certificate: x509.Certificate, *, is_sealed: bool) -> str:
    """Return what there is to know about an authority; nothing of it is secret."""
    from cryptography.hazmat.primitives import hashes

    from kiosk.core.untrusted_text import visible
    from kiosk.texts import text

    digest = certificate.fingerprint(hashes.SHA256()).hex()
    groups = [digest[at : at + 4] for at in range(0, len(digest), 4)]
    return text("cli.ca_page").format(
        name=visible(certificate.subject.rfc4514_string()),
        serial=f"{certificate.serial_number:x}",
        begin=f"{certificate.not_valid_before_utc:%Y-%m-%d}",
        end=f"{certificate.not_valid_after_utc:%Y-%m-%d}",
        sha256=" ".join(groups),
        key=text("cli.ca_key_in_vault" if is_sealed else "cli.ca_key_plain"),
    )
