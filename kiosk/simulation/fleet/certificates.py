"""An issuer and a certificate for one afternoon on 127.0.0.1."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
_LASTS = datetime.timedelta(days=1)


def write(folder: Path) -> tuple[Path, Path, Path]:
    """Write issuer, certificate and key (0600); return their files."""
    issuer_key = ec.generate_private_key(ec.SECP256R1())
    issuer = _certificate("issuer of this demo", issuer_key, issuer_key, None)
    key = ec.generate_private_key(ec.SECP256R1())
    own = _certificate("authority of this demo", key, issuer_key, issuer)
    files = folder / "issuer.pem", folder / "service.pem", folder / "service.key"
    files[0].write_bytes(issuer.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(own.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    files[2].touch(0o600)
    files[2].write_bytes(secret)
    return files


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signed_by: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LASTS)
        .not_valid_after(now + _LASTS)
        .add_extension(
            x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True
        )
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_by.public_key()),
            critical=False,
        )
    )
    if issuer is None:
        builder = builder.add_extension(_SIGNS, critical=True)
    else:
        address = x509.IPAddress(ipaddress.ip_address(HOST))
        builder = builder.add_extension(
            x509.SubjectAlternativeName([address]), critical=False
        )
    return builder.sign(signed_by, hashes.SHA256())


_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
