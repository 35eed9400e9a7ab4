"""A bare machine that somebody installs the program on, and its surroundings."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from kiosk import __version__
from lab.domain.samba import LabUser, SambaDomain
from lab.machine.fresh_root import ROOT, FreshRoot

PORT = 35963
_MAINTAINER = ("-c", "user.name=Maintainer", "-c", "user.email=m@example.org")
_READER = f"""\
FRIENDLYNAME "Virtual PCD"
DEVICENAME   /dev/null:{PORT:#x}
LIBPATH      /usr/lib/pcsc/drivers/serial/libifdvpcd.so
CHANNELID    {PORT:#x}
"""
_CARDS = """\
ip link set lo up
pcscd --foreground &
"$1" -I /root/reader_by_line.py "$2"
kill $!
"""


class Machine:
    """A bare machine, its surroundings, and who types at it."""

    def __init__(self, root: FreshRoot, samba: SambaDomain, folder: Path) -> None:
        self.root = root
        self.samba = samba
        self.folder = folder
        self.holder: LabUser = samba.add_user(
            password="Some-Old-Password-1", display_name="Ann Arnold"
        )
        self.officer: LabUser = samba.add_user(display_name="Olga Officer")
        self.transport_pin = ""
        self.by_hand = False
        """Nobody is guided: what is edited is edited by hand, and no card is issued."""
        self.administrator: list[str] = []
        self.before_update: dict[str, tuple[bytes, int, int]] = {}
        """What the station had when the next version came out."""
        self._hand: IO[str] | None = None
        self._outside = (root.path / "etc" / "resolv.conf").read_text()

    def furnish(self) -> None:
        """Give it what a machine has from the start: a card reader's driver, a bus."""
        subprocess.run(
            ["git", "clone", "--quiet", "--bare", ROOT, self.root.path / "srv/source"],
            check=True,
        )
        self.root.run("apt-get", "-q", "update")
        self.root.run(
            *("apt-get", "-q", "-y", "install", "--no-install-recommends"),
            *("systemd", "dbus", "polkitd", "iproute2", "sudo"),
        )
        self.root.run("useradd", "--create-home", "bob")  # an operator to be

    @contextmanager
    def card_service(self, python: str) -> Iterator[None]:
        """Start what systemd would, and a hand for the one card."""
        self.root.run(
            *("apt-get", "-q", "-y", "install", "--no-install-recommends"),
            "vsmartcard-vpcd",
        )
        driver = next(self.root.path.glob("usr/lib/**/libifdvpcd.so"))
        told = _READER.replace(
            "/usr/lib/pcsc/drivers/serial/libifdvpcd.so",
            f"/{driver.relative_to(self.root.path)}",
        )
        for left in (self.root.path / "etc/reader.conf.d").glob("*"):
            left.unlink()
        (self.root.path / "etc/reader.conf.d/vpcd").write_text(told)
        shutil.copy(
            ROOT / "tests/lab/machine/reader_by_line.py", self.root.path / "root"
        )
        self.root.run("mkdir", "-p", "/run/dbus", "/run/pcscd")
        with ExitStack() as started:
            started.enter_context(
                self.root.background("dbus-daemon", "--system", "--nofork")
            )
            polkit = next(self.root.path.glob("usr/lib/polkit-1/polkitd"))
            started.enter_context(
                self.root.background(f"/{polkit.relative_to(self.root.path)}")
            )
            self._hand = started.enter_context(
                self.root.background(
                    *("unshare", "--net", "sh", "-ec", _CARDS, "sh"),
                    *(python, str(PORT)),
                )
            )
            yield

    @property
    def has_reader(self) -> bool:
        return self._hand is not None

    def card(self, move: str) -> None:
        assert self._hand is not None
        self._hand.write(f"{move}\n")
        self._hand.flush()

    def ask_the_domains_dns(self) -> None:
        self._resolve(f"nameserver {self.samba.address}\n")

    def ask_outside(self) -> None:
        self._resolve(self._outside)

    def station(self) -> dict[str, tuple[bytes, int, int]]:
        """Return what registry, keys and configuration are, and whose."""
        return {
            str(path): (path.read_bytes(), path.stat().st_mode, path.stat().st_uid)
            for folder in ("etc/pin-kiosk", "var/lib/pin-kiosk")
            for path in (self.root.path / folder).rglob("*")
            if path.is_file()
        }

    def publish(self, version: str) -> None:
        """Let the next version of the program come out, where it is fetched from."""
        sources = self.folder / "sources"
        git = ("git", "-C", str(sources), *_MAINTAINER)
        subprocess.run(
            ["git", "clone", "--quiet", self.root.path / "srv/source", sources],
            check=True,
        )
        for file in ("pyproject.toml", "kiosk/__init__.py"):
            text = (sources / file).read_text("utf-8")
            assert f'"{__version__}"' in text
            text = text.replace(f'"{__version__}"', f'"{version}"', 1)
            (sources / file).write_text(text, "utf-8")
        subprocess.run([*git, "commit", "--quiet", "-am", "Next"], check=True)
        subprocess.run([*git, "push", "--quiet"], check=True)

    def _resolve(self, text: str) -> None:
        (self.root.path / "etc" / "resolv.conf").write_text(text)
