"""TLS servers that do not convince, each in its own way: certificates and handshakes.

Needs no domain: what answers behind the handshake does not matter.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from lab.servers import bad_servers

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = datetime.timedelta(days=1)
NAME = "localhost"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a certificate is to be; as it stands, a good one for `localhost`."""

    common_name: str = NAME
    names: Sequence[str] = (NAME,)
    addresses: Sequence[str] = ()
    begins: int = -1
    ends: int = 1
    """Days from now."""
    is_authority: bool = False
    path_length: int | None = None
    signs: bool = True
    """Of an authority: its key usage allows it to sign certificates."""
    purposes: Sequence[ObjectIdentifier] = ()
    permitted: Sequence[str] = ()
    """Of an authority: the names it may vouch for."""
    excluded: Sequence[str] = ()
    rsa_bits: int = 0
    """0: an elliptic curve instead."""
    names_its_issuer: bool = True
    """With an authority key identifier; what Samba makes for itself has none."""


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def issue(wish: Wish, by: Issued | None = None) -> Issued:
    """Make a certificate; without an issuer it signs itself."""
    key: Key = (
        rsa.generate_private_key(65537, wish.rsa_bits)
        if wish.rsa_bits
        else ec.generate_private_key(ec.SECP256R1())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wish.common_name)])
    issuer = by.certificate.subject if by else subject
    signing = by.key if by else key
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + wish.begins * DAY)
        .not_valid_after(now + wish.ends * DAY)
    )
    for extension, critical in _extensions(wish, key, signing):
        builder = builder.add_extension(extension, critical=critical)
    return Issued(builder.sign(signing, hashes.SHA256()), key)


def _extensions(
    wish: Wish, key: Key, signing: Key
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    if wish.is_authority:
        yield x509.BasicConstraints(ca=True, path_length=wish.path_length), True
        yield _usage(wish.signs), True
    else:
        names: list[x509.GeneralName] = [x509.DNSName(each) for each in wish.names]
        names += [x509.IPAddress(ipaddress.ip_address(it)) for it in wish.addresses]
        if names:
            yield x509.SubjectAlternativeName(names), False
    if wish.purposes:
        yield x509.ExtendedKeyUsage(wish.purposes), False
    if wish.permitted or wish.excluded:
        permitted = [x509.DNSName(each) for each in wish.permitted] or None
        excluded = [x509.DNSName(each) for each in wish.excluded] or None
        yield x509.NameConstraints(permitted, excluded), True
    yield x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
    if wish.names_its_issuer:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(
            signing.public_key()
        )
        yield identifier, False


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


@contextmanager
def tls_server(
    folder: Path, shown: Sequence[Issued], **changes: object
) -> Iterator[int]:
    """Listen and shake hands, showing these certificates, its own first.

    `changes` are set on the context; `ciphers` and `seclevel` aside.
    """
    chain = folder / "chain.pem"
    chain.write_bytes(b"".join(each.pem for each in shown))
    key = folder / "chain.key"
    key.write_bytes(
        shown[0].key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(str(changes.pop("ciphers", "ALL:@SECLEVEL=0")))
    context.load_cert_chain(chain, key)
    for name, value in changes.items():
        setattr(context, name, value)

    def handle(line: socket.socket, ended: threading.Event) -> None:
        with context.wrap_socket(line, server_side=True):
            ended.wait()

    with bad_servers.server(handle) as port:
        yield port


SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
