"""The vault: an envelope opens only where it was sealed, with a key that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.vault import (
    KeyFile,
    KeyFileMalformed,
    KeyFileMissing,
    KeyFileTooOpen,
    KeyRing,
    Tampered,
    UnknownKey,
    Vault,
    add_key,
)

PLACE = {"table": "credentials", "record": "c1", "field": "escrow.current"}


@pytest.fixture
def vault() -> Vault:
    return Vault(KeyRing({"k1": b"\x01" * 32}), "registry-1")


def test_what_is_sealed_opens_again(vault: Vault) -> None:
    envelope = vault.seal(b"PUKPUK01", **PLACE)
    assert b"PUKPUK01" not in envelope.encode()
    assert vault.open(envelope, **PLACE) == b"PUKPUK01"


@pytest.mark.parametrize("moved", PLACE)
def test_an_envelope_does_not_open_elsewhere(vault: Vault, moved: str) -> None:
    envelope = vault.seal(b"PUKPUK01", **PLACE)
    with pytest.raises(Tampered):
        vault.open(envelope, **{**PLACE, moved: "other"})


def test_an_envelope_of_another_registry_does_not_open(vault: Vault) -> None:
    envelope = vault.seal(b"PUKPUK01", **PLACE)
    with pytest.raises(Tampered):
        Vault(KeyRing({"k1": b"\x01" * 32}), "registry-2").open(envelope, **PLACE)


def test_every_changed_character_is_noticed(vault: Vault) -> None:
    envelope = vault.seal(b"PUKPUK01", **PLACE)
    body = envelope.rindex(".") + 1
    for at in range(body, len(envelope) - 2):
        other = "A" if envelope[at] != "A" else "B"
        with pytest.raises(Tampered):
            vault.open(envelope[:at] + other + envelope[at + 1 :], **PLACE)


@pytest.mark.parametrize("envelope", ["", "v1", "v2.A256GCM.k1.AA.AA", "v1.X.k1.a.b"])
def test_what_is_no_envelope_is_refused(vault: Vault, envelope: str) -> None:
    with pytest.raises(Tampered):
        vault.open(envelope, **PLACE)


def test_after_a_rotation_old_envelopes_open_and_are_due(vault: Vault) -> None:
    envelope = vault.seal(b"PUKPUK01", **PLACE)
    rotated = Vault(KeyRing({"k1": b"\x01" * 32, "k2": b"\x02" * 32}), "registry-1")
    assert rotated.open(envelope, **PLACE) == b"PUKPUK01"
    assert rotated.needs_reseal(envelope)
    assert not rotated.needs_reseal(rotated.seal(b"PUKPUK01", **PLACE))


def test_a_key_that_is_gone_is_named(vault: Vault) -> None:
    envelope = vault.seal(b"PUKPUK01", **PLACE)
    with pytest.raises(UnknownKey) as error:
        Vault(KeyRing({"k2": b"\x02" * 32}), "registry-1").open(envelope, **PLACE)
    assert error.value.data == {"key": "k1"}


def test_no_repr_shows_a_key(vault: Vault) -> None:
    assert "\\x01" not in repr(KeyRing({"k1": b"\x01" * 32}))


def test_a_new_key_file_is_private_and_its_last_key_current(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    add_key(path)
    second = add_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeyRing.from_file(path).current == second


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileMissing):
        KeyRing.from_file(tmp_path / "vault.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "vault.key"
    add_key(path)
    path.chmod(mode)
    with pytest.raises(KeyFileTooOpen):
        KeyRing.from_file(path)


@pytest.mark.parametrize("content", ["", "k1\n", "k1 QUJD\n", "k1 !!!\n", "k1 QUJD"])
def test_a_malformed_key_file_names_its_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vault.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileMalformed) as error:
        KeyRing.from_file(path)
    assert error.value.data["line"] == 1


# --- a rotation that was interrupted ------------------------------------------


def rotated(path: Path) -> tuple[str, bytes]:
    """Make a key file with two keys; return the first one's id, and the bytes."""
    first = add_key(path)
    add_key(path)
    return first, path.read_bytes()


def test_a_last_line_cut_anywhere_leaves_every_earlier_key_in_force(
    tmp_path: Path,
) -> None:
    path = tmp_path / "vault.key"
    first, whole = rotated(path)
    begins = whole.index(b"\n") + 1
    for end in range(begins, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert KeyRing.from_file(path).ids == (first,)
        second = add_key(path)
        assert KeyRing.from_file(path).ids == (first, second), end


def test_a_last_key_whose_line_has_no_end_is_a_key_and_stays_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "vault.key"
    _, whole = rotated(path)
    path.write_bytes(whole.removesuffix(b"\n"))
    before = KeyRing.from_file(path)
    third = add_key(path)
    after = KeyRing.from_file(path)
    assert after.ids == (*before.ids, third)
    assert [after.key(each) for each in before.ids] == [
        before.key(each) for each in before.ids
    ]


def test_what_is_no_key_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    _, whole = rotated(path)
    path.write_bytes(b"torn QUJD\n" + whole)
    with pytest.raises(KeyFileMalformed) as error:
        KeyRing.from_file(path)
    assert error.value.data["line"] == 1


# --- a station that is running when it happens ---------------------------------


def test_a_running_station_seals_with_the_new_key_and_opens_what_others_sealed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "vault.key"
    add_key(path)
    running = Vault(KeyFile(path), "registry-1")
    old = running.seal(b"PUKPUK01", **PLACE)
    new = add_key(path)
    theirs = Vault(KeyFile(path), "registry-1").seal(b"PUKPUK02", **PLACE)
    assert running.open(theirs, **PLACE) == b"PUKPUK02"
    assert running.needs_reseal(old)
    assert f".{new}." in running.seal(b"PUKPUK03", **PLACE)


def test_a_running_station_goes_on_with_its_keys_while_the_file_is_not_readable(
    tmp_path: Path,
) -> None:
    path = tmp_path / "vault.key"
    add_key(path)
    running = Vault(KeyFile(path), "registry-1")
    envelope = running.seal(b"PUKPUK01", **PLACE)
    path.rename(tmp_path / "away")
    assert running.open(envelope, **PLACE) == b"PUKPUK01"
    path.write_text("")
    path.chmod(0o600)
    assert running.open(envelope, **PLACE) == b"PUKPUK01"


# --- what signs checkpoints ------------------------------------------------------


def test_a_rotation_gives_checkpoints_another_key_and_knows_the_earlier(
    tmp_path: Path,
) -> None:
    path = tmp_path / "vault.key"
    add_key(path)
    vault = Vault(KeyFile(path), "registry-1")
    before = vault.signer().key
    add_key(path)
    after = vault.signer().key
    assert before != after
    assert vault.note_keys() == (before, after)
    assert after.name == "pin-kiosk/registry-1"
