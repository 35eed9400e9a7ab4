"""A station's key in a TPM: made and signing there, and what is said when it cannot."""

from __future__ import annotations

import stat
import subprocess
import threading
from pathlib import Path

import pytest
from lab.machine.swtpm import SoftTpm

from kiosk.authority.errors import AuthorityAway
from kiosk.authority.stations import key_file, tpm
from kiosk.authority.stations.key_file import KeyFileTaken, KeyFileUnusable
from kiosk.authority.stations.keys import Algorithm
from kiosk.authority.stations.request import HttpRequest
from kiosk.authority.stations.signing import sign, verify
from kiosk.authority.stations.tpm import (
    Tpm,
    TpmAway,
    TpmKeyGone,
    TpmOwned,
    TpmToolsMissing,
)
from kiosk.authority.stations.tpm_key import NotATpm, TpmKey, TpmKeyOther, tpm_at
from kiosk.core.clock import ManualClock
from kiosk.core.errors import said_of
from kiosk.texts import sentence

pytestmark = pytest.mark.slow

MESSAGE = b"what a station asks"
REQUEST = HttpRequest(
    method="POST",
    authority="kiosk-a.example.org",
    path="/v1/visit/open",
    query="",
    headers={"content-type": "application/json", "idempotency-key": "00" * 16},
    body=b"{}",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "station.key"


@pytest.fixture
def key(soft_tpm: SoftTpm, file: Path) -> TpmKey:
    made = key_file.make(file, Tpm(soft_tpm.place))
    assert isinstance(made, TpmKey)
    return made


def test_it_signs_a_request_that_the_authority_believes(
    key: TpmKey, file: Path
) -> None:
    clock = ManualClock()
    again = key_file.read(file)
    assert again.public == key.public
    assert again.public.algorithm is Algorithm.ECDSA_P256
    signed = sign(REQUEST, station="lobby-7", key=again, clock=clock)
    heard = HttpRequest(
        method=REQUEST.method,
        authority=REQUEST.authority,
        path=REQUEST.path,
        query="",
        headers={**REQUEST.headers, **signed},
        body=REQUEST.body,
    )
    assert verify(heard, lambda _: key.public, clock).station == "lobby-7"


def test_the_tpm_keeps_it_and_nothing_else_does(
    key: TpmKey, file: Path, soft_tpm: SoftTpm
) -> None:
    assert len(soft_tpm.handles()) == 1
    assert soft_tpm.does("getcap", "handles-transient") == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["station.key"]
    shown = soft_tpm.does("readpublic", "-c", soft_tpm.handles()[0])
    for word in ("fixedtpm", "fixedparent", "sensitivedataorigin", "noda", "sign"):
        assert word in shown


def test_it_signs_after_the_machine_was_switched_off(
    key: TpmKey, soft_tpm: SoftTpm
) -> None:
    soft_tpm.does("shutdown")
    soft_tpm.off()
    with pytest.raises(TpmAway):
        key.sign(MESSAGE)
    soft_tpm.on()
    assert key.public.has_signed(MESSAGE, key.sign(MESSAGE))


def test_many_signatures_leave_nothing_in_it(key: TpmKey, soft_tpm: SoftTpm) -> None:
    for _ in range(6):
        assert key.public.has_signed(MESSAGE, key.sign(MESSAGE))
    assert soft_tpm.does("getcap", "handles-transient") == ""


def test_several_threads_may_sign(key: TpmKey) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(key.sign(MESSAGE)))
        for _ in range(3)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [key.public.has_signed(MESSAGE, it) for it in found] == [True] * 3


def test_it_signs_while_the_tpm_is_locked(
    key: TpmKey, soft_tpm: SoftTpm, tmp_path: Path
) -> None:
    """Somebody has guessed at another key's password: ours has none to be guessed."""
    limits = ("-n", "1", "-t", "9999", "-l", "9999")
    soft_tpm.does("dictionarylockout", "-s", *limits)
    other = str(tmp_path / "other")
    soft_tpm.does(
        *("createprimary", "-C", "o", "-G", "ecc", "-p", "secret", "-c", other),
        *("-a", "sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth"),
    )
    soft_tpm.does("flushcontext", "-t")
    guess = ["tpm2_sign", "-c", other, "-g", "sha256", "-p", "wrong", "-o", "/dev/null"]
    for _ in range(2):
        asked = [*guess, "-T", soft_tpm.place]
        done = subprocess.run(asked, input=MESSAGE, capture_output=True)
        assert done.returncode != 0
        soft_tpm.does("flushcontext", "-t")
    locked = soft_tpm.does("getcap", "properties-variable").replace(" ", "")
    assert "inLockout:1" in locked
    assert key.public.has_signed(MESSAGE, key.sign(MESSAGE))


def test_a_tpm_that_was_cleared_is_named(key: TpmKey, soft_tpm: SoftTpm) -> None:
    soft_tpm.does("clear")
    with pytest.raises(TpmKeyGone) as caught:
        key.sign(MESSAGE)
    assert isinstance(caught.value, AuthorityAway), "the visit knows how to end"
    said = sentence(said_of(caught.value))
    assert "was cleared" in said
    assert "kiosk fleet enroll" in said


def test_a_tpm_whose_owner_is_shut_out_is_named(key: TpmKey, soft_tpm: SoftTpm) -> None:
    soft_tpm.does("hierarchycontrol", "-C", "p", "shEnable", "clear")
    with pytest.raises(TpmKeyGone):
        key.sign(MESSAGE)


def test_another_key_in_its_place_is_not_used(key: TpmKey, soft_tpm: SoftTpm) -> None:
    (handle,) = soft_tpm.handles()
    key.forget()
    other = TpmKey.made(Tpm(soft_tpm.place))
    assert soft_tpm.handles() == [handle]
    assert other.public != key.public
    with pytest.raises(TpmKeyOther):
        key.sign(MESSAGE)


def test_two_stations_of_one_tpm_have_two_keys(key: TpmKey, soft_tpm: SoftTpm) -> None:
    other = TpmKey.made(Tpm(soft_tpm.place))
    assert len(soft_tpm.handles()) == 2
    assert key.public.has_signed(MESSAGE, key.sign(MESSAGE))
    assert not key.public.has_signed(MESSAGE, other.sign(MESSAGE))


def test_a_tpm_with_an_owners_password_makes_none(
    soft_tpm: SoftTpm, file: Path
) -> None:
    soft_tpm.does("changeauth", "-c", "owner", "secret")
    with pytest.raises(TpmOwned):
        key_file.make(file, Tpm(soft_tpm.place))
    assert not file.exists()
    assert soft_tpm.handles() == []


def test_a_file_that_cannot_be_written_leaves_no_key(
    soft_tpm: SoftTpm, tmp_path: Path
) -> None:
    there = tmp_path / "file"
    there.touch()
    with pytest.raises(key_file.KeyFileNotMade):
        key_file.make(there, Tpm(soft_tpm.place))
    assert soft_tpm.handles() == []


def test_a_key_in_a_file_does_not_pass_for_one_in_a_tpm(
    soft_tpm: SoftTpm, file: Path
) -> None:
    key_file.make(file)
    with pytest.raises(KeyFileTaken):
        key_file.read_or_make(file, Tpm(soft_tpm.place))
    assert soft_tpm.handles() == []


def test_no_tpm_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(TpmAway):
        Tpm(f"swtpm:path={tmp_path}/nothing").sign(tpm.FIRST_HANDLE, bytes(32))


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tpm, "_PATH", "/nonexistent")
    with pytest.raises(TpmToolsMissing) as caught:
        Tpm().sign(tpm.FIRST_HANDLE, bytes(32))
    assert caught.value.data["program"] == "tpm2_sign"


@pytest.mark.parametrize("place", ["cmd:sh -c id", "device:/etc/passwd", "x", ""])
def test_what_would_be_a_program_is_no_tpm(place: str, file: Path) -> None:
    with pytest.raises(NotATpm):
        tpm_at(place)
    file.touch(0o600)
    file.write_text(f'tpm = "{place}"\nhandle = 0x81018000\nkey = "{"A" * 87}="\n')
    with pytest.raises(KeyFileUnusable):
        key_file.read(file)


@pytest.mark.parametrize(
    "text",
    ['handle = 0x81018000\nkey = "AAAA"\n', "handle = 1\n", "no = 1", "\0", "="],
)
def test_what_tells_of_no_key_is_named(text: str, file: Path) -> None:
    file.touch(0o600)
    file.write_text(text)
    with pytest.raises(KeyFileUnusable):
        key_file.read(file)
