"""A station of its own, and a hand that types commands at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from kiosk import bootstrap
from kiosk.authority.office.operators import login_name
from kiosk.cli import main
from kiosk.config import Config, load
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SeededEntropy
from kiosk.setup.new_station import Layout, create
from kiosk.simulation.domain import SimulatedDirectory
from statemachine.lifecycle import State
from storage.checkpoints import LANE
from storage.records import AuditEvent, Credential, Escrow

OPERATOR = """
[[operators]]
login = "{login}"
account = "bob@ad.test"
role = "{role}"
"""


class Terminal:
    """A station of its own, and a hand that types commands at it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.file = folder / "kiosk.toml"
        create(Layout.below(folder, folder), bootstrap.found_registry)
        self._capsys = capsys
        self.domain = SimulatedDirectory(SystemClock(), SeededEntropy(1))
        self.ann = self.domain.add_account("ann", display_name="Ann Example")
        self.domain.add_account("bob")
        self._settings = self.file.read_text("utf-8")
        self.sign_in("helpdesk")

    def sign_in(self, role: str) -> None:
        person = OPERATOR.format(login=login_name(), role=role)
        self.file.write_text(self._settings + person, "utf-8")

    def configure(self, section: str, line: str) -> None:
        """Set one key of the configuration, which has each as a comment."""
        head, name, rest = self._settings.partition(f"[{section}]\n")
        assert name, section
        own, gap, others = rest.partition("\n\n")
        key = line.partition(" = ")[0]
        before = (f"#{key} =", f"{key} =")
        kept = [each for each in own.splitlines() if not each.startswith(before)]
        own = "\n".join([*kept, line])
        self._settings = f"{head}{name}{own}{gap}{others}"

    @property
    def config(self) -> Config:
        return load(self.file)

    def type(self, *words: str) -> tuple[int, str, str]:
        """Type a command about this station: exit code, output and errors."""
        return self.type_bare(*words, "--config", str(self.file))

    def type_bare(self, *words: str) -> tuple[int, str, str]:
        """Type exactly that."""
        code = main(words)
        seen = self._capsys.readouterr()
        return code, seen.out, seen.err

    def card(self, **fields: object) -> None:
        """Put a credential of ann's on record."""
        plain = Credential(
            id="c1",
            card="piv:guid:00",
            holder="Ann Example",
            account="ann@ad.test",
            account_guid=self.ann,
            template="staff",
            template_version=1,
            state=State.ACTIVE,
            escrow=Escrow(current_sealed="v1.A256GCM.x.y.sealed"),
        )
        registry = bootstrap.registry_of(self.config, SystemClock())
        registry.run(lambda tx: tx.save_credential(replace(plain, **fields)))
        registry.close()

    def evidence(self) -> list[AuditEvent]:
        """Return what is on record of the stations: all but the checkpoints."""
        registry = bootstrap.registry_of(load(self.file), SystemClock())
        try:
            return [e for e in registry.audit_events() if e.station != LANE]
        finally:
            registry.close()


@pytest.fixture(name="terminal")
def _terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    terminal = Terminal(tmp_path, capsys)
    for place in (bootstrap, bootstrap.authority):
        monkeypatch.setattr(place, "directory_of", lambda *_: terminal.domain)
    monkeypatch.setattr(bootstrap.office, "harden_process", lambda: None)
    return terminal
