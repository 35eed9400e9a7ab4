"""What takes long and is interrupted has done no harm, and is done by the next try.

Each command is stopped in each of its phases: where it first tells how far it is.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import (
    AbstractContextManager,
    redirect_stderr,
    redirect_stdout,
    suppress,
)
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from lab.desk.typed_commands import OPERATOR
from lab.machine.imported import Running, imported
from lab.machine.small_disk import mounted
from lab.not_run import needs
from lab.registries import credential, draft
from lab.servers import postgres
from msgspec.structs import replace
from psycopg.conninfo import conninfo_to_dict

from kiosk import bootstrap
from kiosk.authority.office.operators import login_name
from kiosk.cli import main
from kiosk.core.exit_codes import ExitCode
from kiosk.setup.new_station import Layout, create
from storage.tinydb_registry import TinyDbRegistry

pytestmark = [pytest.mark.long, pytest.mark.slow]

_HERE = Path(__file__).resolve().parents[2]
_PATHS = f"{_HERE}:{sysconfig.get_path('purelib')}"
SYSTEMS = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
"""The system's own: another user may have no way to the one that runs the tests."""
_MAY_ENTER = all(each.stat().st_mode & 0o001 for each in (_HERE, *_HERE.parents))
_IMPORTED = (
    *("kiosk.cli.audit", "kiosk.cli.backup", "kiosk.cli.registry", "kiosk.cli.report"),
    *("kiosk.cli.restore", "kiosk.cli.vault", "kiosk.bootstrap"),
    *("kiosk.desk.export", "kiosk.authority.proof.verification", "storage.mending"),
    *("kiosk.simulation.domain", "storage.postgres_registry"),
)
"""What the commands import, and nothing that a program here is made another by."""
_HEARS = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
"""A program that a hang-up and Ctrl+C end, wherever the tests run."""
_TYPED = f"""
{_HEARS}
import itertools, os, sys
from kiosk.authority.office import evidence_export
from kiosk.authority.proof import verification
from kiosk.cli import main, progress
from storage import evidence_file, journal, journal_copy
journal.WINDOW = journal_copy.WINDOW = 2048
for each in (evidence_export, verification, evidence_file):
    each._TOLD_OF = 1
phases = itertools.count(1)
woken, wakes = os.pipe()
os.set_blocking(wakes, False)
wanted, _, nth = sys.argv[1].rpartition(".")
made, told = progress.ProgressLine.__init__, progress.ProgressLine.__call__
def made_in_order(self, *given):
    made(self, *given)
    self.phase = self.times = 0
def told_and_waits(self, more=1):
    told(self, more)
    self.phase = self.phase or next(phases)
    self.times += 1
    if wanted in (str(self.phase), self._what) and self.times == int(nth):
        signal.set_wakeup_fd(wakes)  # what comes before it waits is not lost
        print("PHASE", self._what, file=sys.stderr, flush=True)
        os.read(woken, 1)
progress.ProgressLine.__init__ = made_in_order
progress.ProgressLine.__call__ = told_and_waits
sys.exit(main(sys.argv[2:]))
"""
_HUNG_UP = """
import os, signal, sys
from kiosk.cli import main, progress
told = progress.ProgressLine.__call__
def hung_up(self, more=1):
    os.kill(os.getpid(), signal.SIGHUP)
    told(self, more)
progress.ProgressLine.__call__ = hung_up
sys.exit(main(sys.argv[1:]))
"""
_LATER = """
from storage import migrations
migrations.FORWARD[migrations.RECORDS] = {"credentials": bytes}
migrations.RECORDS += 1
migrations.SINCE[migrations.RECORDS] = "7.5.0"
"""
"""A program of a later version, which changes every credential."""
_SIMULATED = """
from kiosk import bootstrap
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SeededEntropy
from kiosk.simulation.domain import SimulatedDirectory
domain = SimulatedDirectory(SystemClock(), SeededEntropy(1))
for place in (bootstrap, bootstrap.authority):
    place.directory_of = lambda *_: domain
"""
"""A program whose directory answers."""
ENDS = {signal.SIGINT: 130, signal.SIGTERM: -15, signal.SIGHUP: -1}
"""What may end a command, and how it is seen to end then (negative: by that signal)."""
LEFT_BEHIND = (".part", ".compact", ".new", ".tmp")


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    """A station with some credentials, and evidence of which some is sealed."""
    folder = tmp_path / "station"
    folder.mkdir()
    create(Layout.below(folder, folder), bootstrap.found_registry)
    registry = TinyDbRegistry(
        next(folder.rglob("registry.journal")), sealing={"living": 5, "batch": 4}
    )
    for number in range(30):
        known = replace(credential(), id=f"c{number}", card=f"card {number}")
        registry.run(lambda tx, it=known: tx.save_credential(it))  # type: ignore[misc]  # mypy cannot infer a lambda's default
        registry.run(lambda tx, at=float(number): tx.audit(draft(at)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    while registry.evidence.seal():
        pass
    registry.close()
    file = folder / "kiosk.toml"
    with file.open("a", encoding="utf-8") as stream:
        stream.write(OPERATOR.format(login=login_name(), role="auditor"))
    return file


def run(
    words: tuple[str, ...],
    phase: int | str = 0,
    python: Path | None = None,
    before: str = "",
    nth: int = 1,
    how: signal.Signals = signal.SIGINT,
) -> tuple[int, str]:
    """Type it, and Ctrl+C in that phase; return how it ended, and which that was.

    `phase`: its number, or what is counted in it. `python`: runs it, if not ours.
    `before`: what makes the program another one. `nth`: not when the phase first tells
    how far it is.
    """
    program, told, said = before + _TYPED, (f"{phase}.{nth}", *words), ""
    with begun(program, told, python) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                said += line
                if line.startswith("PHASE"):
                    os.kill(process.pid, how)
        except BaseException:
            # else whoever waits too long for it would wait for ever
            os.kill(process.pid, signal.SIGKILL)
            raise
    assert process.returncode is not None
    return process.returncode, said


def begun(
    program: str, words: tuple[str, ...], python: Path | None
) -> AbstractContextManager[subprocess.Popen[str] | Running]:
    """Let the program run with these words."""
    if python is None:
        return imported(*_IMPORTED).running(program, words)
    return subprocess.Popen(
        [python, "-Bc", program, *words],
        env={**os.environ, "PYTHONPATH": _PATHS},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def typed_here(*words: str) -> tuple[int, str]:
    """Type it where nobody interrupts; return how it ended, and its complaints."""
    said = StringIO()
    with redirect_stdout(StringIO()), redirect_stderr(said):
        code = main(words)
    return code, said.getvalue()


def whole(config: Path, *archive: str, code: int = ExitCode.UNANCHORED) -> None:
    """The station is what it was, and nothing lies about. `code`: of `audit verify`."""
    assert typed_here("registry", "check", "--config", str(config))[0] == 0
    ended, said = typed_here("audit", "verify", *archive, "--config", str(config))
    assert ended == code, said
    names = [each.name for each in config.parent.rglob("*")]
    assert not [name for name in names if name.endswith(LEFT_BEHIND)]


@pytest.mark.parametrize(
    ("typed", "phases"),
    [
        ("registry check", ["bytes of the registry", "segments"]),
        ("registry repair", ["bytes of the registry", "steps"]),
        ("registry compact", ["bytes of the registry", "steps"]),
        ("audit verify", ["bytes of the registry", "events"]),
        ("vault rotate", ["bytes of the registry", "credentials"]),
        ("backup {new}", ["bytes"]),
        (
            "registry migrate --from {journal} --to {new} --dry-run",
            ["bytes of the registry", "credentials read", "events"],
        ),
        (
            "registry migrate --from {journal} --to {new}",
            [
                "bytes of the registry",
                "credentials read",
                "records",
                "credentials compared",
            ],
        ),
    ],
)
def test_ctrl_c_in_any_phase_does_no_harm_and_the_next_try_ends_well(
    config: Path, tmp_path: Path, typed: str, phases: list[str]
) -> None:
    journal = next(config.parent.rglob("registry.journal"))
    told = typed.format(new=tmp_path / "new" / "place", journal=journal)
    words = (*told.split(), "--config", str(config))
    expected = ExitCode.UNANCHORED if typed == "audit verify" else 0
    seen: list[str] = []
    for phase in range(1, 9):
        code, said = run(words, phase)
        if "PHASE" not in said:
            break
        seen += re.findall("PHASE (.*)", said)
        assert code == 130, said
        whole(config)
    assert list(dict.fromkeys(seen)) == phases
    assert code == expected, "it was not interrupted, and has ended well"
    whole(config)


def test_ctrl_c_in_any_phase_of_a_move_to_a_database_and_back_loses_nothing(
    config: Path, tmp_path: Path
) -> None:
    database, back = postgres.server().database(), str(tmp_path / "back" / "journal")
    journal, own = next(config.parent.rglob("registry.journal")), str(config)
    for source, target in ((str(journal), database), (database, back)):
        words = ("registry", "migrate", "--from", source, "--to", target)
        for phase, nth in (
            ("credentials read", 1),
            ("records", 1),
            ("records", 37),
            ("credentials compared", 1),
            ("credentials compared", 37),
        ):
            code, said = run((*words, "--config", own), phase, nth=nth)
            assert re.findall("PHASE (.*)", said) == [phase]
            assert code == 130, said
        code, said = run((*words, "--config", own))
        assert code == 0, said
        whole(config)
    text = config.read_text("utf-8").replace(str(journal), back)
    config.write_text(text, "utf-8")
    code, said = run(("registry", "check", "--config", own))
    assert code == 0, said
    code, said = run(("audit", "verify", "--config", own))
    assert code == ExitCode.UNANCHORED, said


@pytest.mark.parametrize(
    ("typed", "phase", "moments"),
    [
        ("registry check", "records", (1, 20)),
        ("audit verify", "events", (1, 20)),
        ("vault rotate", "credentials", (1,)),
    ],
)
def test_ctrl_c_where_the_registry_is_a_database_leaves_it_whole(
    config: Path, typed: str, phase: str, moments: tuple[int, ...]
) -> None:
    database = postgres.server().database()
    journal = next(config.parent.rglob("registry.journal"))
    own = ("--config", str(config))
    moved = ("registry", "migrate", "--from", str(journal), "--to", database, *own)
    assert run(moved)[0] == 0
    text = config.read_text("utf-8")
    named = f'[registry]\npostgresql = "{database}"\n'
    config.write_text(text.replace("[registry]\n", named), "utf-8")
    for nth in moments:
        code, said = run((*typed.split(), *own), 1, nth=nth)
        assert re.findall("PHASE (.*)", said) == [phase]
        assert code == 130, said
        whole(config)
    code, said = run((*typed.split(), *own))
    assert code == (ExitCode.UNANCHORED if typed == "audit verify" else 0), said
    whole(config)
    name = conninfo_to_dict(database)["dbname"]
    asks = f"SELECT 1 FROM pg_stat_activity WHERE datname = '{name}'"
    until = time.monotonic() + 30  # the server's own process ends after ours
    while postgres.server().ask(asks) and time.monotonic() < until:
        time.sleep(0.02)
    assert postgres.server().ask(asks) == [], "somebody still works on it"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP], ids=lambda it: it.name)
@pytest.mark.parametrize(
    "typed",
    ["backup {new}", "audit export -o {new}", "registry compact", "vault rotate"],
)
def test_a_service_that_is_stopped_and_a_line_that_is_hung_up_do_no_harm(
    config: Path, tmp_path: Path, typed: str, how: signal.Signals
) -> None:
    words = (*typed.format(new=tmp_path / "new").split(), "--config", str(config))
    for phase in range(1, 9):
        code, said = run(words, phase, how=how)
        if "PHASE" not in said:
            break
        assert code == ENDS[how], said
        assert [it for it in tmp_path.iterdir() if it != config.parent] == []
    assert phase > 1
    assert code == 0, said
    names = [each.name for each in tmp_path.rglob("*")]
    assert not [name for name in names if name.endswith(LEFT_BEHIND)]


def test_what_was_begun_to_outlive_its_terminal_goes_on(
    config: Path, tmp_path: Path
) -> None:
    words = ["backup", str(tmp_path / "new"), "--config", str(config)]
    program = [sys.executable, "-c", _HUNG_UP, *words]
    surroundings = {**os.environ, "PYTHONPATH": _PATHS}
    hears = [sys.executable, "-c", _HEARS + _HUNG_UP, *words]
    ended = subprocess.run(hears, env=surroundings, check=False)
    assert ended.returncode == -signal.SIGHUP
    ended = subprocess.run(["nohup", *program], env=surroundings, check=False)
    assert ended.returncode == 0


@pytest.mark.parametrize("beside", [(), ("--station", "k1")], ids=["all", "one's"])
def test_ctrl_c_in_any_phase_of_an_export_leaves_no_file(
    config: Path, tmp_path: Path, beside: tuple[str, ...]
) -> None:
    file = tmp_path / "all.jsonl"
    own = ("--config", str(config))
    words = ("audit", "export", "-o", str(file), *beside, *own)
    seen: list[str] = []
    for phase, nth in ((1, 1), (2, 1), (2, 2), (2, 30)):
        code, said = run(words, phase, nth=nth)
        seen += re.findall("PHASE (.*)", said)
        assert code == 130, said
        assert not file.exists()
        whole(config, code=ExitCode.OK if phase > 1 else ExitCode.UNANCHORED)
    assert seen == ["bytes of the registry", *["events"] * 3]
    code, said = run(words)
    assert code == 0, said
    whole(config, code=ExitCode.OK)
    key = config.parent / "key"
    with key.open("wb") as stream:
        shown = [sys.executable, "-c", _TYPED, "0.1", "audit", "key", *own]
        subprocess.run(shown, stdout=stream, check=True)
    for phase in range(1, 9):
        code, said = run(("audit", "verify", str(file), "--key", str(key)), phase)
        if "PHASE" not in said:
            break
        assert "PHASE bytes" in said
        assert code == 130, said
    assert phase > 1
    assert code == 0, said


def test_ctrl_c_at_any_segment_of_a_move_loses_none_and_the_next_goes_on(
    config: Path, tmp_path: Path
) -> None:
    away, sealed = tmp_path / "away", config.parent.rglob("*.segment")
    names = sorted(each.name for each in sealed)
    assert len(names) > 3
    own = ("--config", str(config))
    words = ("audit", "archive", "--before", "2000-01-01", "--to", str(away), *own)
    for nth in range(1, 99):
        code, said = run(words, 2, nth=nth)
        if "PHASE" not in said:
            break
        assert "PHASE segments" in said
        assert code == 130, said
        there = ("--archive", str(away)) if away.exists() else ()
        whole(config, *there)
        left = sorted(path.name for path in away.rglob("*"))
        assert left == names[:nth], "each whole, none twice, nothing else"
    assert code == 0, said
    assert nth == len(names) + 1
    whole(config, "--archive", str(away), code=ExitCode.OK)
    assert sorted(path.name for path in away.iterdir()) == names
    assert not list(config.parent.rglob("*.segment"))


def test_ctrl_c_in_any_phase_of_the_risk_report_does_no_harm(config: Path) -> None:
    words = ("report", "risk", "--config", str(config))
    seen: list[str] = []
    for phase in range(1, 9):
        code, said = run(words, phase, before=_SIMULATED)
        if "PHASE" not in said:
            break
        seen += re.findall("PHASE (.*)", said)
        assert code == 130, said
        whole(config, code=ExitCode.OK if phase > 1 else ExitCode.UNANCHORED)
    assert seen == ["bytes of the registry", "accounts"]
    assert code == 0, said


def test_ctrl_c_while_records_are_brought_forward_leaves_the_older_registry(
    config: Path,
) -> None:
    words = ("registry", "info", "--config", str(config))
    code, said = run(words, phase=2, before=_LATER)
    assert re.findall("PHASE (.*)", said) == ["records brought forward"]
    assert code == 130, said
    whole(config)
    code, said = run(words, before=_LATER)
    assert code == 0, said
    code, said = run(words)
    assert code != 0
    assert "7.5.0" in said


@needs(
    os.geteuid() == 0 and SYSTEMS.exists() and _MAY_ENTER,
    f"another user reads here: run the tests as root, with {SYSTEMS}, in a checkout "
    "that everybody may enter",
)
@pytest.mark.parametrize("how", ENDS, ids=lambda it: it.name)
def test_whatever_ends_roots_restore_in_any_phase_leaves_nothing(
    tmp_path: Path, how: signal.Signals
) -> None:
    owner = pwd.getpwnam("nobody")
    with TemporaryDirectory(prefix="kiosk-") as place:
        Path(place).chmod(0o755)
        own = Path(place) / "pin-kiosk"
        own.mkdir(mode=0o700)
        create(Layout.below(own, own), bootstrap.found_registry)
        config = ("--config", str(own / "kiosk.toml"))
        backup, keys = tmp_path / "backup", tmp_path / "keys"
        made = run(("backup", str(backup), "--keys", str(keys), *config))
        assert made[0] == 0, made[1]
        for each in own.iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        os.chown(own, owner.pw_uid, owner.pw_gid)
        seen: list[str] = []
        for phase in range(1, 9):
            told = ("restore", str(backup), "--keys", str(keys), *config)
            code, said = run(told, phase, SYSTEMS, how=how)
            if "PHASE" not in said:
                break
            seen += re.findall("PHASE (.*)", said)
            assert code == ENDS[how], said
            assert list(Path(place).rglob("*")) == [own]
        assert seen[:3] == ["bytes", "bytes handed over", "bytes"]
        assert code == 0, said
        assert {each.stat().st_uid for each in own.rglob("*")} == {owner.pw_uid}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    with mounted(folder, "size=1m,mode=0700"):
        yield folder


def leave_room(disk: Path, size: int) -> None:
    """Have so many bytes left on it."""
    with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as stream:
        while stream.write(bytes(4096)):
            pass
    os.truncate(disk / "ballast", (disk / "ballast").stat().st_size - size)


@pytest.mark.parametrize(
    "typed",
    [
        "audit export -o {disk}/place",
        "backup {disk}/place",
        "restore {backup} --keys {keys} --config {disk}/place/kiosk.toml",
        "registry migrate --from {journal} --to {disk}/place",
    ],
)
def test_a_disk_that_fills_meanwhile_is_named_and_it_ends_well_when_there_is_room(
    config: Path, tmp_path: Path, small_disk: Path, typed: str
) -> None:
    journal = next(config.parent.rglob("registry.journal"))
    own: tuple[str, ...] = ("--config", str(config))
    backup, keys = tmp_path / "backup", tmp_path / "keys"
    assert run(("backup", str(backup), "--keys", str(keys), *own))[0] == 0
    if typed.startswith("restore"):
        text = (backup / "kiosk.toml").read_text("utf-8")
        moved = text.replace(str(config.parent), str(small_disk / "place"))
        config.rename(config.with_name("before"))
        (small_disk / "place").mkdir()
        written = small_disk / "place" / "kiosk.toml"
        written.write_text(moved, "utf-8")
        written.chmod(0o600)
        own = ()
    told = typed.format(disk=small_disk, backup=backup, keys=keys, journal=journal)
    before = sorted(small_disk.rglob("*"))
    for room in range(0, 1 << 18, 8192):
        leave_room(small_disk, room)
        code, said = run((*told.split(), *own))
        if code == 0:
            assert room > 8192, "it did not fit at first"
            break
        assert code == 1, said
        assert "Traceback" not in said
        assert "unexpected" not in said, said
        (small_disk / "ballast").unlink()
        if "migrate" not in typed:
            assert sorted(small_disk.rglob("*")) == before
    assert code == 0, said
