"""A process that serves as `kiosk serve` does, and believes whoever says who he is.

    python tests/lab/servers/serving.py CONFIG PORT

A request with the header `x-test-hold: FILE` makes FILE.held, and is not judged before
FILE is there.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from kiosk import bootstrap
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.stations.request import HttpRequest
from kiosk.config import load
from kiosk.core.process_end import end_process
from lab.servers.ports import free_port
from lab.servers.served import Named, Site, by_header
from storage.vault import add_key

_HOLD = "x-test-hold"
_CONFIGURATION = """\
[station]
name = "authority-1"

[helpdesk]
contact = "extension 4711"

[directory]
dcs = ["dc1.example.org"]
base_dn = "DC=example,DC=org"
service_account = "svc@example.org"
password_file = "{folder}/password"

[registry]
path = "{folder}/registry.journal"
id = "0123456789abcdef"

[vault]
key_file = "{folder}/vault.key"

[templates]
folder = "{folder}/templates"

[log]
file = "{folder}/authority.log"

[service]
names = [{names}]
certificate_file = "{certificate}"
key_file = "{key}"
visits_per_card = 0
visits_per_account = 0
visits_per_station = 0
drain_seconds = {drain}
"""


def held(parts: RequiredPorts, request: HttpRequest) -> Named:
    if file := request.headers.get(_HOLD, ""):
        Path(f"{file}.held").touch()
        while not Path(file).exists():
            time.sleep(0.01)
    return by_header(parts, request)


def main(config: str, port: str) -> None:
    logging.basicConfig(
        filename=str(Path(config).with_name("authority.log")),
        level=logging.INFO,
        format="%(levelname)s %(message)s",
    )
    from kiosk.authority.service import process

    def made() -> process.ProcessParts:
        return bootstrap.made_of(Path(config), int(port), verify=held)

    process.run(made(), made)
    end_process(0)


class Authority:
    """The files of an authority, and processes that serve it."""

    def __init__(self, folder: Path, *, drain: float = 0.0, ports: int = 1) -> None:
        folder.chmod(0o700)
        self.folder = folder
        self.site = Site.founded(folder)
        self.ports = [free_port() for _ in range(ports)]
        self.config = folder / "kiosk.toml"
        self.drain = drain
        self.configure()
        (folder / "templates").mkdir(mode=0o700)
        (folder / "templates" / "staff.toml").write_text('name = "staff"\n')
        add_key(folder / "vault.key")
        (folder / "password").touch(0o600)
        (folder / "password").write_text("no matter\n")
        bootstrap.found_registry(load(self.config))

    def configure(self, *more_names: str, **wishes: object) -> None:
        """Write the configuration, with a certificate of its own each time."""
        names = [*(f"127.0.0.1:{it}" for it in self.ports), *more_names]
        shown = self.site.listening(self.ports[0], **wishes)
        self.config.touch(0o600)
        self.config.write_text(
            _CONFIGURATION.format(
                folder=self.folder,
                names=", ".join(f'"{it}"' for it in names),
                certificate=shown.certificate_file,
                key=shown.key_file,
                drain=self.drain,
            )
        )

    @property
    def log(self) -> str:
        return (self.folder / "authority.log").read_text("utf-8")

    @contextmanager
    def process(
        self, port: int = 0, environment: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Let one serve until the block ends; it is killed if it still runs then."""
        command = [sys.executable, __file__, str(self.config)]
        started = subprocess.Popen(
            [*command, str(port or self.ports[0])],
            env={**os.environ, **(environment or {})},
            stderr=subprocess.PIPE,
        )
        try:
            yield started
        finally:
            started.kill()
            started.communicate()


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(3000):
        if is_so():
            return
        time.sleep(0.01)
    raise TimeoutError


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


def end(process: subprocess.Popen[bytes]) -> int:
    """Ask it to end, and return what it ends with."""
    process.send_signal(signal.SIGTERM)
    return process.wait(30)


if __name__ == "__main__":
    main(*sys.argv[1:])
