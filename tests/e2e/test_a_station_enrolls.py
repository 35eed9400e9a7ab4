"""A station enrolls at its terminal, is heard by every process, and is revoked.

All programs are the ones that people install.
"""

from __future__ import annotations

import getpass
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from lab.machine.swtpm import SoftTpm
from lab.servers.served import Site as Served
from lab.servers.serving import Authority, is_listening, until
from lab.terminal.terminal import terminal

from kiosk import __version__, bootstrap
from kiosk.authority.client.remote import remote
from kiosk.authority.errors import NotSigned, StationUnknown
from kiosk.authority.stations.tpm import TpmAway
from kiosk.cli.run import look_of
from kiosk.config import FleetStation, load_any
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SystemEntropy
from storage.errors import RecordMissing

pytestmark = pytest.mark.long

KIOSK = str(Path(sys.executable).with_name("kiosk"))
_OPERATOR = """
[[operators]]
login = "{login}"
account = "root@example.org"
role = "administrator"
"""
_STATION = """\
[station]
name = "{name}"
{role}
[helpdesk]
contact = "extension 4711"

[authority]
addresses = [{addresses}]
ca_file = "{ca_file}"
key_file = "{folder}/station.key"
"""


class Site:
    """An authority that serves at two ports, and the files of stations."""

    def __init__(self, folder: Path) -> None:
        home = folder / "authority"
        home.mkdir(mode=0o700)
        self.folder = folder
        self.authority = Authority(home, ports=2)
        with self.authority.config.open("a") as config:
            config.write(_OPERATOR.format(login=getpass.getuser()))

    def fleet(self, *words: str) -> subprocess.CompletedProcess[str]:
        config = str(self.authority.config)
        return subprocess.run(
            [KIOSK, "fleet", *words, "--config", config], capture_output=True, text=True
        )

    def token(self, name: str, *more: str) -> str:
        given = self.fleet("token", "--name", name, *more)
        assert given.returncode == 0, given.stderr
        return given.stdout.strip()

    def station(self, name: str, role: str = "", *, ports: int = 2) -> Path:
        """Write what a station is configured by; return that file."""
        folder = self.folder / f"{name}-{role or 'kiosk'}"
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / "kiosk.toml"
        file.touch(0o600)
        places = self.authority.ports[:ports]
        file.write_text(
            _STATION.format(
                name=name,
                role=f'role = "{role}"\n' if role else "",
                addresses=", ".join(f'"https://127.0.0.1:{it}"' for it in places),
                ca_file=self.authority.site.ca_file,
                folder=folder,
            )
        )
        return file

    @contextmanager
    def serving(self, port: int) -> Iterator[None]:
        command = [KIOSK, "serve", "--config", str(self.authority.config)]
        process = subprocess.Popen(
            [*command, "--port", str(port)], stdout=subprocess.DEVNULL
        )
        try:
            until(lambda: is_listening(port) or process.poll() is not None)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def enroll(file: Path, token: str, said: str, *more: str) -> None:
    """Type the token at the station's terminal; see what is said."""
    command = [KIOSK, "fleet", "enroll", "--config", str(file), *more]
    with terminal(command) as shown:
        shown.shows("Token for this station")
        shown.type(f"{token}\r")
        shown.shows(said)
        assert token.encode() not in bytes(shown.raw), "it is not shown while typed"


def ask(file: Path) -> None:
    """Ask for an operation that there is not. Whatever the authority refuses it for."""
    settings = load_any(file)
    assert isinstance(settings, FleetStation)
    lines = bootstrap.lines_of(settings)
    try:
        remote(lines, SystemEntropy(), SystemClock()).outcome("none")
    finally:
        lines.close()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    tmp_path.chmod(0o700)
    return Site(tmp_path)


def test_a_station_enrolls_is_listed_and_is_revoked_everywhere(site: Site) -> None:
    one, other = site.authority.ports
    file, token = site.station("lobby-7"), site.token("lobby-7")
    with site.serving(one), site.serving(other):
        enroll(file, token, "enrolled as lobby-7")
        enroll(file, token, "enrolled as lobby-7")  # the answer was lost
        key = file.with_name("station.key")
        assert key.stat().st_mode & 0o777 == 0o600
        for _ in range(2):
            with pytest.raises(RecordMissing):
                ask(file)  # heard: there is only no such operation
        listed = site.fleet("list")
        assert "lobby-7" in listed.stdout
        assert "heard" in listed.stdout
        shown = msgspec.json.decode(site.fleet("show", "lobby-7", "--json").stdout)
        assert shown["program"]
        assert site.fleet("rename", "lobby-7", "Lobby, left").returncode == 0
        assert "Lobby, left" in site.fleet("list").stdout
        gone = site.fleet("revoke", "lobby-7", "--reason", "stolen")
        assert gone.returncode == 0, gone.stderr
        for ports in (1, 2):
            with pytest.raises(StationUnknown):
                ask(site.station("lobby-7", ports=ports))
    log = site.authority.log
    assert token not in log
    everything = b"".join(
        path.read_bytes() for path in site.folder.rglob("*") if path.is_file()
    )
    assert token.encode() not in everything
    assert token.replace("-", "").encode() not in everything


def test_a_station_may_be_told_at_its_enrollment_whom_to_ask_and_to_believe(
    site: Site, tmp_path: Path
) -> None:
    """What is configured is not there: another address, and another issuer."""
    file, token = site.station("lobby-7"), site.token("lobby-7")
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    other = Served.founded(elsewhere)
    there, one = site.authority.site.ca_file, site.authority.ports[0]
    text = file.read_text().replace(str(there), str(other.ca_file))
    file.write_text(text)
    at = ("--authority", f"https://127.0.0.1:{one}")
    with site.serving(one):
        enroll(file, token, "cannot show that it is", *at)
        enroll(file, token, "enrolled as lobby-7", *at, "--ca", str(there))
    refused = subprocess.run(
        [*(KIOSK, "fleet", "enroll", "--config", str(file), "--authority", "http://x")],
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 2
    assert "https://HOST" in refused.stderr


def doctor(file: Path) -> str:
    """Return what the station's doctor says."""
    command = [KIOSK, "doctor", "--config", str(file)]
    return subprocess.run(command, capture_output=True, text=True).stdout


def test_a_station_with_a_tpm_enrolls_and_its_doctor_says_so(
    site: Site, soft_tpm: SoftTpm
) -> None:
    file, token = site.station("lobby-7"), site.token("lobby-7")
    one = site.authority.ports[0]
    with site.serving(one):
        enroll(file, token, "is no TPM", "--tpm", "cmd:id")
        enroll(file, token, "enrolled as lobby-7", "--tpm", soft_tpm.place)
        shown = msgspec.json.decode(site.fleet("show", "lobby-7", "--json").stdout)
        assert shown["algorithm"] == "ecdsa-p256-sha256"
        with pytest.raises(RecordMissing):
            ask(file)  # heard: there is only no such operation
        assert "is in the TPM" in doctor(file)
        soft_tpm.off()
        with pytest.raises(TpmAway):
            ask(file)
        assert "does not answer, or this user may not use it" in doctor(file)
        soft_tpm.on()
        with pytest.raises(RecordMissing):
            ask(file)


def test_a_second_station_with_the_same_token_is_refused(site: Site) -> None:
    first, token = site.station("lobby-7"), site.token("lobby-7")
    with site.serving(site.authority.ports[0]):
        enroll(first, token, "enrolled as lobby-7")
        first.with_name("station.key").rename(first.with_name("old.key"))
        enroll(first, token, "was used")
        with pytest.raises(NotSigned):
            ask(first)
        enroll(first, site.token("lobby-7"), "enrolled as lobby-7")
        with pytest.raises(RecordMissing):
            ask(first)


def test_a_token_for_a_kiosk_makes_no_enrollment_station(site: Site) -> None:
    file, token = site.station("desk-1", "enrollment"), site.token("desk-1")
    with site.serving(site.authority.ports[0]):
        enroll(file, token, "for the station desk-1 of the role self-service")
    assert site.fleet("list").stdout == ""


def test_what_is_no_name_of_a_station_gets_no_token(site: Site) -> None:
    refused = site.fleet("token", "--name", "a b")
    assert refused.returncode == 2
    assert "'a b'" in refused.stderr


def shown_of(site: Site, station: str) -> dict[str, str]:
    """What an administrator is shown of a station."""
    told = site.fleet("show", station, "--json")
    assert told.returncode == 0, told.stderr
    return msgspec.json.decode(told.stdout, type=dict[str, str])


def test_what_stations_say_of_themselves_is_shown_at_the_command_line(
    site: Site,
) -> None:
    with site.serving(site.authority.ports[0]):
        kiosk, desk = site.station("lobby-7"), site.station("desk-2", "helpdesk")
        enroll(kiosk, site.token("lobby-7"), "lobby-7")
        enroll(desk, site.token("desk-2", "--role", "helpdesk"), "desk-2")
        assert "reader" not in shown_of(site, "lobby-7")
        kiosk.parent.chmod(0o777)  # anybody may put another key there
        settings = load_any(kiosk)
        asked: list[object] = []
        running = bootstrap.build_station(settings, look=look_of(settings))
        running.on_authority_worker(lambda: asked.append(running.health()))
        until(lambda: "reader" in shown_of(site, "lobby-7"))
        running.stop()
        settings = load_any(desk)
        waiting = bootstrap.build_desk(settings, look=look_of(settings))
        until(lambda: "reader" in shown_of(site, "desk-2"))
        waiting.stop()
    said = shown_of(site, "lobby-7")
    assert said["health"] == "unhealthy"
    assert "folder" in said["failing"]
    assert (said["program"], said["reader"]) == (__version__, "unknown")
    assert "folder" not in shown_of(site, "desk-2")["failing"]
    listed = site.fleet("list").stdout.splitlines()
    (line,) = [it for it in listed if it.startswith("lobby-7")]
    assert line.split()[1:3] == ["unhealthy", "self-service"]


def test_a_station_that_is_shown_line_by_line_says_what_fails_there_too(
    site: Site,
) -> None:
    with site.serving(site.authority.ports[0]):
        kiosk = site.station("lobby-7")
        enroll(kiosk, site.token("lobby-7"), "lobby-7")
        kiosk.parent.chmod(0o777)  # anybody may put another key there
        with terminal([KIOSK, "plain", "--config", str(kiosk)]):
            until(lambda: "reader" in shown_of(site, "lobby-7"))
    said = shown_of(site, "lobby-7")
    assert said["health"] == "unhealthy"
    assert "folder" in said["failing"]
