"""A kiosk that holds nothing: its authority is another process, reached over HTTPS.

The card is in a real pcscd, the kiosk on a real pseudo-terminal, the directory a real
Samba domain controller, and the two programs are the ones that people install.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from lab.pcscd import Pcscd
from lab.realsite import NEW_PIN, PIN, RealSite, found
from lab.samba import SambaDomain
from lab.served import Site, free_port
from lab.serving import is_listening, until
from lab.terminal import Terminal, terminal

KIOSK = str(Path(sys.executable).with_name("kiosk"))
_SERVICE = """
[service]
names = ["127.0.0.1:{port}"]
certificate_file = "{certificate}"
key_file = "{key}"
stations_folder = "{stations}"
drain_seconds = 0
"""
_STATION = """\
[station]
name = "lobby-7"

[helpdesk]
contact = "extension 4711"

[authority]
addresses = ["https://127.0.0.1:{port}"]
ca_file = "{ca_file}"
key_file = "{folder}/station.key"

[log]
file = "{folder}/kiosk.log"
"""

pytestmark = [pytest.mark.pcscd, pytest.mark.samba]


@dataclass(frozen=True)
class Fleet:
    """An authority's files, and those of one kiosk."""

    site: RealSite
    port: int
    kiosk: Path
    """The folder of the kiosk; what it has is in it."""

    @property
    def stations(self) -> Path:
        return self.site.folder / "stations"

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[bytes]]:
        """Let `kiosk serve` run until the block ends."""
        command = [KIOSK, "serve", "--config", str(self.site.config_file)]
        process = subprocess.Popen(
            [*command, "--port", str(self.port)], stdout=subprocess.DEVNULL
        )
        try:
            until(lambda: is_listening(self.port) or process.poll() is not None)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    def opened(self, pcscd: Pcscd) -> AbstractContextManager[Terminal]:
        return terminal(
            [KIOSK, "run", "--config", str(self.kiosk / "kiosk.toml")],
            environment=pcscd.environment,
        )


@pytest.fixture
def fleet(tmp_path: Path, samba: SambaDomain) -> Fleet:
    authority, kiosk = tmp_path / "authority", tmp_path / "kiosk"
    for folder in (authority, kiosk):
        folder.mkdir(mode=0o700)
    site, port = found(authority, samba), free_port()
    tls = Site.founded(authority)
    shown = tls.listening(port)
    (authority / "stations").mkdir(mode=0o700)
    with site.config_file.open("a") as config:
        config.write(
            _SERVICE.format(
                port=port,
                certificate=shown.certificate_file,
                key=shown.key_file,
                stations=authority / "stations",
            )
        )
    file = kiosk / "kiosk.toml"
    file.touch(0o600)
    file.write_text(_STATION.format(port=port, ca_file=tls.ca_file, folder=kiosk))
    told = subprocess.run(
        [KIOSK, "station", "key", "--config", str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    known = authority / "stations" / "lobby-7.toml"
    known.touch(0o600)
    known.write_text(told.stdout)
    return Fleet(site, port, kiosk)


def change(shown: Terminal) -> None:
    shown.shows("Alice Arnold")
    shown.shows("Change my PIN")
    shown.type("\r")
    shown.shows("Your PIN until now")
    shown.type(f"{PIN}\r{NEW_PIN}\r{NEW_PIN}\r")


def test_the_pin_and_the_password_change_over_https(
    fleet: Fleet, samba: SambaDomain, pcscd: Pcscd
) -> None:
    with fleet.serving(), fleet.opened(pcscd) as shown:
        shown.shows("Insert your card")
        pcscd.readers[0].insert(fleet.site.made.card)
        change(shown)
        shown.shows("Your PIN and your Windows password are changed.")
    assert fleet.site.made.card.has_pin(NEW_PIN.encode())
    assert samba.user_binds(fleet.site.user.upn, NEW_PIN)
    verdict = subprocess.run(
        [KIOSK, "audit", "verify", "--config", str(fleet.site.config_file)],
        capture_output=True,
        text=True,
    )
    assert verdict.returncode == 0, verdict.stderr
    assert "Password writes: 1," in verdict.stdout
    there = {path.name for path in fleet.kiosk.rglob("*") if path.is_file()}
    assert there == {"kiosk.toml", "station.key", "kiosk.log"}
    everything = bytes(shown.raw) + b"".join(
        path.read_bytes()
        for folder in (fleet.kiosk, fleet.site.folder)
        for path in folder.rglob("*")
        if path.is_file()
    )
    for secret in (PIN, NEW_PIN):
        assert secret.encode() not in everything


def test_a_kiosk_whose_authority_is_away_is_out_of_service_and_comes_back(
    fleet: Fleet, pcscd: Pcscd
) -> None:
    with fleet.opened(pcscd) as shown:
        shown.shows("Out of service", seconds=60)
        shown.shows("The authority does not answer")
        with fleet.serving():
            shown.shows("Insert your card", seconds=60)


def test_a_station_that_was_revoked_is_refused_in_the_middle_of_a_visit(
    fleet: Fleet, samba: SambaDomain, pcscd: Pcscd
) -> None:
    known = fleet.stations / "lobby-7.toml"
    with fleet.serving(), fleet.opened(pcscd) as shown:
        shown.shows("Insert your card")
        pcscd.readers[0].insert(fleet.site.made.card)
        shown.shows("Change my PIN")
        shown.type("\r")
        shown.shows("Your PIN until now")
        known.write_text(known.read_text() + "revoked = true\n")
        shown.type(f"{PIN}\r{NEW_PIN}\r{NEW_PIN}\r")
        shown.shows("Nothing was changed", seconds=60)
    assert fleet.site.made.card.has_pin(PIN.encode())
    assert samba.user_binds(fleet.site.user.upn, PIN)
