"""docs/install.md typed as it is printed, on a machine that has nothing yet.

A fresh root of a Debian, a real domain controller, the root's own card service (which
asks polkit on Debian 13) with a card in a virtual reader: to the first PIN that is the
password, too, a backup, a loss, a restore, a new version, and to nothing again.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from lab.domain.administrator import administer
from lab.domain.samba import SambaDomain
from lab.domain.samba_domain import BASE_DN, STAFF
from lab.machine.bare_machine import Machine
from lab.machine.fresh_root import ROOT, Console, FreshRoot, typed_in
from lab.servers.dns_server import DnsServer

DOCUMENT = (ROOT / "docs" / "install.md").read_text("utf-8")
ACCOUNT, PASSWORD = "svc-pin-kiosk", "Typed-7hQ2-in-full"
FIRST_PIN, NEXT_PIN = "271828", "314159"
NEXT_VERSION = "9.9.9"
FIRST_CONSOLE = "etc/systemd/system/getty.target.wants/getty@tty1.service"
RECORDER = """\
#!/bin/sh
echo "$*" >>/root/told-to-systemd
exec /usr/bin/systemctl.real "$@"
"""

pytestmark = [pytest.mark.samba, pytest.mark.slow, pytest.mark.timeout(2400)]


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


@pytest.mark.parametrize(
    ("way", "python"),
    [
        ("checkout", "/opt/pin-kiosk/.venv/bin/python"),
        ("pip", "/opt/pin-kiosk/bin/python"),
        ("pipx", "/opt/pipx/venvs/pin-kiosk/bin/python"),
    ],
)
def test_another_way_as_it_is_printed(machine: Machine, way: str, python: str) -> None:
    type_the_document(machine, way, "kiosk units", python=python)
    nothing_is_left(machine)
    assert not (machine.root.path / "usr/local/bin/kiosk").is_symlink()


def type_the_document(machine: Machine, way: str, installed: str, python: str) -> None:
    """Type it for one way; the program is there after the command `installed`."""
    machine.by_hand = way != "package"
    machine.furnish()
    with ExitStack() as running, machine.root.console() as console:
        times = Times()
        for command in typed_in(DOCUMENT, way):
            types(machine, console, command)
            times.took(command)
            if command.startswith(installed) and not machine.has_reader:
                running.enter_context(machine.card_service(python))
                machine.ask_the_domains_dns()
            elif command.startswith("sudo -u kiosk kiosk backup"):
                lose(machine)
            elif command.startswith("kiosk restore"):
                write_password(machine)
            elif machine.before_update and command.startswith(UPDATED):
                after_the_update(machine, console)


def types(machine: Machine, console: Console, command: str) -> None:
    """Type one command, and answer what it asks."""
    fitting = fitted(machine, command)
    for words, do in SPECIAL.items():
        if command.startswith(words):
            do(machine, console, fitting)
            return
    console.type(fitting)


def nothing_is_left(machine: Machine) -> None:
    left = [machine.root.path / each for each in ("etc/pin-kiosk", "var/lib/pin-kiosk")]
    assert not any(path.exists() for path in left)
    assert not list(machine.root.path.glob("etc/**/*pin-kiosk*"))
    for names in ("passwd", "group"):
        assert "kiosk" not in (machine.root.path / "etc" / names).read_text()
    assert (machine.root.path / FIRST_CONSOLE).is_symlink()


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


def operators(machine: Machine, console: Console, command: str) -> None:
    """Write the rule that the document shows, and be one of them."""
    console.type(command)
    rule = re.search(r"^```text\n(%kiosk-operators .*?)^```", DOCUMENT, re.M | re.S)
    assert rule
    program = "/usr/local/bin/kiosk" if machine.by_hand else "/usr/bin/kiosk"
    told = machine.root.path / "etc/sudoers.d/pin-kiosk"
    told.write_text(rule[1].replace("/usr/bin/kiosk", program))
    told.chmod(0o440)
    console.type("visudo --check")
    console.type("su bob -c 'sudo -n -u kiosk kiosk audit verify --help'")
    console.type("su bob -c '! sudo -n -u kiosk kiosk audit export -o /tmp/evidence'")


def serve_a_fleet(machine: Machine, console: Console, command: str) -> None:
    """Before it is uninstalled, two processes of an authority serve a fleet here."""
    console.type("systemctl enable pin-kiosk-authority@8443 pin-kiosk-authority@8444")
    console.type(command)


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


def update(machine: Machine, console: Console, command: str) -> None:
    """The next version comes out just before somebody fetches it."""
    machine.before_update = machine.station()
    machine.publish(NEXT_VERSION)
    machine.root.run("mkdir", "-p", "/run/systemd/system")  # as on one that was booted
    systemctl = machine.root.path / "usr/bin/systemctl"
    systemctl.rename(systemctl.with_name("systemctl.real"))
    systemctl.write_text(RECORDER)
    systemctl.chmod(0o755)
    build(machine, console, command)


def after_the_update(machine: Machine, console: Console) -> None:
    """It is the new program, told to run, at the same station."""
    assert console.type("kiosk --version").strip().endswith(NEXT_VERSION)
    assert machine.station() == machine.before_update
    told = (machine.root.path / "root/told-to-systemd").read_text().splitlines()
    assert "daemon-reload" in told
    assert "try-restart pin-kiosk.service pin-kiosk-desk.service" in told
    machine.root.run("rmdir", "/run/systemd/system")
    machine.ask_the_domains_dns()
    console.type("sudo -u kiosk kiosk doctor")


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
    "git -C": update,
    "adduser bob": operators,
    "rm /etc/sudoers.d": serve_a_fleet,
}
UPDATED = ("apt-get install /usr/src", "systemctl try-restart")
"""What is typed last for a new version."""
