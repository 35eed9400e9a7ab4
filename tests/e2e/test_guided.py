"""`kiosk init --guided` at a real terminal: a domain found by DNS, each answer tried.

The domain controller is a real one; what an administrator is asked to type is typed
there as it is printed; what is written is a station that `kiosk doctor` finds sound.
"""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.cards.pcscd import Pcscd
from lab.domain.administrator import administer
from lab.domain.samba import SambaDomain
from lab.domain.samba_domain import STAFF
from lab.machine.own_files import seeing
from lab.servers.dns_server import DnsServer
from lab.terminal.terminal import Terminal, terminal

KIOSK = Path(sys.executable).with_name("kiosk")
ACCOUNT = "svc-guided"
PASSWORD = "Guided-9f3K-later"

pytestmark = [pytest.mark.samba, pytest.mark.pcscd]


@pytest.fixture
def dns(samba: SambaDomain) -> Iterator[DnsServer]:
    """The domain's DNS, at the controller's own address."""
    with DnsServer((samba.address, 53)) as server:
        server.service("_ldap._tcp.dc._msdcs.ad.test", "dc1.ad.test")
        server.host("dc1.ad.test", samba.address)
        yield server


class Guided:
    """One conversation; new lines are read as they come."""

    def __init__(self, shown: Terminal, folder: Path) -> None:
        self._shown = shown
        self.folder = folder
        self._told = 0

    def hears(self, words: str) -> str:
        """Wait until this is said after everything that was heard before."""
        said = self._shown.until_said(words, self._told)
        self._told += len(said)
        return said

    def answers(self, question: str, answer: str = "") -> str:
        said = self.hears(question)
        self._shown.type(answer + "\r")
        return said

    def ended(self) -> int:
        return self._shown.wait(60.0)


@pytest.fixture
def guided(
    tmp_path: Path, samba: SambaDomain, dns: DnsServer, pcscd: Pcscd
) -> Iterator[Guided]:
    with conversation(tmp_path, samba, pcscd) as talk:
        yield talk


@contextmanager
def conversation(tmp_path: Path, samba: SambaDomain, pcscd: Pcscd) -> Iterator[Guided]:
    """A machine whose DNS is the domain's."""
    resolver = tmp_path / "resolv.conf"
    resolver.write_text(f"nameserver {samba.address}\n")
    folder = tmp_path / "station"
    with terminal(
        [
            *seeing(resolver, Path("/etc/resolv.conf")),
            *(str(KIOSK), "init", "--guided", str(folder)),
        ],
        environment=pcscd.environment,
        size=(200, 200),
    ) as shown:
        yield Guided(shown, folder)


def test_from_nothing_to_a_station_that_is_sound(
    guided: Guided, samba: SambaDomain, tmp_path: Path
) -> None:
    holder = samba.add_user(password="Some-Old-Password-1")
    guided.answers("The domain's DNS name", "not a domain")
    guided.hears("no domain's DNS name")
    guided.answers("The domain's DNS name", "elsewhere.test")
    guided.hears("elsewhere.test")
    guided.answers("Names of domain controllers")
    guided.answers("The domain's DNS name", "ad.test")
    guided.hears("Found: dc1.ad.test")
    guided.hears("certificate is not trusted")
    guided.answers("the certificate of the authority", "/nowhere.pem")
    guided.hears("/nowhere.pem cannot be read")
    guided.answers("the certificate of the authority", str(samba.ca_file))
    guided.hears("dc1.ad.test: reached, and its certificate is trusted.")
    guided.answers("The unit whose people get cards", "Staff")
    guided.hears("'Staff' is not the distinguished name")
    guided.answers("The unit whose people get cards", STAFF)
    guided.answers("The service account's short name", ACCOUNT)
    guided.answers("Has it been made", "n")
    guided.answers("What do the domain controllers run", "s")
    printed = guided.answers("Enter when it has been typed")
    administer(samba, tmp_path, printed, PASSWORD)
    guided.answers(f"The password of {ACCOUNT}", "a wrong one")
    guided.hears("FAIL")
    guided.answers("p: the password again", "p")
    guided.answers(f"The password of {ACCOUNT}", PASSWORD)
    guided.hears(f"rights in {STAFF}")
    guided.answers("somebody who gets a card", holder.upn)
    guided.hears("A PIN")
    guided.answers("Whom do people call", "extension 4711")
    guided.answers("Will cards be issued here", "y")
    guided.answers("The login, at this machine", "")
    guided.answers("Their own account", holder.upn)
    guided.hears("The station is ready.")
    assert guided.ended() == 0
    _is_sound(guided, samba)


def _is_sound(guided: Guided, samba: SambaDomain) -> None:
    folder = guided.folder
    assert {path.name for path in folder.iterdir() if path.suffix != ".lock"} == {
        *("kiosk.toml", "directory.password", "vault.key", "registry.journal"),
        *("templates", "issuer.pem", "issuer.key", "ca.pem"),
    }
    for path in folder.iterdir():
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    told = tomllib.loads((folder / "kiosk.toml").read_text())
    assert told["directory"]["domain"] == "ad.test"
    assert told["directory"]["units"] == [STAFF]
    assert (folder / "directory.password").read_text() == PASSWORD
    assert told["operators"][0]["role"] == "administrator"
    assert samba.user_binds(f"{ACCOUNT}@ad.test", PASSWORD)
    assert PASSWORD not in guided._shown.raw.decode("utf-8", "replace")


def test_who_stops_leaves_nothing_behind(guided: Guided, samba: SambaDomain) -> None:
    guided.answers("The domain's DNS name", "ad.test")
    guided.answers("the certificate of the authority", str(samba.ca_file))
    guided.answers("The unit whose people get cards", STAFF)
    guided.answers("The service account's short name", ACCOUNT)
    guided.answers("Has it been made", "y")
    guided.answers("The password of", samba.service_password)
    guided.hears("g: go on all the same")
    guided._shown.type("\x03")
    assert guided.ended() == 1
    left = [path for path in guided.folder.rglob("*") if path.is_file()]
    assert left == []


def test_a_station_that_is_there_is_not_asked_about_again(tmp_path: Path) -> None:
    folder = tmp_path / "station"
    subprocess.run([KIOSK, "init", folder], check=True, capture_output=True)
    with terminal([str(KIOSK), "init", "--guided", str(folder)]) as shown:
        shown.shows("is already there")
        assert shown.wait() == 2
    assert not re.search("domain's DNS name", shown.text())


def test_the_one_thing_that_is_missing_is_named_last(
    tmp_path: Path, samba: SambaDomain, dns: DnsServer, pcscd: Pcscd
) -> None:
    samba.add_user()
    pcscd.stop()
    pcscd.start_without_readers()
    name = samba.service_account.partition("@")[0]
    with conversation(tmp_path, samba, pcscd) as guided:
        guided.answers("The domain's DNS name", "ad.test")
        guided.answers("the certificate of the authority", str(samba.ca_file))
        guided.answers("The unit whose people get cards", STAFF)
        guided.answers("The service account's short name", name)
        guided.answers("Has it been made", "y")
        guided.answers("The password of", samba.service_password)
        guided.answers("somebody who gets a card")
        guided.answers("Whom do people call", "extension 4711")
        guided.answers("Will cards be issued here", "n")
        guided.answers("The login, at this machine", "")
        guided.answers("Their own account")
        said = guided.hears("When it is mended")
        assert guided.ended() == 1
    missing = said.split("this is missing:")[1]
    assert "reader" in missing
    assert "certificate" not in missing
