"""The proof of Kerberos is bound to the line, and takes no layer of its own."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from ldap3.protocol.rfc4511 import LDAPMessage
from pyasn1.codec.ber import decoder

from kiosk.directory.ldap import kerberos, secret_requests
from kiosk.directory.ldap.channel import Answer

OFFER = b"\x07\x00\x10\x00"
"""The DC can do with no layer, with integrity, with confidentiality; 4096 bytes."""


def certificate(algorithm: hashes.HashAlgorithm) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now)
        .sign(key, algorithm)  # type: ignore[arg-type]  # one of those it takes
    )
    return made.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        (hashes.SHA256(), hashlib.sha256),
        (hashes.SHA384(), hashlib.sha384),
        (hashes.SHA512(), hashlib.sha512),
    ],
)
def test_the_binding_is_the_certificates_digest_by_its_own_algorithm(
    algorithm: hashes.HashAlgorithm, digest: type
) -> None:
    shown = certificate(algorithm)
    expected = b"tls-server-end-point:" + digest(shown).digest()
    assert kerberos.binding_of(shown) == expected


def test_a_step_of_the_negotiation_is_a_sasl_bind() -> None:
    encoded = bytes(secret_requests.negotiate(7, "GSSAPI", b"token"))
    message, rest = decoder.decode(encoded, asn1Spec=LDAPMessage())
    request = message["protocolOp"]["bindRequest"]
    credentials = request["authentication"]["sasl"]
    assert (rest, int(message["messageID"]), int(request["version"])) == (b"", 7, 3)
    assert bytes(request["name"]) == b""
    assert bytes(credentials["mechanism"]) == b"GSSAPI"
    assert bytes(credentials["credentials"]) == b"token"


class Context:
    """Kerberos' side: complete after the DC's first token."""

    def __init__(self) -> None:
        self.complete = False

    def step(self, token: bytes = b"") -> bytes | None:
        self.complete = bool(token)
        return None if token else b"who I am"

    def unwrap(self, token: bytes) -> SimpleNamespace:
        return SimpleNamespace(message=token)

    def wrap(self, data: bytes, *, encrypt: bool) -> SimpleNamespace:
        assert not encrypt
        return SimpleNamespace(message=b"wrapped " + data)


class Channel:
    """A DC that answers one after the other."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.heard: list[bytes] = []

    def negotiate(self, mechanism: str, token: bytes) -> Answer:
        assert mechanism == "GSSAPI"
        self.heard.append(token)
        return self.answers.pop(0)


def more(token: bytes) -> Answer:
    return Answer(14, "", token)


def negotiate(channel: Channel) -> Answer:
    return kerberos._negotiate(channel, Context())  # type: ignore[arg-type]  # as much of both as it needs


def test_every_layer_is_declined_because_tls_is_there() -> None:
    channel = Channel(more(b"who the DC is"), more(OFFER), Answer(0, ""))
    assert negotiate(channel).result == 0
    assert channel.heard == [b"who I am", b"", b"wrapped \x01\x00\x00\x00"]


@pytest.mark.parametrize("offer", [b"\x06\x00\x10\x00", b"", b"\x01", OFFER + b"x"])
def test_a_dc_that_insists_on_a_layer_or_talks_nonsense_is_left(offer: bytes) -> None:
    channel = Channel(more(b"who the DC is"), more(offer))
    with pytest.raises(kerberos.NoTicket):
        negotiate(channel)


def test_a_dc_that_never_ends_is_left() -> None:
    with pytest.raises(kerberos.NoTicket):
        negotiate(Channel(*[more(OFFER)] * 100))


def test_a_refusal_is_the_answer() -> None:
    assert negotiate(Channel(Answer(49, "no"))).result == 49


def test_no_account_finds_the_tickets_of_one_before_it(tmp_path: Path) -> None:
    """Where one object has gone, the next may stand at its address."""
    stores = [
        kerberos.Tickets(f"u{number}@AD.TEST", tmp_path).store["ccache"]
        for number in range(50)
    ]
    assert len(set(stores)) == 50
