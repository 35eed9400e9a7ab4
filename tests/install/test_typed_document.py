"""docs/install.md typed as it is printed, on a machine that has nothing yet.

A fresh root of a Debian, a real domain controller, the root's own card service (which
asks polkit on Debian 13) with a card in a virtual reader: to the first PIN that is the
password, too, a backup, a loss, a restore, and to nothing again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import pytest
from lab.administrator import administer
from lab.dns_server import DnsServer
from lab.fresh_root import ROOT, Console, FreshRoot, typed_in
from lab.samba import LabUser, SambaDomain
from lab.samba_domain import BASE_DN, STAFF

DOCUMENT = (ROOT / "docs" / "install.md").read_text("utf-8")
ACCOUNT, PASSWORD = "svc-pin-kiosk", "Typed-7hQ2-in-full"
FIRST_PIN, NEXT_PIN = "271828", "314159"
PORT = 35963
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

pytestmark = [
    pytest.mark.samba,
    pytest.mark.slow,
    pytest.mark.timeout(2400),
]


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
        shutil.copy(ROOT / "tests/lab/reader_by_line.py", self.root.path / "root")
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

    def types(self, console: Console, command: str) -> None:
        """Type one command, and answer what it asks."""
        fitting = fitted(self, command)
        for words, do in SPECIAL.items():
            if command.startswith(words):
                do(self, console, fitting)
                return
        console.type(fitting)

    def card(self, move: str) -> None:
        assert self._hand is not None
        self._hand.write(f"{move}\n")
        self._hand.flush()

    def ask_the_domains_dns(self) -> None:
        self._resolve(f"nameserver {self.samba.address}\n")

    def ask_outside(self) -> None:
        self._resolve(self._outside)

    def _resolve(self, text: str) -> None:
        (self.root.path / "etc" / "resolv.conf").write_text(text)


@pytest.fixture
def machine(debian: str, tmp_path: Path) -> Iterator[Machine]:
    with (
        FreshRoot.of(debian, tmp_path) as root,
        SambaDomain.start(tmp_path / "dc") as samba,
        DnsServer((samba.address, 53)) as dns,
    ):
        dns.service("_ldap._tcp.dc._msdcs.ad.test", "dc1.ad.test")
        dns.host("dc1.ad.test", samba.address)
        shutil.copy(samba.ca_file, root.path / "root" / "ca.pem")
        yield Machine(root, samba, tmp_path)


def test_the_package_as_it_is_printed(machine: Machine) -> None:
    installed = "apt-get install /usr/src/pin-kiosk"
    type_the_document(
        machine, "package", installed, python="/usr/lib/pin-kiosk/bin/python"
    )
    assert machine.samba.user_binds(machine.holder.upn, NEXT_PIN)
    nothing_is_left(machine)


def test_a_checkout_as_it_is_printed(machine: Machine) -> None:
    type_the_document(
        machine, "checkout", "kiosk units", python="/opt/pin-kiosk/.venv/bin/python"
    )
    nothing_is_left(machine)
    assert not list(machine.root.path.glob("etc/**/*pin-kiosk*"))


def type_the_document(machine: Machine, way: str, installed: str, python: str) -> None:
    """Type it for one way; the program is there after the command `installed`."""
    machine.by_hand = way != "package"
    machine.furnish()
    with ExitStack() as running, machine.root.console() as console:
        times = Times()
        for command in typed_in(DOCUMENT, way):
            machine.types(console, command)
            times.took(command)
            if command.startswith(installed) and not machine.has_reader:
                running.enter_context(machine.card_service(python))
                machine.ask_the_domains_dns()
            elif command.startswith("sudo -u kiosk kiosk backup"):
                lose(machine)
            elif command.startswith("kiosk restore"):
                write_password(machine)


def nothing_is_left(machine: Machine) -> None:
    left = [machine.root.path / each for each in ("etc/pin-kiosk", "var/lib/pin-kiosk")]
    assert not any(path.exists() for path in left)
    assert "kiosk:" not in (machine.root.path / "etc/passwd").read_text()


class Times:
    """How long each command took, for who measures (`-s` shows it)."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def took(self, command: str) -> None:
        now = time.monotonic()
        sys.stdout.write(f"\n{now - self._since:7.1f} s  {command}")
        sys.stdout.flush()
        self._since = now


def fitted(machine: Machine, command: str) -> str:
    """Put this site's names in the place of the document's examples."""
    return (
        command.replace("<this repository>", "/srv/source")
        .replace("DC=example,DC=org", BASE_DN)
        .replace("example.org", "ad.test")
        .replace("--account ann", f"--account {machine.holder.name}")
    )


# --- what asks, or shows ------------------------------------------------------


def guided(machine: Machine, console: Console, command: str) -> None:
    console.starts(command)
    console.answers("The domain's DNS name", "ad.test")
    console.answers("the certificate of the authority", "/root/ca.pem")
    console.answers("The unit whose people get cards", STAFF)
    console.answers("The service account's short name", ACCOUNT)
    console.answers("Has it been made", "n")
    console.answers("What do the domain controllers run", "s")
    printed = console.answers("Enter when it has been typed")
    machine.administrator = administer(machine.samba, machine.folder, printed, PASSWORD)
    console.answers(f"The password of {ACCOUNT}", PASSWORD)
    console.answers("somebody who gets a card", machine.holder.name)
    console.answers("Whom do people call", "extension 4711")
    console.answers("Will cards be issued here", "y")
    console.answers("The login, at this machine", "root")
    console.answers("Their own account", machine.officer.upn)
    said = console.hears("ready:")
    assert "The station is ready." in said, said
    assert console.hears("> ") == "0> "


def issue(machine: Machine, console: Console, command: str) -> None:
    machine.card("insert")
    said = console.type(command)
    found = re.search(r"^\s+(\d{6,8})\s*$", said, re.MULTILINE)
    assert found, said
    machine.transport_pin = found[1]
    machine.card("pull")


def first_pin(machine: Machine, console: Console, command: str) -> None:
    console.starts(command)
    shown = console.shown
    shown.shows("Insert your card")
    machine.card("insert")
    shown.shows("Ann Arnold")
    shown.type("\r")
    shown.shows("The PIN from your letter")
    shown.type(f"{machine.transport_pin}\r{FIRST_PIN}\r{FIRST_PIN}\r")
    shown.shows("Its PIN is your new Windows password.", seconds=60)
    assert machine.samba.user_binds(machine.holder.upn, FIRST_PIN)
    leave(machine, console)


def leave(machine: Machine, console: Console) -> None:
    """Pull the card and end the kiosk as a service manager would."""
    machine.card("pull")
    console.shown.shows("Insert your card")
    console.shown.end_program()
    console.hears("ready:")
    console.hears("> ")


def after_the_restore(machine: Machine, console: Console, command: str) -> None:
    """The station is itself again: it knows the card, and changes both."""
    console.type(command)
    if machine.by_hand or not (machine.root.path / "root" / "moved-1").exists():
        return
    console.starts("sudo -u kiosk kiosk run")
    console.shown.shows("Insert your card")
    machine.card("insert")
    console.shown.shows("Change my PIN")
    console.shown.type("\r")
    console.shown.shows("Your PIN until now")
    console.shown.type(f"{FIRST_PIN}\r{NEXT_PIN}\r{NEXT_PIN}\r")
    console.shown.shows("Your PIN and your Windows password are changed", seconds=60)
    leave(machine, console)


def lose(machine: Machine) -> None:
    """Move the copies away, and let the disk die."""
    station = machine.root.path / "var/lib/pin-kiosk"
    for name in ("moved-1", "moved-2"):
        shutil.move(station / name, machine.root.path / "root" / name)
    for folder in (station, machine.root.path / "etc/pin-kiosk"):
        shutil.rmtree(folder)


def write_password(machine: Machine) -> None:
    """What an editor does with a file that is there."""
    file = machine.root.path / "etc/pin-kiosk/directory.password"
    with file.open("r+") as stream:
        stream.write(PASSWORD)


def delegate(machine: Machine, console: Console, command: str) -> None:
    """Where nobody is guided, the administrator types what this prints for Samba."""
    said = console.type(command)
    if machine.by_hand:
        samba = said[said.index("# Samba: as root") :]
        administer(
            machine.samba, machine.folder, f"chosen there:\n{samba}Enter when", PASSWORD
        )


def init(machine: Machine, console: Console, command: str) -> None:
    """Edit what the document says must be edited."""
    console.type(command)
    station = machine.root.path / "etc/pin-kiosk"
    config = station / "kiosk.toml"
    text = config.read_text()
    block = re.search(r"^```toml\n(\[directory\].*?)^```", DOCUMENT, re.M | re.S)
    assert block
    for line in block[1].splitlines():
        key = line.partition(" = ")[0]
        if " = " in line:
            text, done = re.subn(
                rf"^#?{key} = .*$", fitted(machine, line), text, count=1, flags=re.M
            )
            assert done, key
    with config.open("r+") as stream:
        stream.write(text)
        stream.truncate()
    shutil.copyfile(machine.root.path / "root/ca.pem", station / "ca.pem")
    own = config.stat()
    os.chown(station / "ca.pem", own.st_uid, own.st_gid)
    (station / "ca.pem").chmod(0o600)
    write_password(machine)


def build(machine: Machine, console: Console, command: str) -> None:
    """What is built needs the world outside."""
    machine.ask_outside()
    console.type(command)


SPECIAL: dict[str, Callable[[Machine, Console, str], None]] = {
    "kiosk init --guided": guided,
    "kiosk init": init,
    "kiosk directory delegate": delegate,
    "sudo -u kiosk kiosk credential issue": issue,
    "sudo -u kiosk kiosk run": first_pin,
    "sudo -u kiosk kiosk doctor": after_the_restore,
    "apt-get": build,
}
