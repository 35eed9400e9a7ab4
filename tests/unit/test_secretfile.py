"""A secret comes from a file that is private, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kiosk.core.secret_file import (
    SecretEmpty,
    SecretExposed,
    SecretUnreadable,
    credential,
    read_secret,
)


def private(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "password"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"pass word", b"pass word"),
        (b"password\n", b"password"),
        (b"password\r\n", b"password"),
        (b"password\n\n", b"password\n"),
        ("pässwörd".encode(), "pässwörd".encode()),
    ],
)
def test_one_line_end_is_not_part_of_the_secret(
    tmp_path: Path, content: bytes, secret: bytes
) -> None:
    assert read_secret(private(tmp_path, content)).reveal() == secret


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SecretExposed):
        read_secret(private(tmp_path, b"x", mode))


def test_a_file_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = private(tmp_path, b"x")
    mine = os.geteuid()
    if mine == 0:  # root's own files are trusted by every user
        os.chown(path, 4711, 4711)
    monkeypatch.setattr("os.geteuid", lambda: mine + 1)
    with pytest.raises(SecretExposed):
        read_secret(path)


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SecretEmpty):
        read_secret(private(tmp_path, content))


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SecretUnreadable) as caught:
        read_secret(tmp_path / "none")
    assert caught.value.data["file"] == str(tmp_path / "none")


# --- what systemd hands over ---------------------------------------------------


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600])
def test_a_credential_of_the_service_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    private(tmp_path, b"handed over", mode)
    assert read_secret(credential("password")).reveal() == b"handed over"


@pytest.mark.parametrize("mode", [0o444, 0o460, 0o404])
def test_a_credential_that_others_may_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    private(tmp_path, b"x", mode)
    with pytest.raises(SecretExposed):
        read_secret(credential("password"))


def test_a_file_elsewhere_is_no_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "given").mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "given"))
    with pytest.raises(SecretExposed):
        read_secret(private(tmp_path, b"x", 0o440))


@pytest.mark.parametrize("name", ["", ".", "..", "../password", "/etc/shadow"])
def test_a_credential_has_a_name_and_no_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(SecretUnreadable):
        credential(name)


def test_without_systemd_there_is_no_credential(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(SecretUnreadable):
        credential("password")
