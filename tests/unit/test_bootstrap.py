"""The parts that a configuration describes are the parts that are built."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace

from kiosk import bootstrap
from kiosk.bootstrap import ServiceSecretUnclear, UnknownLifecycleEdge
from kiosk.cards.pcsc import PcscMonitor
from kiosk.config import Config, load
from kiosk.config.sections.rules import LifecycleSettings
from kiosk.config.sections.station import PinpadUse, ReadersSettings
from kiosk.core import workers
from kiosk.core.errors import Message
from kiosk.setup.new_station import Layout, create
from statemachine.guards import Facts
from statemachine.lifecycle import Event, Standing, State
from storage.names import NameRow, Names

SOON = 10.0
"""Seconds after which something that should happen is taken to have failed."""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    layout = Layout.below(tmp_path, tmp_path)
    create(layout, bootstrap.found_registry)
    return load(layout.config)


def without(config: Config, *edges: str) -> Config:
    return replace(config, lifecycle=LifecycleSettings(removed=edges))


def test_a_removed_edge_is_gone_and_the_others_stay(config: Config) -> None:
    narrowed = bootstrap.lifecycle_of(without(config, "retire active"))
    facts = Facts()
    assert narrowed.why_not(Standing(State.ACTIVE), Event.RETIRE, facts) is not None
    assert narrowed.why_not(Standing(State.BLOCKED), Event.RETIRE, facts) is None


def test_the_pads_of_readers_are_used_unless_they_are_to_be_ignored(
    config: Config,
) -> None:
    for use, is_used, is_required in (
        (PinpadUse.IF_PRESENT, True, False),
        (PinpadUse.REQUIRED, True, True),
        (PinpadUse.IGNORE, False, False),
    ):
        monitor = bootstrap.monitor_of(
            replace(config, readers=ReadersSettings(pinpad=use))
        )
        assert isinstance(monitor, PcscMonitor)
        assert monitor._use_pinpads is is_used
        assert monitor._requires_pinpads is is_required


def test_no_station_makes_a_registry_where_there_is_none(
    config: Config, tmp_path: Path
) -> None:
    """Begun anew, it would know no card, and its evidence would say nothing."""
    wrong = tmp_path / "elsewhere" / "registry.journal"
    config = replace(config, registry=replace(config.registry, path=wrong))
    station, desk = bootstrap.build_station(config), bootstrap.build_desk(config)
    try:
        (fault,) = station.health()
        told = desk.open()
    finally:
        station.stop()
        desk.stop()
    assert not wrong.parent.exists()
    assert fault.part == "store"
    assert fault.message == told
    assert fault.message == Message("config.nothing_there", {"path": str(wrong)})


def test_a_desk_makes_ready_what_it_searches_before_anybody_does(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a million credentials that takes seconds, which the first one would wait."""
    made = threading.Event()

    class Seen(Names):
        def __init__(self, rows: Iterable[NameRow]) -> None:
            super().__init__(rows)
            made.set()

    monkeypatch.setattr("storage.tinydb_indexes.Names", Seen)
    monkeypatch.setattr(workers, "QUIET_SECONDS", 0.01)
    desk = bootstrap.build_desk(config)
    opened: list[object] = []
    try:
        desk.on_worker(lambda: opened.append(desk.open()))
        assert made.wait(SOON)
    finally:
        desk.stop()
    (session,) = opened
    assert not isinstance(session, Message)


def test_a_registry_in_a_closed_folder_is_not_said_to_be_missing(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "stat", refused)
    bootstrap.must_be_there(config)


def test_the_edge_of_a_new_card_can_be_removed(config: Config) -> None:
    narrowed = bootstrap.lifecycle_of(without(config, "issue new"))
    assert narrowed.why_not(None, Event.ISSUE, Facts()) is not None


@pytest.mark.parametrize(
    "edge", ["retire", "retire nowhere", "vanish active", "activate active", ""]
)
def test_an_edge_that_there_is_not_is_refused_by_name(
    config: Config, edge: str
) -> None:
    with pytest.raises(UnknownLifecycleEdge):
        bootstrap.lifecycle_of(without(config, edge))


def test_the_vault_belongs_to_its_registry(config: Config) -> None:
    place = {"table": "credentials", "record": "c", "field": "f"}
    sealed = bootstrap.vault_of(config).seal(b"x", **place)
    assert bootstrap.vault_of(config).open(sealed, **place) == b"x"
    other = replace(config, registry=replace(config.registry, id="another-one"))
    with pytest.raises(Exception, match=r"vault\.tampered"):
        bootstrap.vault_of(other).open(sealed, **place)


@pytest.mark.parametrize(
    "named",
    [
        {"password_file": None},
        {"password_credential": "directory"},
        {"keytab_file": Path("/k")},
        {"password_file": None, "password_credential": "d", "keytab_file": Path("/k")},
    ],
)
def test_the_service_account_signs_in_with_one_secret(
    config: Config, named: dict[str, object]
) -> None:
    unclear = replace(config, directory=replace(config.directory, **named))
    with pytest.raises(ServiceSecretUnclear):
        bootstrap.directory_of(unclear)


def test_a_password_file_a_credential_or_a_keytab_is_taken_as_it_is_named(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def secret_with(**named: object) -> tuple[Path | None, Path | None]:
        bare = replace(config.directory, password_file=None)
        told = replace(config, directory=replace(bare, **named))
        return bootstrap.service_secret_of(told)

    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert secret_with(password_file=Path("/p")) == (Path("/p"), None)
    assert secret_with(password_credential="d") == (tmp_path / "d", None)
    assert secret_with(keytab_file=Path("/k")) == (None, Path("/k"))
