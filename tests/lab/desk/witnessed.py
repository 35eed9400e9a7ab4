"""A site whose evidence is witnessed: two kiosks, an office, an auditor, a thief.

site = WitnessedSite(tmp_path)
site.change("ann", at="lobby")
file = site.export()
verdict(file, "--key", site.key)
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import msgspec

from kiosk.authority.office.desk import Desk
from kiosk.authority.office.operators import SignedIn
from kiosk.authority.proof import heads
from kiosk.authority.proof.checkpointed_registry import CheckpointedRegistry
from kiosk.cli import main
from kiosk.config import OperatorRole
from kiosk.core.clock import ManualClock
from kiosk.core.secret import Secret
from kiosk.desk.export import to_file
from kiosk.desk.files import OwnFiles
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.world import World
from kiosk.visit.views import Answers, FieldName, Outcome
from lab.desk.site import office_at
from statemachine.operation import Kind
from storage import audit, canonical
from storage.high_water import HighWaterMark
from storage.memory_registry import MemoryRegistry
from storage.records import AuditDraft, AuditEvent, Template
from storage.registry import Registry

PINS = (b"271828", b"864209", b"975310", b"314159")


class Said(NamedTuple):
    """How a command ended."""

    code: int
    text: str


def forget_events(store: Registry, first: int = 0) -> None:
    """Let a registry end before its event number `first`: an older copy put back."""
    assert isinstance(store, MemoryRegistry)
    tables = store._tables
    del tables.events[first:]
    tables.heads.clear()
    tables.heads.update((it.lane, audit.Head(it.seq, it.hash)) for it in tables.events)


def verdict(file: Path, *words: str) -> Said:
    """Type `kiosk audit verify FILE …`: as somebody who has the file and no station."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = main(["audit", "verify", str(file), *words])
    return Said(code, out.getvalue())


class WitnessedSite:
    """Kiosks `lobby` and `annex`, the office `kiosk-1`, and one authority for all."""

    def __init__(self, folder: Path, store: Registry | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.clock = ManualClock()
        self.store = store or MemoryRegistry()
        self.tell: Callable[[AuditEvent], None] | None = None
        self.world = World(clock=self.clock)
        self.mark = HighWaterMark(folder / "registry.seen", "world")
        self.start()
        self.world.add_template(Template(name="staff"))
        assert isinstance(self.world.directory, SimulatedDirectory)
        for name in ("ann", "ben"):
            guid = self.world.directory.add_account(name)
            made, puk = self.world.make_card(name, pin=PINS[0])
            self.world.register(name, made, puk, account_guid=guid, template="staff")
        self._pins = dict.fromkeys(("ann", "ben"), 0)

    def start(self) -> None:
        """A new process of the authority."""
        self.registry = CheckpointedRegistry(
            self.store,
            vault=self.world.parts.vault,
            clock=self.clock,
            station="kiosk-1",
            mark=self.mark,
            tell=self.tell,
        )
        self.world.registry = self.registry
        self.world.restart()

    def forget_events(self) -> None:
        """Begin the evidence anew, as who may write the registry's file can."""
        forget_events(self.store)
        self.mark = HighWaterMark(self.folder / "anew.seen", "world")
        self.start()

    def add(self, events: Iterable[AuditEvent]) -> None:
        """Write down what others say has happened."""
        for event in events:
            fields = msgspec.structs.asdict(event)
            draft = {name: fields[name] for name in AuditDraft.__struct_fields__}
            self.registry.run(lambda tx, draft=draft: tx.audit(AuditDraft(**draft)))  # type: ignore[misc]  # mypy cannot infer a lambda's default

    # --- what people do -----------------------------------------------------------

    def change(self, name: str, *, at: str) -> None:
        """Change somebody's PIN, and with it their password, at that kiosk."""
        number = self._pins[name]
        self._pins[name] += 1
        insertion = self.world.readers.insert(self.world.holders[name].made.card)
        visit = self.world.visit(insertion, at)
        visit.recognise()
        form = visit.begin(Kind.CHANGE)
        typed = {
            FieldName.OLD_PIN: Secret(PINS[number % len(PINS)]),
            FieldName.NEW_PIN: Secret(PINS[(number + 1) % len(PINS)]),
        }
        result = visit.submit(form, Answers(typed, confirmed=True), lambda _: None)
        assert result.outcome is Outcome.DONE, result
        visit.close()
        self.world.readers.pull()

    def export(self, station: str | None = None) -> Path:
        """An auditor exports what there is into a new file."""
        file = self.folder / f"evidence-{len(list(self.folder.iterdir()))}.jsonl"
        to_file(office_at(self.desk), OwnFiles(), str(file), station=station)
        return file

    @property
    def desk(self) -> Desk:
        auditor = SignedIn(
            account="aaron@ad.test", roles=frozenset({OperatorRole.AUDITOR})
        )
        return Desk(
            parts=self.world.parts,
            operator=auditor,
            station="kiosk-1",
            second_for=frozenset(),
        )

    @property
    def key(self) -> str:
        """What verifies its checkpoints, noted down long ago."""
        return str(self.world.parts.vault.signer().key)

    @property
    def head(self) -> str:
        """The newest checkpoint in one line, as it stands in another machine's log."""
        return heads.short(heads.newest(self.store))

    def note(self) -> Path:
        """The newest checkpoint as it was mailed."""
        event = heads.newest(self.store)
        file = self.folder / f"head-{event.seq}.txt"
        file.write_text(event.data["note"], "utf-8")
        return file


# --- the thief's hands ----------------------------------------------------------------


def events_of(file: Path) -> list[AuditEvent]:
    """Read the links of a file."""
    lines = file.read_bytes().splitlines()
    return [
        msgspec.json.decode(line, type=AuditEvent) for line in lines if b'"seq"' in line
    ]


def written(file: Path, events: Iterable[AuditEvent], keep_first: bool = False) -> Path:
    """Write links into another file, after the first line of the old one or not."""
    first = file.read_bytes().splitlines()[:1] if keep_first else []
    lines = [*first, *(canonical.encode(event) for event in events)]
    forged = file.with_name(f"forged-{len(list(file.parent.iterdir()))}.jsonl")
    forged.write_bytes(b"".join(line + b"\n" for line in lines))
    return forged


def without(
    events: Iterable[AuditEvent], gone: Callable[[AuditEvent], bool]
) -> list[AuditEvent]:
    """Leave out what shall be gone."""
    return [event for event in events if not gone(event)]


def chained_again(
    events: Iterable[AuditEvent], change: Callable[[AuditEvent], AuditEvent]
) -> list[AuditEvent]:
    """Change events and make every chain whole again, as whoever has the code can."""
    ends: dict[str, audit.Head] = {}
    again: list[AuditEvent] = []
    for event in events:
        fields = msgspec.structs.asdict(change(event))
        draft = {name: fields[name] for name in AuditDraft.__struct_fields__}
        head = ends.get(event.station, audit.Head(0, audit.GENESIS))
        made = audit.link(AuditDraft(**draft), seq=head.seq + 1, previous=head.hash)
        ends[event.station] = audit.Head(made.seq, made.hash)
        again.append(made)
    return again
