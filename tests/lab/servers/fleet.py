"""An authority of real parts that serves as people install it, and a station of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.domain.samba import SambaDomain
from lab.realsite import RealSite, found
from lab.servers.ports import free_port
from lab.servers.served import Site
from lab.servers.serving import is_listening, until

KIOSK = str(Path(sys.executable).with_name("kiosk"))
STATION = "lobby-7"
_SERVICE = """
[service]
names = [{names}]
certificate_file = "{certificate}"
key_file = "{key}"
stations_folder = "{stations}"
visits_per_card = 0
visits_per_account = 0
visits_per_station = 0
drain_seconds = 0
"""
_STATION = """\
[station]
name = "{name}"
role = "{role}"

[helpdesk]
contact = "extension 4711"

[authority]
addresses = [{addresses}]
ca_file = "{ca_file}"
key_file = "{folder}/station.key"

[log]
file = "{folder}/kiosk.log"
"""


@dataclass(frozen=True)
class Fleet:
    """An authority's files, and those of one kiosk."""

    site: RealSite
    ports: Sequence[int]
    kiosk: Path
    """The folder of the kiosk; what it has is in it."""

    @property
    def config_file(self) -> Path:
        """The kiosk's."""
        return self.kiosk / "kiosk.toml"

    @property
    def known(self) -> Path:
        """What the authority has of the kiosk."""
        return self.site.folder / "stations" / f"{STATION}.toml"

    def start(self, port: int) -> subprocess.Popen[bytes]:
        """Let `kiosk serve` run at that port; return when it can be asked."""
        command = [KIOSK, "serve", "--config", str(self.site.config_file)]
        process = subprocess.Popen(
            [*command, "--port", str(port)], stdout=subprocess.DEVNULL
        )
        until(lambda: is_listening(port) or process.poll() is not None)
        return process

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[bytes]]:
        """Let it run at the first port until the block ends."""
        process = self.start(self.ports[0])
        try:
            yield process
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> int:
    """Ask it to end; return what it ends with."""
    process.send_signal(signal.SIGTERM)
    return process.wait(30)


def founded(
    folder: Path,
    samba: SambaDomain,
    *,
    ports: int = 1,
    postgresql: str = "",
    role: str = "self-service",
    more: str = "",
    tpm: str = "",
) -> Fleet:
    """Found both in an empty folder; the kiosk is known to the authority.

    `role`: of the station; `more`: what the authority's configuration has besides;
    `tpm`: where the station's key is made, if not in a file.
    """
    authority, kiosk = folder / "authority", folder / "kiosk"
    for each in (authority, kiosk):
        each.mkdir(mode=0o700)
    site = found(authority, samba, postgresql=postgresql)
    places = [free_port() for _ in range(ports)]
    tls = Site.founded(authority)
    shown = tls.listening(places[0])
    (authority / "stations").mkdir(mode=0o700)
    with site.config_file.open("a") as config:
        config.write(
            _SERVICE.format(
                names=", ".join(f'"127.0.0.1:{it}"' for it in places),
                certificate=shown.certificate_file,
                key=shown.key_file,
                stations=authority / "stations",
            )
            + more
        )
    fleet = Fleet(site, places, kiosk)
    fleet.config_file.touch(0o600)
    fleet.config_file.write_text(
        _STATION.format(
            name=STATION,
            role=role,
            addresses=", ".join(f'"https://127.0.0.1:{it}"' for it in places),
            ca_file=tls.ca_file,
            folder=kiosk,
        )
    )
    told = subprocess.run(
        [
            *(KIOSK, "station", "key", "--config", str(fleet.config_file)),
            *(("--tpm", tpm) if tpm else ()),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    fleet.known.touch(0o600)
    fleet.known.write_text(told.stdout)
    return fleet
