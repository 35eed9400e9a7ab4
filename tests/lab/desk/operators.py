"""A station on disk, and a person who types `kiosk` commands at it.

Every command is a process of its own, as it is for an operator.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from kiosk.authority.office.operators import login_name
from kiosk.bootstrap import found_registry
from kiosk.certificates.local_ca import new_issuer
from kiosk.config import Config, load
from kiosk.config.render import toml_value
from kiosk.setup.new_station import IssuerFiles, Layout, create
from lab.domain.samba import LabUser, SambaDomain
from lab.domain.samba_domain import STAFF

KIOSK = Path(sys.executable).with_name("kiosk")
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str = ""


class Office:
    """A new station, its configuration, and one operator at its keyboard."""

    def __init__(
        self, folder: Path, domain: SambaDomain, environment: dict[str, str]
    ) -> None:
        self.layout = Layout.below(folder, folder)
        self._environment = environment
        issuer = IssuerFiles(*new_issuer("Test issuer", now=time.time()))
        create(self.layout, found_registry, issuer)
        text = self.layout.config.read_text("utf-8")
        begin = text.index("[directory]")
        end = text.index("[registry]")
        self._text = text[:begin] + _directory(domain) + text[end:]
        self.operator: LabUser = domain.add_user(display_name="Olga Officer")
        self.sign_in("administrator")

    @property
    def config(self) -> Config:
        return load(self.layout.config)

    def sign_in(self, role: str) -> None:
        """Give the person at the keyboard another role."""
        person = (
            f'[[operators]]\nlogin = "{login_name()}"\n'
            f'account = "{self.operator.upn}"\nrole = "{role}"\n'
        )
        self.layout.config.write_text(self._text + person, "utf-8")

    def set(self, section: str, name: str, value: str) -> None:
        """Set one value of the configuration."""
        line = f"[{section}]\n{name} = {toml_value(value)}\n"
        self._text = self._text.replace(f"[{section}]\n", line, 1)
        self.sign_in("administrator")

    def type(self, *words: str) -> Ended:
        """Run one command without a terminal."""
        done = subprocess.run(
            self._command(*words),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=self._environment,
            timeout=_PATIENCE,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def type_at_terminal(self, *words: str, prompt: str, answer: bytes) -> Ended:
        """Run one command on a terminal of its own, and answer its prompt."""
        ours, theirs = os.openpty()
        process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *self._command(*words)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self._environment,
        )
        os.close(theirs)
        seen = _until(ours, prompt)
        os.write(ours, answer + b"\n")
        seen += _until(ours, None)
        os.close(ours)
        return Ended(process.wait(_PATIENCE), seen)

    def _command(self, *words: str) -> list[str]:
        return [str(KIOSK), *words, "--config", str(self.layout.config)]


def _until(terminal: int, wanted: str | None) -> str:
    """Read until `wanted` is on the terminal, or until it closes."""
    seen = b""
    line = select.poll()  # unlike select(), it takes descriptors of any number
    line.register(terminal, select.POLLIN)
    while wanted is None or wanted.encode() not in seen:
        if not line.poll(_PATIENCE * 1000):
            raise TimeoutError(f"only this came: {seen!r}")
        try:
            data = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            data = b""
        if not data:
            break
        seen += data
    return seen.decode("utf-8", "replace")


def _directory(domain: SambaDomain) -> str:
    told = domain.config()
    lines = [
        f"{name} = {toml_value(getattr(told, name))}"
        for name in ("dcs", "base_dn", "service_account", "password_file", "ca_file")
    ]
    lines.append(f"units = {toml_value((STAFF,))}")
    return "[directory]\n" + "\n".join(lines) + "\n\n"
