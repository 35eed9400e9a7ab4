"""A station whose authority is elsewhere: what it is told, what it is known by, and
what `kiosk doctor` says of it.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from lab.histories import STORIES, History
from lab.servers.ports import free_port
from lab.servers.served import Serving, Site

from kiosk.authority.client.remote import remote
from kiosk.authority.errors import (
    AuthorityError,
    ClocksApart,
    NotSigned,
    StationMayNot,
    StationUnknown,
    TokenRefused,
)
from kiosk.authority.local import LocalAuthority
from kiosk.authority.service.app import Service, application
from kiosk.authority.service.threads import Threads
from kiosk.authority.stations import key_file
from kiosk.authority.stations.folder import StationsFolder
from kiosk.authority.stations.key_file import KeyFileNotMade, KeyFileUnusable
from kiosk.bootstrap import enroll, lines_of
from kiosk.cli import main
from kiosk.config import AuthorityElsewhere, FleetStation, load, load_any, toml_file
from kiosk.core.clock import ManualClock, SystemClock
from kiosk.core.entropy import SystemEntropy
from kiosk.core.secret import Secret
from kiosk.core.secret_file import SecretExposed
from kiosk.doctor import Health, fleet_station

_STATION = """\
[station]
name = "lobby-7"

[helpdesk]
contact = "extension 4711"

[authority]
addresses = ["https://127.0.0.1:{port}"]
ca_file = "{ca_file}"
key_file = "station.key"
"""


@dataclass
class Known:
    """A station, and an authority with a folder of stations."""

    folder: Path
    service: Service

    @property
    def file(self) -> Path:
        return self.folder / "kiosk.toml"

    @property
    def config(self) -> FleetStation:
        found = load_any(self.file)
        assert isinstance(found, FleetStation)
        return found

    @property
    def record(self) -> Path:
        return self.folder / "stations" / "lobby-7.toml"

    def tell(self, printed: str) -> None:
        """Put what the station printed where the authority looks."""
        self.record.touch(0o600)
        self.record.write_text(printed)

    def ask(self) -> None:
        """Ask for an operation that there is not; the authority's error, if any."""
        with closing(lines_of(self.config)) as lines:
            remote(lines, SystemEntropy(), SystemClock()).outcome("none")


@pytest.fixture
def known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Known]:
    parts = replace(History(STORIES[0]).world.parts, clock=SystemClock())
    port, site = free_port(), Site.founded(tmp_path)
    (tmp_path / "stations").mkdir(mode=0o700)
    service = Service(
        threads=Threads(lambda: parts, count=1, waiting=8),
        verify=StationsFolder(tmp_path / "stations").may_visit,
        authority_of=LocalAuthority,
        names=frozenset({f"127.0.0.1:{port}"}),
        entropy=SystemEntropy(),
    )
    found = Known(tmp_path, service)
    found.file.touch(0o600)
    found.file.write_text(_STATION.format(port=port, ca_file=site.ca_file))
    assert main(["station", "key", "--config", str(found.file)]) == 0
    found.tell(capsys.readouterr().out)
    with Serving(application(service), site.listening(port)):
        yield found
    service.threads.close()


# --- its configuration ----------------------------------------------------------------


def test_what_belongs_to_an_authority_has_no_place_in_it(known: Known) -> None:
    text = known.file.read_text()
    known.file.write_text(f'{text}[vault]\nkey_file = "vault.key"\n')
    with pytest.raises(toml_file.MeaninglessKey):
        load_any(known.file)


def test_a_command_of_the_authority_says_where_that_is(known: Known) -> None:
    with pytest.raises(AuthorityElsewhere) as why:
        load(known.file)
    assert why.value.data == {"file": str(known.file)}


@pytest.mark.parametrize("address", ["http://a.example", "a.example", "https://a/b"])
def test_an_address_that_is_none_is_named(known: Known, address: str) -> None:
    text = known.file.read_text()
    start = text.index('"https://')
    end = text.index('"', start + 1) + 1
    known.file.write_text(f'{text[:start]}"{address}"{text[end:]}')
    with pytest.raises(toml_file.WrongValue) as why:
        load_any(known.file)
    assert str(why.value.data["key"]).startswith("authority.addresses")


# --- its key --------------------------------------------------------------------------


def test_its_key_is_its_own_alone(known: Known) -> None:
    made = known.folder / "station.key"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    made.chmod(0o640)
    with pytest.raises(SecretExposed):
        key_file.read(made)


def test_a_key_that_is_there_stays(
    known: Known, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (known.folder / "station.key").read_bytes()
    assert main(["station", "key", "--config", str(known.file)]) == 0
    assert (known.folder / "station.key").read_bytes() == before
    assert capsys.readouterr().out == known.record.read_text()


def test_what_is_printed_of_it_is_no_secret(known: Known) -> None:
    private = (known.folder / "station.key").read_text().splitlines()[1]
    assert private not in known.record.read_text()


def test_what_is_no_key_is_named(known: Known) -> None:
    (known.folder / "station.key").write_text("no key\n")
    with pytest.raises(KeyFileUnusable):
        lines_of(known.config)


def test_a_key_is_made_over_nothing(known: Known) -> None:
    with pytest.raises(KeyFileNotMade):
        key_file.make(known.folder / "station.key")


# --- who it is ------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["", "  ", "x" * 65, "ä"])
def test_what_can_be_no_token_is_said_to_be_none_and_makes_no_key(
    known: Known, typed: str
) -> None:
    """Enter, or Ctrl+D, in the place of a token: the authority is not even asked."""
    config = known.config
    config.authority.key_file.unlink()
    with Secret(typed.encode()) as token, pytest.raises(TokenRefused):
        enroll(config, token)
    assert not config.authority.key_file.exists()


def test_it_is_known(known: Known) -> None:
    with pytest.raises(Exception, match=r"registry\.record_missing"):
        known.ask()


def another_key(known: Known) -> None:
    (known.folder / "station.key").unlink()
    key_file.make(known.folder / "station.key")


SPOILED: dict[str, tuple[Callable[[Known], object], type[AuthorityError]]] = {
    "it is not known": (lambda it: it.record.unlink(), StationUnknown),
    "it is revoked": (
        lambda it: it.tell(it.record.read_text() + "revoked = true\n"),
        StationUnknown,
    ),
    "it has another key": (another_key, NotSigned),
    "operators stand there": (
        lambda it: it.tell(it.record.read_text().replace("self-service", "helpdesk")),
        StationMayNot,
    ),
}


@pytest.mark.parametrize("how", SPOILED)
def test_it_is_refused_at_the_next_call(known: Known, how: str) -> None:
    spoil, refusal = SPOILED[how]
    spoil(known)
    with pytest.raises(refusal):
        known.ask()


def test_a_clock_that_is_wrong_is_named(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = ManualClock(SystemClock().now() - 420)
    monkeypatch.setattr("kiosk.bootstrap.stations.SystemClock", lambda: late)
    with pytest.raises(ClocksApart) as why:
        known.ask()
    assert set(why.value.data) == {"station", "authority"}


@pytest.mark.parametrize("name", ["../lobby-7", "..", "a/b", "", "a\0b"])
def test_no_name_leads_out_of_the_folder(known: Known, name: str) -> None:
    folder = StationsFolder(known.folder / "stations")
    assert folder._file(name) is None


def test_a_record_that_others_may_write_is_believed_by_nobody(known: Known) -> None:
    known.record.chmod(0o666)
    with pytest.raises(AuthorityError, match="failed_inside"):
        known.ask()


# --- what the doctor says -------------------------------------------------------------


def health(known: Known) -> list[tuple[Health, str]]:
    (address,) = known.config.authority.addresses
    found = fleet_station.authority(known.config, address)
    return [(each.health, each.meaning.key) for each in found]


def test_the_doctor_finds_an_authority_that_is_well(known: Known) -> None:
    assert health(known) == [(Health.OK, "doctor.authority_answers")]


def test_the_doctor_says_what_the_authority_says(known: Known) -> None:
    known.record.unlink()
    assert health(known) == [(Health.FAIL, "authority.station_unknown")]


def test_the_doctor_looks_at_every_part_of_it(known: Known) -> None:
    parts = [part for part, _ in fleet_station.checks_of(known.config)]
    for wanted in ("card service", "file", "folder", "core dumps", "swap"):
        assert wanted in parts
    assert any(part.startswith("authority https://") for part in parts)


def test_an_account_is_examined_at_the_authority(
    known: Known, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["doctor", "--account", "ann", "--config", str(known.file)]
    assert main(words) == 2
    assert "authority is elsewhere" in capsys.readouterr().err
