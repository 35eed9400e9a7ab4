"""Programs that nobody here wrote, whole: they judge by exit codes and data.

Each failure of theirs that is none of ours is named where it is expected, and in the
table "Foreign judges" of docs/cards.md.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)
from lab.cards.inserted import KINDS, PIN, PUK, Inserted, inserted, program
from lab.cards.judges import opensc
from lab.cards.pcscd import READERS, Pcscd
from lab.not_run import not_offered

from kiosk.cards.piv import objects

pytestmark = pytest.mark.pcscd

STATEMENT = b"statement"
LOGIN = ("--login", "--pin", PIN.decode())


@pytest.fixture(params=KINDS)
def card(
    pcscd: Pcscd, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Inserted]:
    with inserted(pcscd, KINDS[request.param], tmp_path) as card:
        yield card


@pytest.fixture(params=["PIV P-256", "PIV RSA"])
def piv(
    pcscd: Pcscd, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Inserted]:
    with inserted(pcscd, KINDS[request.param], tmp_path) as card:
        yield card


def certificate(card: Inserted) -> x509.Certificate:
    return x509.load_der_x509_certificate(card.made.authentication.certificate)


def verify(card: Inserted, signature: bytes) -> None:
    key = load_der_public_key(card.made.authentication.spki)
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, STATEMENT, padding.PKCS1v15(), hashes.SHA256())
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(signature, STATEMENT, ec.ECDSA(hashes.SHA256()))


# --- pkcs11-tool --test -----------------------------------------------------------

NOT_OURS = {
    "GIDS": ("C_GenerateRandom failed: CKR_FUNCTION_NOT_SUPPORTED",),
    "IDPrime": ("encoding parameter (Label) present, length 3", "source_len=3"),
}
"""OpenSC gives no random numbers for GIDS cards, because such cards have none; for
IDPrime cards it claims OAEP with a label and does not tell the card of the label."""


def test_pkcs11_tool_tests_the_token(card: Inserted) -> None:
    done = card.attempt(
        *("pkcs11-tool", "--module", opensc(), "--slot-index", "0", *LOGIN, "--test")
    )
    name = next(name for name, kind in KINDS.items() if kind is card.kind)
    said = done.stdout + done.stderr
    if done.returncode:
        assert any(each in said for each in NOT_OURS.get(name, ())), said
        # Nothing else is wrong: one error counted, or all ended at that one.
        assert "1 errors" in said or said.count("error: PKCS11 function") == 1, said
    assert "Signatures" in said
    assert "Decryption" in said


DECIPHERING = [
    *((name, "RSA-PKCS") for name in ("PIV RSA", "GIDS", "IDPrime")),
    *((name, "RSA-PKCS-OAEP") for name in ("PIV RSA", "IDPrime")),
]
"""OpenSC's driver of GIDS cards offers no OAEP."""


@pytest.mark.parametrize(("name", "mechanism"), DECIPHERING)
def test_pkcs11_tool_deciphers_what_was_enciphered_for_the_certificate(
    pcscd: Pcscd, tmp_path: Path, name: str, mechanism: str
) -> None:
    used: padding.AsymmetricPadding = padding.PKCS1v15()
    told: tuple[str, ...] = ()
    if mechanism == "RSA-PKCS-OAEP":
        hashed = hashes.SHA256()
        used = padding.OAEP(padding.MGF1(hashed), hashed, None)
        told = ("--hash-algorithm", "SHA256", "--mgf", "MGF1-SHA256")
    secret, plain = tmp_path / "secret", tmp_path / "plain"
    with inserted(pcscd, KINDS[name], tmp_path) as card:
        key = certificate(card).public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        secret.write_bytes(key.encrypt(STATEMENT, used))
        card.run(
            *("pkcs11-tool", "--module", opensc(), "--slot-index", "0", *LOGIN),
            *("--decrypt", "--id", card.kind.key, "--mechanism", mechanism, *told),
            *("--input-file", str(secret), "--output-file", str(plain)),
        )
    assert plain.read_bytes() == STATEMENT


# --- pkcs15-tool, in full -------------------------------------------------------------

PKCS15 = ("pkcs15-tool", "--reader", "0")


LISTINGS = (
    *("--list-info", "--list-applications", "--list-certificates", "--list-keys"),
    *("--list-data-objects", "--list-public-keys", "--list-secret-keys"),
    *("--list-pins", "--dump", "--test-update"),
)


def test_pkcs15_tool_lists_everything(card: Inserted) -> None:
    for listing in LISTINGS:
        card.run(*PKCS15, listing)


def test_pkcs15_tool_reads_the_certificate(card: Inserted) -> None:
    pem = card.run(*PKCS15, "--read-certificate", card.kind.key)
    assert x509.load_pem_x509_certificate(pem.encode()) == certificate(card)


def test_pkcs15_tool_reads_the_public_key(card: Inserted) -> None:
    pem = card.run(*PKCS15, "--read-public-key", card.kind.key)
    spki = load_pem_public_key(pem.encode()).public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    assert spki == card.made.authentication.spki


def test_pkcs15_tool_reads_the_key_as_ssh_writes_it(card: Inserted) -> None:
    told = card.run(*PKCS15, "--read-ssh-key", card.kind.key).split()
    assert told[:2] == ssh_key(card).split()[:2]


def test_pkcs15_tool_verifies_and_changes_the_pin(card: Inserted) -> None:
    card.run(*PKCS15, "--verify-pin", "--pin", PIN.decode())
    left = card.made.card.pin_tries_left
    assert card.attempt(*PKCS15, "--verify-pin", "--pin", "999999").returncode != 0
    assert card.made.card.pin_tries_left == left - 1
    change = ("--change-pin", "--pin", PIN.decode(), "--new-pin", "314159")
    card.run(*PKCS15, *change)
    assert card.made.card.has_pin(b"314159")


def test_pkcs15_tool_unblocks_with_the_puk(piv: Inserted) -> None:
    piv.made.card.set_tries(pin=0)
    puk = ("--unblock-pin", "--puk", PUK.decode(), "--new-pin", "314159")
    piv.run(*PKCS15, *puk)
    assert piv.made.card.has_pin(b"314159")


# --- ssh ---------------------------------------------------------------------------


def ssh_key(card: Inserted) -> str:
    key = load_der_public_key(card.made.authentication.spki)
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def sshd(home: Path) -> str:
    """Return the command of a real sshd for one connection: it listens nowhere."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # as its service does
    host = home / "host"
    keygen = (program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(host))
    subprocess.run(keygen, check=True, timeout=60)
    settings = home / "sshd_config"
    settings.write_text(
        f"HostKey {host}\nAuthorizedKeysFile {home}/authorized\nStrictModes no\n"
        "UsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPidFile none\n"
    )
    return f"{program('sshd')} -i -e -f {settings}"


def arrives(card: Inserted, pin: str, server: str) -> bool:
    """Say whether ssh gets in with the card and that PIN."""
    ask = card.home / "ask"
    ask.write_text(f"#!/bin/sh\necho {pin}\n")
    ask.chmod(0o700)
    options = {
        "IdentityFile": "none",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "UserKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "no",
        "ProxyCommand": server,
    }
    done = card.attempt(
        *("ssh", "-F", "none", "-I", opensc()),
        *(
            each
            for name, value in options.items()
            for each in ("-o", f"{name}={value}")
        ),
        *(f"{pwd.getpwuid(os.geteuid()).pw_name}@card.test", "echo", "arrived"),
        more={"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"},
    )
    return done.returncode == 0 and done.stdout == "arrived\n"


def test_ssh_gets_in_with_the_card_and_not_without_its_pin(card: Inserted) -> None:
    server = sshd(card.home)
    (card.home / "authorized").write_text(ssh_key(card))
    assert arrives(card, PIN.decode(), server)
    left = card.made.card.pin_tries_left
    assert not arrives(card, "999999", server)
    assert card.made.card.pin_tries_left < left
    card.made.card.set_tries(pin=left)
    (card.home / "authorized").write_text("")
    assert not arrives(card, PIN.decode(), server)


# --- GnuPG ----------------------------------------------------------------------------


@pytest.fixture
def gnupg() -> Iterator[dict[str, str]]:
    """An empty home of GnuPG with a short name; what it started ends with it."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="gpg") as home:
        settings = Path(home, "scdaemon.conf")
        settings.write_text("disable-ccid\npcsc-shared\n")
        yield {"GNUPGHOME": home}
        subprocess.run(
            (program("gpgconf"), "--homedir", home, "--kill", "all"),
            check=True,
            timeout=60,
        )


def test_gpg_sees_the_piv_card_its_key_and_certificate(
    piv: Inserted, gnupg: dict[str, str]
) -> None:
    version = piv.run("gpg", "--version", more=gnupg).split()[2]
    if version.startswith("2.2."):
        raise not_offered("12", f"scdaemon {version} has no PIV application: 2.3 has")
    with Path(gnupg["GNUPGHOME"], "scdaemon.conf").open("a") as settings:
        settings.write(f"reader-port {READERS[0]}\n")
    piv.run("gpg", "--card-status", more=gnupg)
    learn = piv.run("gpg-connect-agent", "scd learn --force", "/bye", more=gnupg)
    told = [line.split()[1:] for line in learn.splitlines() if line.startswith("S ")]
    assert ["APPTYPE", "piv"] in [each[:2] for each in told]
    assert "PIV.9A" in [each[2] for each in told if each[0] == "KEYPAIRINFO"]
    read = piv.home / "certificate"
    piv.run(
        *("gpg-connect-agent", f"/datafile {read}", "scd readcert PIV.9A", "/bye"),
        more=gnupg,
    )
    assert read.read_bytes() == piv.made.authentication.certificate


# --- p11-kit --------------------------------------------------------------------------


def test_p11_kit_finds_the_token_through_its_own_configuration(card: Inserted) -> None:
    assert f"serial-number: {number(card)}\n" in card.run("p11-kit", "list-modules")


def number(card: Inserted) -> str:
    """Return what OpenSC takes for the token's number: the end of the card's own."""
    if (chuid := getattr(card.made.card, "objects", {}).get(objects.CHUID)) is not None:
        guid: bytes = chuid[chuid.index(b"\x34\x10") + 2 :][:16]
        return guid.hex()[-16:]
    value = card.made.identity.value
    return value[-16:].decode() if b"/" in value else value.hex()[-16:]


# --- OpenSSL --------------------------------------------------------------------------


def uri(card: Inserted) -> str:
    number = "".join(f"%{byte:02x}" for byte in bytes.fromhex(card.kind.key))
    return f"pkcs11:type=private;id={number};pin-value={PIN.decode()}"


def signed_by_openssl(card: Inserted, more: dict[str, str], *options: str) -> bytes:
    data, signature = card.home / "data", card.home / "signature"
    data.write_bytes(STATEMENT)
    card.run(
        *("openssl", "dgst", "-sha256", *options, "-sign", uri(card)),
        *("-out", str(signature), str(data)),
        more=more,
    )
    return signature.read_bytes()


def test_openssl_signs_through_the_provider(card: Inserted) -> None:
    found = sorted(Path("/").glob("usr/lib/*/ossl-modules/pkcs11.so"))
    if not found:
        raise not_offered("12", "there is no pkcs11-provider: Debian 13 has it")
    settings = card.home / "openssl.cnf"
    settings.write_text(
        "openssl_conf = all\n[all]\nproviders = providers\n"
        "[providers]\ndefault = own\npkcs11 = pkcs11\n[own]\nactivate = 1\n"
        f"[pkcs11]\nmodule = {found[0]}\npkcs11-module-path = {opensc()}\n"
        "activate = 1\n"
    )
    verify(card, signed_by_openssl(card, {"OPENSSL_CONF": str(settings)}))


def test_openssl_signs_through_the_engine(card: Inserted) -> None:
    if not sorted(Path("/").glob("usr/lib/*/engines-3/pkcs11.so")):
        why = "OpenSSL's engine pkcs11 is left to Debian 12; later ones have a provider"
        raise not_offered("13", why)
    engine = ("-engine", "pkcs11", "-keyform", "engine")
    module = {"PKCS11_MODULE_PATH": opensc()}
    verify(card, signed_by_openssl(card, module, *engine))
