"""No password is in anything that the process writes, shows or still holds."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from lab.domain import samba_domain, talkative
from lab.domain.samba import SambaDomain
from lab.domain.samba_kerberos import KerberosDomain

pytestmark = pytest.mark.samba

NEW = "Vq7-wKxJ4-zPmY8"
TESTS = Path(__file__).parents[1]
FRAGMENT = 6
"""Characters that are told apart from chance; output may break a value anywhere."""


def run(samba: SambaDomain, **more: str) -> str:
    """Run the talkative process; return everything it wrote."""
    environment = {name: more.pop(name) for name in list(more) if name.isupper()}
    mine = samba.add_user().guid
    foreign = samba.add_user(ou=samba_domain.ELSEWHERE).guid
    story = {
        "address": samba.address,
        "base_dn": samba.base_dn,
        "service_account": samba.service_account,
        "password_file": str(samba.password_file),
        "ca_file": str(samba.ca_file),
        "mine": mine,
        "foreign": foreign,
        "unit": samba_domain.STAFF,
        "new_reversed": NEW[::-1],
        "service_reversed": samba.service_password[::-1],
        **more,
    }
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-X", "utf8", talkative.__file__],
        input=json.dumps(story).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PYTHONPATH": f"{TESTS}:{TESTS.parent}", **environment},
    )
    written = process.stdout.decode("utf-8", "backslashreplace")
    assert process.returncode == 0, written[-4000:]
    return written


def traces(secret: str) -> set[str]:
    """Return every way in which a piece of the secret could have been written."""
    pieces = {secret[at : at + FRAGMENT] for at in range(len(secret) - FRAGMENT + 1)}
    found = set(pieces)
    for piece in pieces:
        for data in (piece.encode(), piece.encode("utf-16-le")):
            found |= {data.hex(), data.hex().upper(), data.hex(":"), data.hex(" ")}
            found |= {repr(data)[2:-1], str(list(data))[1:-1]}
            found.add("".join(f"\\x{byte:02x}" for byte in data))
    for whole in (secret.encode(), secret.encode("utf-16-le")):
        for padding in range(3):
            encoded = base64.b64encode(b"." * padding + whole).decode()
            found.add(encoded[4:-4])
    return found


def leaks(written: str, secret: str) -> list[str]:
    return sorted(trace for trace in traces(secret) if trace in written)


def test_neither_password_is_written_shown_or_kept(samba: SambaDomain) -> None:
    written = run(samba)
    assert "EXTENDED:ldap message" in written, "ldap3's log was not on"
    assert "verified: ok" in written
    assert "verified: wrong_password" in written
    assert "no_right" in written
    assert "directory.outcome_unknown" in written
    assert "It may reset passwords" not in written, "words are made elsewhere"
    assert "doctor.delegation_found" in written
    assert leaks(written, NEW) == []
    assert leaks(written, samba.service_password) == []
    assert "STILL HELD" not in written


def test_no_key_and_no_proof_of_kerberos_is_written_shown_or_kept(
    kerberos_domain: KerberosDomain, tmp_path: Path
) -> None:
    file = kerberos_domain.keytab("svc-pinsync", tmp_path / "svc.keytab")
    keys = keys_of(file.read_bytes())
    configuration = kerberos_domain.client_configuration(tmp_path / "krb5.conf")
    written = run(
        kerberos_domain,
        keytab=str(file),
        keys=" ".join(key.hex()[::-1] for key in keys),
        KRB5_CONFIG=str(configuration),
    )
    assert "verified: ok" in written
    assert leaks(written, NEW) == []
    for key in keys:
        assert not byte_leaks(written, key)
    assert "STILL HELD" not in written
    assert "searchRequest" in written, "what ldap3 sends is logged"
    assert "bindRequest" not in written
    assert "GSSAPI" not in written


def keys_of(keytab: bytes) -> list[bytes]:
    """Return the keys in a keytab, whose entries are names, a head and a key."""
    keys, at = [], 2
    while at < len(keytab):
        size = int.from_bytes(keytab[at : at + 4], "big")
        entry, at = keytab[at + 4 : at + 4 + size], at + 4 + size
        names = 1 + int.from_bytes(entry[:2], "big")
        begin = 2
        for _ in range(names):
            begin += 2 + int.from_bytes(entry[begin : begin + 2], "big")
        begin += 13  # kind of name, time, version, kind of key, length
        length = int.from_bytes(entry[begin - 2 : begin], "big")
        keys.append(entry[begin : begin + length])
    assert {len(key) for key in keys} >= {16, 32}
    return keys


def byte_leaks(written: str, secret: bytes) -> list[str]:
    """Return the ways in which the bytes were written."""
    forms = {secret.hex(), secret.hex().upper(), secret.hex(":"), secret.hex(" ")}
    forms |= {repr(secret)[2:-1], str(list(secret))[1:-1]}
    forms.add(base64.b64encode(secret).decode().rstrip("="))
    return [form for form in forms if form in written]


def test_the_same_by_ldap3_alone_is_found(samba: SambaDomain) -> None:
    written = run(samba, control="yes")
    assert leaks(written, NEW)
    assert leaks(written, samba.service_password)
    assert "STILL HELD" in written
