"""What no visit can do without, by hand: sealed bytes, a card's signature, LDAP.

The floor of a visit beside its transactions (`_fleet_service.TransactionByHand`): the
new PIN is sealed once at the station and opened twice at the authority, as the product
does (once to judge it, once to write it); the card signs once, and that is judged once;
and where there is a real domain, on a line that is kept: one account is read, its
password set, and the password tried on a line of its own.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from itertools import cycle
from pathlib import Path

import ldap3
import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.authority.proof import seal
from kiosk.authority.proof.seal import SealingKey
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.directory.ldap.settings import LdapSettings
from scripts.bench._fleet_domain import ACCOUNTS
from scripts.bench._fleet_site import PINS

OPENED = (0, 0, 1, 1)
"""How often the authority opens a sealed PIN: in open, prepare, authorise, write."""
JUDGED = (0, 0, 1, 0)
"""How often it judges the signature of a card."""
WRITTEN = (0, 0, 0, 1)
"""How often it writes the password."""
OPERATION = "floor"
_STATEMENT = b"pin-kiosk floor " * 12


@cache
def sealing_key() -> SealingKey:
    """Return the same key in each process: of a measurement, so anybody may have it."""
    return SealingKey(SeededEntropy(11))


@cache
def card_key() -> ec.EllipticCurvePrivateKey:
    """Return the key of the one card of the floor, the same in each process."""
    return ec.derive_private_key(0x5EED, ec.SECP256R1())


def _sealed_pin() -> bytes:
    """Do what a station does to a new PIN."""
    with Secret(PINS[0].encode()) as pin:
        return seal.seal(pin, public_key=sealing_key().public, operation=OPERATION)


def _signed_by_card() -> bytes:
    """Do what a card does, which here is a program on the same cores."""
    return card_key().sign(_STATEMENT, ec.ECDSA(hashes.SHA256()))


def judge(signature: bytes) -> None:
    """Do what the authority does to it. InvalidSignature."""
    card_key().public_key().verify(signature, _STATEMENT, ec.ECDSA(hashes.SHA256()))


def open_pin(sealed: bytes) -> None:
    """Do what the authority does to a sealed PIN. ProofFailed."""
    sealing_key().open(sealed, operation=OPERATION).wipe()


class Body(msgspec.Struct, frozen=True):
    """What a call of the floor brings."""

    sealed: bytes = b""
    signature: bytes = b""
    more: str = "x" * 300


def call_body(number: int, sealed: bytes) -> tuple[bytes, bytes]:
    """Return the body of the call of that number, and the PIN as it was sealed once.

    `sealed`: by an earlier call of the same visit; empty: not yet.
    """
    if OPENED[number] and not sealed:
        sealed = _sealed_pin()
    signature = _signed_by_card() if JUDGED[number] else b""
    return msgspec.json.encode(Body(sealed=sealed, signature=signature)), sealed


class LdapByHand:
    """A domain by hand: one kept line of one thread."""

    def __init__(self, settings: LdapSettings) -> None:
        self._pins = cycle(PINS)
        dc = settings.address(settings.dcs[0])
        self._server = ldap3.Server(
            dc[0],
            dc[1],
            use_ssl=True,
            get_info=ldap3.NONE,
            tls=ldap3.Tls(
                validate=ssl.CERT_REQUIRED, ca_certs_file=str(settings.ca_file)
            ),
        )
        file = settings.password_file
        assert file is not None, "the laboratory's domain has a password"
        self._line = self._signed_in(settings.service_account, file.read_text().strip())

    def write(self, dn: str, upn: str) -> None:
        """Read the account, set its password, try that."""
        pin = next(self._pins)
        asked = ["objectGUID", "userAccountControl", "pwdLastSet", "lockoutTime"]
        self._line.search(dn, "(objectClass=user)", ldap3.BASE, attributes=asked)
        quoted = f'"{pin}"'.encode("utf-16-le")
        changes = {
            "unicodePwd": [(ldap3.MODIFY_REPLACE, [quoted])],
            "lockoutTime": [(ldap3.MODIFY_REPLACE, ["0"])],
        }
        if not self._line.modify(dn, changes):  # type: ignore[no-untyped-call]  # ldap3's
            raise RuntimeError(self._line.result["description"])
        self._signed_in(upn, pin).unbind()

    def _signed_in(self, name: str, password: str) -> ldap3.Connection:
        line = ldap3.Connection(self._server, name, password)
        if not line.bind():
            raise RuntimeError(line.result["description"])
        return line


def accounts(folder: Path) -> Mapping[str, tuple[str, str]]:
    """Return the account that the floor writes for each station: its two names."""
    told = folder / ACCOUNTS
    lines = told.read_text().splitlines() if told.exists() else []
    fields = (line.split("\t") for line in lines)
    return {station: (dn, upn) for station, dn, upn in fields}
