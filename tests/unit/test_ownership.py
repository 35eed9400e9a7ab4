"""Root writes for the kiosk's user; who is somebody else is told just that."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from lab.machine.small_disk import mounted
from lab.not_run import needs
from lab.registries import draft

from kiosk.core.exit_codes import ExitCode
from kiosk.core.file_owner import owner_of
from storage.tinydb_registry import TinyDbRegistry

pytestmark = pytest.mark.slow

NOBODY = pwd.getpwnam("nobody")
ROOT = Path(__file__).parents[2]
PYTHON = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
"""The system's own: another user may have no way to the one that runs the tests."""
LIBRARIES = Path(sysconfig.get_path("purelib"))
_PROGRAM = """\
import sys
sys.path[:0] = sys.argv.pop(1).split(":")
from kiosk.cli import main
sys.exit(main())
"""

_MAY_ENTER = all(each.stat().st_mode & 0o001 for each in (ROOT, *ROOT.parents))

root_only = needs(
    os.geteuid() == 0 and PYTHON.exists() and _MAY_ENTER,
    f"another user types here: run the tests as root, with {PYTHON}, "
    "in a checkout that everybody may enter",
)


def typed(
    *words: str | Path,
    user: str = "root",
    program: Path = ROOT,
    libraries: Path = LIBRARIES,
) -> subprocess.CompletedProcess[str]:
    told = pwd.getpwnam(user)
    become = ["setpriv", f"--reuid={told.pw_uid}", f"--regid={told.pw_gid}"]
    paths = f"{program}:{libraries}"
    login = f'{{ echo {told.pw_uid} >/proc/self/loginuid; }} 2>/dev/null; exec "$@"'
    session = ["sh", "-c", login, "sh", *become]  # theirs, as if they had logged in
    return subprocess.run(
        [*session, "--clear-groups", PYTHON, "-IBc", _PROGRAM, paths, *words],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of another user, as root sees it.

    Not below pytest's own, which each run on this machine closes to others anew.
    """
    with TemporaryDirectory(prefix="kiosk-") as place:
        Path(place).chmod(0o755)
        own = Path(place) / "pin-kiosk"
        own.mkdir(mode=0o700)
        os.chown(own, NOBODY.pw_uid, NOBODY.pw_gid)
        yield own


def test_what_is_not_there_belongs_to_the_folder_that_is(tmp_path: Path) -> None:
    assert owner_of(tmp_path / "a" / "b") == os.geteuid()


@root_only
def test_what_root_writes_belongs_to_the_folders_user(folder: Path) -> None:
    done = typed("init", folder, "--issue-cards")
    assert done.returncode == 0, done.stderr
    assert f"sudo -u nobody kiosk doctor --config {folder}/kiosk.toml" in done.stdout
    written = list(folder.rglob("*"))
    assert len(written) > 6
    assert {path.stat().st_uid for path in written} == {NOBODY.pw_uid}


def seal(folder: Path) -> None:
    """Put evidence aside, as root."""
    registry = TinyDbRegistry(
        folder / "registry.journal", sealing={"living": 5, "batch": 4}
    )
    with closing(registry):
        for number in range(20):
            registry.run(lambda tx, at=float(number): tx.audit(draft(at)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
        while registry.evidence.seal():
            pass
        assert registry.read(lambda view: view.events(limit=99))


@needs(os.geteuid() == 0, "root puts evidence aside: run the tests as root")
def test_evidence_that_root_puts_aside_belongs_to_the_folders_user(
    folder: Path,
) -> None:
    seal(folder)
    written = list(folder.rglob("*"))
    assert "index.sqlite" in [path.name for path in written]
    assert {path.stat().st_uid for path in written} == {NOBODY.pw_uid}


@root_only
def test_what_root_restores_belongs_to_the_folders_user(
    folder: Path, tmp_path: Path
) -> None:
    assert typed("init", folder, "--issue-cards").returncode == 0
    config = folder / "kiosk.toml"
    backup, keys = folder / "backup", folder / "keys"
    made = typed("backup", backup, "--keys", keys, "--config", config, user="nobody")
    assert made.returncode == 0, made.stderr
    away = tmp_path / "away"
    away.mkdir(mode=0o700)
    for each in (backup, keys):
        each.rename(away / each.name)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    done = typed(
        *("restore", away / "backup", "--keys", away / "keys", "--config", config)
    )
    assert done.returncode == 0, done.stderr
    assert f"password into {folder}/directory.password" in done.stdout
    written = list(folder.rglob("*"))
    assert {path.stat().st_uid for path in written} == {NOBODY.pw_uid}
    assert not [path for path in written if "restore" in path.name]
    verified = typed("audit", "verify", "--config", config, user="nobody")
    assert verified.returncode == ExitCode.UNANCHORED, "no station has run yet"


@root_only
def test_a_disk_that_fills_as_root_hands_a_backup_over_is_named_with_the_reason(
    folder: Path,
) -> None:
    backup, disk = folder / "backup", folder.parent / "small"
    own = ("--config", folder / "kiosk.toml")
    assert typed("init", folder).returncode == 0
    assert typed("backup", backup, *own, user="nobody").returncode == 0
    disk.mkdir()
    with mounted(disk, "size=1m,mode=0755"):
        new = disk / "pin-kiosk"
        new.mkdir(mode=0o700)
        os.chown(new, NOBODY.pw_uid, NOBODY.pw_gid)
        with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as stream:
            while stream.write(bytes(4096)):
                pass
        done = typed("restore", backup, "--config", new / "kiosk.toml")
        assert list(new.iterdir()) == []
    assert done.returncode == ExitCode.FAILED
    reason = r"could not be written: No space left on device\."
    assert re.fullmatch(rf"{new}/\.restore-\w+/backup/\S+ {reason}\n", done.stderr)


def of_root(folder: Path) -> Path:
    """Make a station there whose configuration is root's, as a site's tools do."""
    assert typed("init", folder).returncode == 0
    config = folder / "kiosk.toml"
    os.chown(config, 0, 0)
    config.chmod(0o644)
    return config


@root_only
def test_what_root_makes_by_looking_keeps_nobody_out(folder: Path) -> None:
    """A station opens the lock to write, and its mark for each commit."""
    config, registry = of_root(folder), folder / "registry.journal"
    for made_anew in (".lock", ".turn.lock", ".seen"):
        registry.with_name(registry.name + made_anew).unlink(missing_ok=True)
    typed("audit", "head", "--config", config)
    made = {path for path in folder.rglob("*") if path != config}
    assert {path.stat().st_uid for path in made} == {NOBODY.pw_uid}
    again = typed("audit", "verify", "--config", config, user="nobody")
    assert again.returncode == ExitCode.UNANCHORED, again.stderr


@root_only
def test_root_gives_nobody_what_a_link_in_their_folder_names(folder: Path) -> None:
    """Else who may write in the folder could have any file of root's."""
    config = of_root(folder)
    secret = folder.parent / "roots"
    secret.touch(mode=0o600)
    lock = folder / "registry.journal.lock"
    lock.unlink()
    lock.symlink_to(secret)
    typed("audit", "head", "--config", config)
    typed("backup", folder.parent / "copy", "--config", config)
    assert secret.stat().st_uid == 0


@root_only
def test_a_backup_that_only_root_may_read_is_not_called_something_else(
    folder: Path, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    done = typed(
        *("restore", closed / "backup", "--config", folder / "kiosk.toml"),
        user="nobody",
    )
    assert done.returncode == 1
    assert "Permission denied. Restore as root" in done.stderr


@root_only
def test_copies_that_only_root_may_read_are_not_called_none(folder: Path) -> None:
    config = of_root(folder)
    seal(folder)
    evidence = folder / "registry.journal.evidence"
    lost = evidence / "00000002.segment"
    backups = folder.parent / "backups"
    shutil.copytree(evidence, backups / "monday" / evidence.name)
    lost.unlink()
    repair = ("registry", "repair", "--config", config)
    copied = backups / "monday" / evidence.name
    for each in (backups, copied.parent, copied):
        each.chmod(0o755)
    for closed in (copied / lost.name, copied, copied.parent, backups):
        closed.chmod(0o700)
        done = typed(*repair, "--from", backups)
        assert done.returncode == ExitCode.FAILED
        assert f"evidence in {closed}" in done.stderr
        assert "Permission denied" in done.stderr
        closed.chmod(0o755)
    (backups / "tuesday").mkdir(mode=0o700)
    done = typed(*repair, "--from", backups)
    assert done.returncode == 0, done.stderr
    assert lost.exists()


@root_only
@pytest.mark.parametrize("asks", ["root", "daemon"])
def test_doctor_as_another_user_says_just_that(folder: Path, asks: str) -> None:
    config = folder / "kiosk.toml"
    assert typed("init", folder).returncode == 0
    done = typed("doctor", "--config", config, user=asks)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"This station is the user nobody's, and you are {asks}: nothing was examined. "
        f"Type: sudo -u nobody kiosk doctor --config {config}\n"
    )


@root_only
def test_a_program_that_the_stations_user_may_not_read_is_said_before_anything_is_done(
    folder: Path,
) -> None:
    elsewhere = folder.parent / "checkout"
    shutil.copytree(
        ROOT, elsewhere, ignore=shutil.ignore_patterns(".*", "tests", "docs")
    )
    elsewhere.chmod(0o700)
    done = typed("init", folder, program=elsewhere)
    assert done.returncode == ExitCode.FAILED
    assert "nobody may not read the program in" in done.stderr
    assert list(folder.iterdir()) == []


@root_only
@pytest.mark.parametrize("asks", ["root", "daemon"])
@pytest.mark.parametrize("words", [("backup", "copy"), ("credential", "list")])
def test_whoever_types_as_another_user_is_told_as_whom_to_type(
    folder: Path, asks: str, words: tuple[str, ...]
) -> None:
    config = folder / "kiosk.toml"
    assert typed("init", folder).returncode == 0
    there = sorted(folder.rglob("*"))
    done = typed(*words, "--config", config, user=asks)
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr == (
        f"{config} is the user nobody's, and you are {asks}: nothing was done. "
        "Type the same as that user: sudo -u nobody kiosk …\n"
    )
    assert sorted(folder.rglob("*")) == there


@root_only
def test_a_strangers_file_among_ours_is_not_said_to_make_us_strangers(
    folder: Path,
) -> None:
    config = folder / "kiosk.toml"
    assert typed("init", folder).returncode == 0
    os.chown(config, pwd.getpwnam("daemon").pw_uid, -1)
    config.chmod(0o644)
    done = typed("credential", "list", "--config", config, user="nobody")
    assert "must belong to the user the kiosk runs as" in done.stderr


@root_only
def test_a_library_that_the_stations_user_may_not_read_is_said_before_it_is_missed(
    folder: Path,
) -> None:
    libraries = folder.parent / "libraries"
    libraries.mkdir(mode=0o700)
    for library in LIBRARIES.iterdir():
        (libraries / library.name).symlink_to(library)
    assert typed("init", folder).returncode == 0
    config = folder / "kiosk.toml"
    os.chown(folder, 0, 0)
    os.chown(config, 0, 0)
    done = typed("registry", "info", "--config", config, libraries=libraries)
    assert (done.returncode, done.stdout) == (ExitCode.FAILED, "")
    assert f"nobody may not read the program in {libraries}" in done.stderr
