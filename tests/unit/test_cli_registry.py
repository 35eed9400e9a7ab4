"""`kiosk registry`: what somebody types who wonders whether the files are whole."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from lab.desk.typed_commands import Terminal, _terminal  # noqa: F401 - a fixture
from lab.registries import draft

from kiosk import bootstrap
from kiosk.core.clock import SystemClock
from kiosk.core.exit_codes import ExitCode
from storage import checkpoints, tinydb_evidence
from storage.groups import MAGIC, START, read
from storage.segments import folder_of

pytestmark = pytest.mark.slow


@pytest.fixture
def lived(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A station with more evidence than lives in the journal."""
    monkeypatch.setattr(tinydb_evidence, "LIVING", 5)
    monkeypatch.setattr(tinydb_evidence, "BATCH", 4)
    registry = bootstrap.embedded_registry(terminal.config)
    for number in range(20):
        registry.run(lambda tx, at=float(number): tx.audit(draft(at)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    registry.close()
    return terminal


def test_it_is_compacted_looked_at_and_whole(lived: Terminal) -> None:
    code, out, err = lived.type("registry", "compact")
    assert code == 0, err
    code, out, err = lived.type("registry", "info")
    assert code == 0, err
    assert "segments" in out
    code, out, err = lived.type("registry", "check")
    assert code == 0, err
    assert "whole" in out


def test_no_more_lives_than_there_is(terminal: Terminal) -> None:
    """What lives is reckoned; a new registry's few lines would come to more."""
    _, out, _ = terminal.type("registry", "info")
    size, living = re.search(r"size +([\d,]+) bytes, about ([\d,]+) of", out).groups()  # type: ignore[union-attr]  # it fails there, too
    assert int(living.replace(",", "")) <= int(size.replace(",", ""))


def test_every_damaged_segment_is_named(lived: Terminal) -> None:
    lived.type("registry", "compact")
    path = lived.config.registry.path
    first, second = sorted(folder_of(path).glob("*.segment"))[:2]
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1])
    code, _, err = lived.type("registry", "check")
    assert code == 1
    assert str(first) in err
    assert str(second) in err


def test_old_evidence_is_moved_away_and_verified_where_it_is(
    lived: Terminal, tmp_path: Path
) -> None:
    lived.type("registry", "compact")
    away = tmp_path / "disk" / "archive"
    there = ("--to", str(away))
    code, out, err = lived.type("audit", "archive", "--before", "2020-01-01", *there)
    assert code == 0, err
    assert "events to" in out
    assert list(away.glob("*.segment"))
    code, out, err = lived.type("registry", "info")
    assert "moved away" in out
    code, out, err = lived.type("audit", "verify")
    assert code == 0, err
    assert "were moved away" in out
    code, out, err = lived.type("audit", "verify", "--archive", str(away))
    assert code == 0, err
    assert "moved away" not in out
    code, out, err = lived.type("audit", "archive", "--before", "2020-01-01", *there)
    assert code == 0, err
    assert "nothing to move" in out


def test_what_was_moved_away_is_exported_with_its_folder_or_not_at_all(
    lived: Terminal, tmp_path: Path
) -> None:
    lived.type("registry", "compact")
    away, file = tmp_path / "archive", tmp_path / "all.jsonl"
    lived.type("audit", "archive", "--before", "2020-01-01", "--to", str(away))
    lived.sign_in("auditor")
    code, _, err = lived.type("audit", "export", "-o", str(file))
    assert code == 1
    assert "--archive" in err
    assert not file.exists()
    named = ("--archive", str(away))
    code, _, err = lived.type("audit", "export", "-o", str(file), *named)
    assert code == 0, err
    key = lived.type("audit", "key")[1].strip()
    code, _, err = lived.type_bare("audit", "verify", str(file), "--key", key)
    assert code == 0, err


@pytest.mark.parametrize("day", ["tomorrow", "2020-13-01", "9999-01-01", ""])
def test_a_day_that_is_none_or_to_come_moves_nothing(
    lived: Terminal, tmp_path: Path, day: str
) -> None:
    there = ("--to", str(tmp_path / "archive"))
    assert lived.type("audit", "archive", "--before", day, *there)[0] == 2
    assert not (tmp_path / "archive").exists()


def test_segments_are_put_back_from_a_backup_and_what_was_damaged_is_kept(
    lived: Terminal, tmp_path: Path
) -> None:
    lived.type("registry", "compact")
    made = tmp_path / "backups" / "monday"
    assert lived.type("backup", str(made))[0] == 0
    path = lived.config.registry.path
    first, second, third = sorted(folder_of(path).glob("*.segment"))[:3]
    sound = {each: each.read_bytes() for each in (first, second, third)}
    first.unlink()
    second.write_bytes(sound[second][:-1])
    third.write_bytes(sound[first])
    code, _, err = lived.type("registry", "repair")
    assert code == 1
    assert "Not mended: 3" in err
    assert second.read_bytes() == sound[second][:-1], (
        "nothing is touched without a copy"
    )
    for place in (made.parent, made):
        code, _, err = lived.type("registry", "repair", "--from", str(place))
        assert code == 0, err
    assert {each: each.read_bytes() for each in sound} == sound
    kept = second.with_name(second.name + ".damaged")
    assert kept.read_bytes() == sound[second][:-1]
    assert lived.type("registry", "check")[0] == 0


def test_a_copy_that_is_not_the_same_mends_nothing(
    lived: Terminal, tmp_path: Path
) -> None:
    lived.type("registry", "compact")
    made = tmp_path / "backup"
    assert lived.type("backup", str(made))[0] == 0
    file = min(folder_of(lived.config.registry.path).glob("*.segment"))
    copy = next(made.rglob(file.name))
    copy.write_bytes(copy.read_bytes()[:-1])
    file.unlink()
    code, _, err = lived.type("registry", "repair", "--from", str(made))
    assert code == 1
    assert str(file) in err
    assert not file.exists()


def test_how_old_the_last_checkpoint_is_is_said(lived: Terminal) -> None:
    assert lived.type("registry", "info")[1].splitlines()[-1] == (
        "checkpoint      none yet"
    )
    at = SystemClock().now() - 7260.0
    registry = bootstrap.embedded_registry(lived.config)
    signer = bootstrap.vault_of(lived.config).signer()
    registry.run(lambda tx: checkpoints.sign(tx, signer, at))
    registry.close()
    code, out, err = lived.type("registry", "info")
    assert code == 0, err
    assert re.search("^checkpoint +1, signed 2 h ago: 20..-", out, re.MULTILINE)


def test_a_checkpoint_that_cannot_be_read_is_said_to_be_one(lived: Terminal) -> None:
    """The rest of it can be looked at all the same."""
    registry = bootstrap.embedded_registry(lived.config)
    signer = bootstrap.vault_of(lived.config).signer()
    registry.run(lambda tx: checkpoints.sign(tx, signer, 0.0))
    for number in range(20):
        registry.run(lambda tx, at=float(number): tx.audit(draft(at)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    registry.close()
    lived.type("registry", "compact")
    for segment in folder_of(lived.config.registry.path).glob("*.segment"):
        segment.unlink()
    code, out, err = lived.type("registry", "info")
    assert code == 0, err
    assert "checkpoint      1, and the file that it is in cannot be read" in out


@pytest.mark.parametrize(
    ("typed", "expected"), [("check", ExitCode.FAILED), ("info", 0), ("compact", 0)]
)
def test_whoever_opens_it_says_that_a_torn_last_write_was_cut(
    terminal: Terminal, typed: str, expected: int
) -> None:
    """Codes are void from then on, and nothing that is typed later finds out why."""
    path = terminal.config.registry.path
    with path.open("ab") as stream:
        stream.write(b'{"put":"cred')
    code, out, err = terminal.type("registry", typed)
    (kept,) = path.parent.glob("*.torn-*")
    assert code == expected
    assert f"it is kept in {kept}." in err
    assert "are void" in err
    assert "is whole" not in out
    code, out, err = terminal.type("registry", "check")
    assert (code, err) == (0, "")
    assert "is whole" in out


def test_a_torn_last_write_is_cut_kept_and_said(lived: Terminal) -> None:
    path = lived.config.registry.path
    with path.open("ab") as stream:
        stream.write(b"G 99 torn")
    code, out, err = lived.type("registry", "repair")
    assert code == 0, err
    assert "torn last write" in out
    assert [each.read_bytes() for each in path.parent.glob("*.torn-*")] == [
        b"G 99 torn"
    ]


def test_a_damaged_middle_is_not_repaired_but_said_what_to_restore(
    lived: Terminal,
) -> None:
    path = lived.config.registry.path
    data = bytearray(path.read_bytes())
    data[data.index(b"G 2 ") + 60] ^= 1
    path.write_bytes(data)
    code, _, err = lived.type("registry", "repair")
    assert code == 1
    assert "Restore the last backup" in err
    assert path.read_bytes() == data


@pytest.mark.parametrize("way", ["registry.journal", "./registry.journal", "link"])
def test_a_registry_is_not_moved_to_where_it_is(
    terminal: Terminal, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would cost whoever holds a code that code."""
    monkeypatch.chdir(terminal.folder)
    path = terminal.config.registry.path
    Path("link").symlink_to(path)
    before = path.read_bytes()
    code, out, err = terminal.type(
        *("registry", "migrate", "--from", str(path), "--to", way)
    )
    assert (code, out) == (ExitCode.USAGE, "")
    assert err == f"{way} is where the registry is already. Nothing was moved.\n"
    assert path.read_bytes() == before


@pytest.mark.parametrize("account", ["a\nDROP TABLE evidence;--", "a" * 64])
def test_rights_are_for_an_account_that_can_be(
    terminal: Terminal, account: str
) -> None:
    code, out, err = terminal.type_bare("registry", "roles", account)
    assert (code, out) == (ExitCode.USAGE, "")
    assert "at most 63 bytes on one line" in err


LOOKING = [
    ("registry", "info"),
    ("registry", "check"),
    ("registry", "compact"),
    ("registry", "repair"),
    ("audit", "verify"),
    ("audit", "head"),
    ("audit", "archive", "--before", "2020-01-01", "--to", "away"),
    ("vault", "rotate"),
    ("credential", "list"),
    ("template", "export", "staff"),
    ("report", "risk"),
    ("doctor",),
    ("serve",),
]
"""What is typed of a registry that is there."""


@pytest.mark.parametrize("words", [*LOOKING, ("backup", "made")])
def test_looking_at_a_registry_that_is_not_there_makes_none(
    terminal: Terminal, words: tuple[str, ...]
) -> None:
    """A misspelt path is one of an empty registry, with which all is well."""
    wrong = terminal.folder / "elsewhere" / "registry.journal"
    terminal.sign_in("administrator")
    there = str(terminal.config.registry.path)
    terminal.file.write_text(terminal.file.read_text().replace(there, str(wrong)))
    before = sorted(terminal.folder.rglob("*"))
    key = terminal.config.vault.key_file.read_bytes()
    code, out, err = terminal.type(*words)
    assert code in (ExitCode.FAILED, ExitCode.USAGE), out
    assert f"There is no registry at {wrong}." in out + err
    assert sorted(terminal.folder.rglob("*")) == before
    assert terminal.config.vault.key_file.read_bytes() == key


def emptied(path: Path, left: int) -> None:
    """Leave so many bytes of a registry."""
    path.write_bytes(path.read_bytes()[:left])


def refused_as_empty(terminal: Terminal, *words: str) -> None:
    """Type something, and see that the registry is refused and nothing is written."""
    path = terminal.config.registry.path
    before = {
        each: each.read_bytes() if each.is_file() else b""
        for each in terminal.folder.rglob("*")
    }
    code, out, err = terminal.type(*words)
    assert code in (ExitCode.FAILED, ExitCode.USAGE), out
    assert f"The registry {path} is empty" in out + err
    for each, data in before.items():
        assert (each.read_bytes() if each.is_file() else b"") == data
    assert set(terminal.folder.rglob("*")) == before.keys()


@pytest.mark.parametrize(
    "words",
    [
        *LOOKING,
        ("backup", "made"),
        ("registry", "migrate", "--from", "{path}", "--to", "new.journal"),
    ],
)
def test_a_registry_that_was_emptied_is_not_begun_anew(
    terminal: Terminal, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begun anew, it would be whole, and know no card."""
    monkeypatch.chdir(terminal.folder)
    terminal.sign_in("administrator")
    emptied(terminal.config.registry.path, 0)
    path = terminal.config.registry.path
    refused_as_empty(terminal, *(each.format(path=path) for each in words))


@pytest.mark.parametrize("left", [1, 10, len(MAGIC), len(MAGIC) + 9, 100])
def test_a_registry_that_ends_in_its_first_group_is_empty(
    terminal: Terminal, left: int
) -> None:
    emptied(terminal.config.registry.path, left)
    refused_as_empty(terminal, "registry", "check")


def test_a_registry_is_there_from_its_first_group_on(terminal: Terminal) -> None:
    path = terminal.config.registry.path
    data = path.read_bytes()
    first = next(read(data[len(MAGIC) :], len(MAGIC), START, 0)).end
    emptied(path, first - 1)
    refused_as_empty(terminal, "registry", "info")
    path.write_bytes(data[:first])
    code, _, err = terminal.type("registry", "info")
    assert code == 0, err


@pytest.mark.parametrize("words", [("registry", "info"), ("backup", "made")])
def test_a_folder_where_the_registry_belongs_is_named_as_that(
    terminal: Terminal, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(terminal.folder)
    path = terminal.config.registry.path
    path.unlink()
    path.mkdir()
    code, _, err = terminal.type(*words)
    assert code == ExitCode.FAILED
    assert f"The registry cannot be kept at {path}: no file." in err


def test_a_registry_that_somebody_put_back_is_not_whole(terminal: Terminal) -> None:
    path = terminal.config.registry.path
    copy = path.read_bytes()
    registry = bootstrap.embedded_registry(terminal.config)
    registry.run(lambda tx: tx.audit(draft(1.0)))
    heads = registry.read(lambda view: view.heads())
    bootstrap.high_water_of(terminal.config).move(heads, 0)
    registry.close()
    assert terminal.type("registry", "check")[0] == 0
    path.write_bytes(copy)
    code, out, err = terminal.type("registry", "check")
    assert (code, out) == (ExitCode.FAILED, "")
    assert "older than this station has seen it: 1 events are missing" in err


def test_a_registry_that_somebody_works_with_is_not_moved(terminal: Terminal) -> None:
    """What they wrote afterwards would be where nobody looks any more."""
    own, target = terminal.config.registry.path, terminal.folder / "new.journal"
    bootstrap.embedded_registry(terminal.config).close()
    words = ("registry", "migrate", "--from", str(own), "--to", str(target))
    lock = own.with_name(f"{own.name}.lock").open("rb")
    with (
        lock,
        subprocess.Popen(
            ["cat"], stdin=subprocess.PIPE, pass_fds=(lock.fileno(),)
        ) as other,
    ):
        code, out, err = terminal.type(*words, "--dry-run")
        assert code == 0, err
        code, out, err = terminal.type(*words)
        assert code == ExitCode.USAGE
        assert f"{own}: {other.pid}." in err
        assert "Moved" not in out
        assert not target.exists()
        other.communicate(b"")
    code, out, err = terminal.type(*words)
    assert code == 0, err
    assert "Moved" in out
