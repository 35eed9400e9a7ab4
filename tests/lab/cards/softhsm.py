"""A SoftHSM token: a real PKCS#11 token without a card, a reader or a lock-out."""

from __future__ import annotations

import datetime
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from lab.not_run import not_run

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN, PUK = "481516", "12345678"
_SECONDS = 60
_NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
LOGON, CLIENT, MAIL = (
    ExtendedKeyUsageOID.SMARTCARD_LOGON,
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
)


def certificate(
    key: PrivateKey,
    usages: Sequence[ObjectIdentifier] = (LOGON, CLIENT),
    *,
    is_authority: bool = False,
    documents_only: bool = False,
) -> x509.Certificate:
    """Return a certificate of `key`, signed by somebody else."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ann Example")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOW)
        .not_valid_after(_NOW + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not documents_only,
                content_commitment=documents_only,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=is_authority,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    issuer = ec.generate_private_key(ec.SECP256R1())
    return builder.sign(issuer, hashes.SHA256())


@dataclass(frozen=True)
class SoftToken:
    """An initialised token. Its slot's description stands for a reader's name."""

    home: Path
    reader: str

    def put(
        self, key: PrivateKey, certificate: x509.Certificate | None, *, identifier: str
    ) -> None:
        """Write a key pair and its certificate, under one CKA_ID (hex)."""
        private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        self._write("privkey", private, identifier, "--usage-sign")
        self._write("pubkey", public, identifier)
        if certificate is not None:
            self.put_certificate(certificate, identifier=identifier)

    def put_certificate(self, each: x509.Certificate, *, identifier: str) -> None:
        """Write one more certificate."""
        self._write("cert", each.public_bytes(Encoding.DER), identifier)

    def _write(self, kind: str, data: bytes, identifier: str, *more: str) -> None:
        file = self.home / f"{kind}-{identifier}.der"
        file.write_bytes(data)
        tool(
            *("pkcs11-tool", "--module", str(MODULE), "--login", "--pin", PIN),
            *("--token-label", "ann", "--write-object", str(file), "--type", kind),
            *("--id", identifier, *more),
        )
        file.unlink()


def tool(*command: str) -> str:
    """Run a program; it must succeed."""
    if shutil.which(command[0]) is None:
        package = {"softhsm2-util": "softhsm2"}.get(command[0], "opensc")
        raise not_run(f"{command[0]} is missing: apt-get install {package}")
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def soft_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftToken:
    """A token of the test's own."""
    if not MODULE.is_file():
        raise not_run(f"{MODULE} is missing: apt-get install softhsm2")
    folder = tmp_path / "tokens"
    folder.mkdir()
    settings = tmp_path / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}\nlog.level = ERROR\n")
    monkeypatch.setitem(os.environ, "SOFTHSM2_CONF", str(settings))
    told = tool(
        *("softhsm2-util", "--init-token", "--free", "--label", "ann"),
        *("--so-pin", PUK, "--pin", PIN),
    )
    slot = re.search(r"slot (\d+)", told)
    assert slot is not None
    return SoftToken(tmp_path, f"SoftHSM slot ID 0x{int(slot[1]):x}")
