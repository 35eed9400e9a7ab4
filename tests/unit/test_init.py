"""`kiosk init` gives a station its files, once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.authority.office import templates
from kiosk.bootstrap import found_registry, registry_of
from kiosk.certificates.local_ca import Issuer
from kiosk.cli import main
from kiosk.config import Config, load
from kiosk.core.clock import ManualClock
from kiosk.core.exit_codes import ExitCode
from kiosk.setup import new_station
from kiosk.setup.new_station import AlreadyThere, Layout, NotWritable, create
from storage.errors import StoreFull
from storage.journal_lock import lock_files
from storage.vault import KeyRing

pytestmark = pytest.mark.slow


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout.below(tmp_path / "etc", tmp_path / "var")


@pytest.fixture
def careless_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_written_configuration_can_be_loaded_and_points_at_the_other_files(
    layout: Layout,
) -> None:
    create(layout, found_registry)
    config = load(layout.config)
    assert config.vault.key_file == layout.vault_key
    assert config.directory.password_file == layout.password
    assert config.registry.path == layout.registry
    assert [each.name for each in templates.read_folder(config.templates.folder)] == [
        "staff"
    ]


def test_the_vault_key_is_usable_and_every_station_has_its_own(
    layout: Layout, tmp_path: Path
) -> None:
    create(layout, found_registry)
    other = Layout.below(tmp_path / "other", tmp_path / "other")
    create(other, found_registry)
    rings = [KeyRing.from_file(each.vault_key) for each in (layout, other)]
    assert rings[0].key(rings[0].current) != rings[1].key(rings[1].current)


def test_the_registry_is_there_and_empty(layout: Layout) -> None:
    create(layout, found_registry)
    assert layout.registry.exists()
    registry = registry_of(load(layout.config), ManualClock())
    assert registry.run(lambda tx: tx.credentials(limit=100)) == []
    registry.close()


def test_a_registry_that_cannot_be_made_leaves_nothing_behind(
    layout: Layout, tmp_path: Path
) -> None:
    def full(config: Config) -> None:
        config.registry.path.write_bytes(b"a beginning")
        raise StoreFull(path=str(config.registry.path))

    with pytest.raises(StoreFull):
        create(layout, full)
    assert everything(tmp_path) == {}


@pytest.mark.parametrize(
    "end", [KeyboardInterrupt(), StoreFull(path="/registry")], ids=["ctrl-c", "full"]
)
def test_what_ends_when_the_registry_is_there_leaves_neither_file_nor_folder(
    layout: Layout, tmp_path: Path, end: BaseException
) -> None:
    def ended(config: Config) -> None:
        found_registry(config)
        raise end

    layout.registry.parent.mkdir()
    lock, _ = lock_files(layout.registry)
    lock.touch()  # somebody else's
    with pytest.raises(type(end)):
        create(layout, ended)
    assert sorted(tmp_path.rglob("*")) == [layout.registry.parent, lock]


@pytest.mark.usefixtures("careless_umask")
def test_only_the_owner_may_read_what_is_written(layout: Layout) -> None:
    for file in create(layout, found_registry):
        assert mode(file) == 0o600, file
        assert mode(file.parent) == 0o700, file.parent


@pytest.mark.parametrize("which", ["config", "password", "vault_key", "registry"])
def test_nothing_is_overwritten_and_nothing_else_is_written(
    layout: Layout, tmp_path: Path, which: str
) -> None:
    there: Path = getattr(layout, which)
    there.parent.mkdir(parents=True)
    there.write_text("mine")
    before = everything(tmp_path)
    with pytest.raises(AlreadyThere) as caught:
        create(layout, found_registry)
    assert caught.value.data == {"file": str(there)}
    assert everything(tmp_path) == before


def test_when_one_file_fails_none_is_left_behind(
    layout: Layout, tmp_path: Path
) -> None:
    layout.vault_key.parent.parent.mkdir(parents=True, exist_ok=True)
    layout.vault_key.parent.write_text("a file where a folder belongs")
    before = everything(tmp_path)
    with pytest.raises(NotWritable) as caught:
        create(layout, found_registry)
    assert caught.value.data["file"] == str(layout.vault_key)
    assert everything(tmp_path) == before


def test_a_key_that_cannot_be_written_leaves_nothing_behind(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(new_station, "add_key", full)
    with pytest.raises(NotWritable) as caught:
        create(layout, found_registry)
    assert caught.value.data["reason"] == "No space left on device"
    assert everything(tmp_path) == {}


def test_a_host_name_that_no_station_can_have_is_not_taken(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "-münchen.example.org")
    create(layout, found_registry)
    assert load(layout.config).station.name == "kiosk"


def test_the_command_lists_the_files_and_says_what_comes_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "new")]) == ExitCode.OK
    out = capsys.readouterr().out
    assert str(tmp_path / "new" / "kiosk.toml") in out
    assert f"kiosk doctor --config {tmp_path / 'new' / 'kiosk.toml'}" in out


def test_a_station_that_issues_cards_gets_an_issuer_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path), "--issue-cards"]) == ExitCode.OK
    settings = load(tmp_path / "kiosk.toml").enrollment
    assert settings.ca_certificate_file is not None
    assert settings.ca_key_file is not None
    assert mode(settings.ca_key_file) == 0o600
    Issuer.from_files(settings.ca_certificate_file, settings.ca_key_file, days=30)


def test_the_command_repeated_is_refused_with_the_name_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["init", str(tmp_path)])
    assert main(["init", str(tmp_path)]) == ExitCode.USAGE
    assert str(tmp_path / "kiosk.toml") in capsys.readouterr().err
