"""Who may run the program as its own user has the roles of one file, and no others.

Operators get to the station's files by `sudo -u kiosk kiosk credential …`: whatever
they add to that line must not give them a role that the station does not.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from lab.desk.typed_commands import Terminal

from kiosk.authority.office import operators
from kiosk.config import location
from kiosk.core.exit_codes import ExitCode
from storage.checkpoints import LANE

pytestmark = pytest.mark.slow

AUDITORS = (("audit", "verify"), ("audit", "export"), ("report", "risk"))
COMMANDS = (
    ("credential", "list"),
    ("credential", "show", "c1"),
    ("credential", "suspend", "c1", "--reason", "x"),
    ("credential", "resume", "c1", "--reason", "x"),
    ("credential", "revoke", "c1", "--reason", "x"),
    ("credential", "retire", "c1", "--reason", "x"),
    ("credential", "release", "c1"),
    ("credential", "answer", "c1"),
    ("credential", "issue", "--account", "ann", "--template", "staff"),
    ("credential", "import", "--account", "ann", "--template", "staff"),
    ("template", "import"),
    *AUDITORS,
)


@pytest.fixture
def sudo(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Terminal:
    """The station, installed, and its operator at work through sudo."""
    monkeypatch.setattr(location, "SYSTEM", terminal.folder)
    terminal.card()
    _work_as_another(monkeypatch, tmp_path)
    terminal.sign_in("helpdesk")
    return terminal


def _work_as_another(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    session = folder / "loginuid"
    session.write_text(str(pwd.getpwnam("daemon").pw_uid), "ascii")
    monkeypatch.setattr(operators, "LOGIN_UID", session)
    monkeypatch.setattr(os, "getuid", lambda: 4242)


def _backup(station: Terminal) -> Path:
    """A copy of the configuration from when its operator was an administrator."""
    station.sign_in("administrator")
    copy = station.folder / "backups" / "kiosk.toml"
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes(station.file.read_bytes())
    copy.chmod(0o600)
    station.sign_in("auditor")
    return copy


def test_the_role_of_a_backup_is_nobodys(sudo: Terminal) -> None:
    old = _backup(sudo)
    words = ("credential", "suspend", "c1", "--reason", "x", "--config", str(old))
    before = sudo.evidence()
    code, out, err = sudo.type_bare(*words)
    assert (code, out) == (ExitCode.USAGE, "")
    assert str(sudo.file) in err
    assert sudo.evidence() == before, "and nothing happened"


def test_nor_through_the_environment(
    sudo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(location.VARIABLE, str(_backup(sudo)))
    for words in (("credential", "list"), ("credential", "list", "--config", "x")):
        assert sudo.type_bare(*words)[0] == ExitCode.USAGE


def test_nor_by_a_link_a_relative_name_or_a_home(
    sudo: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = _backup(sudo)
    link = tmp_path / "link.toml"
    link.symlink_to(old)
    monkeypatch.chdir(old.parent)
    for name in (str(link), "kiosk.toml", "./kiosk.toml"):
        assert sudo.type_bare("credential", "list", "--config", name)[0] == (
            ExitCode.USAGE
        )
    home = tmp_path / "home"
    (home / "pin-kiosk").mkdir(parents=True)
    (home / "pin-kiosk" / "kiosk.toml").write_bytes(old.read_bytes())
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    sudo.file.unlink()
    assert sudo.type_bare("credential", "list")[0] == ExitCode.USAGE


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_of_operators_looks_at_a_file_of_their_choice(
    sudo: Terminal, words: tuple[str, ...], tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # who opened it would wait for ever
    template = str(sudo.folder / "templates" / "staff.toml")
    if words == ("template", "import"):
        words = (*words, template)
    code, out, err = sudo.type_bare(*words, "--config", str(pipe))
    assert (code, out) == (ExitCode.USAGE, "")
    assert "not looked at" in err


def test_whether_a_file_may_be_read_is_not_told_either(
    sudo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    for may_read in (True, False):
        monkeypatch.setattr(os, "access", lambda *_, may=may_read: may)
        told.append(sudo.type_bare("credential", "list", "--config", "/etc/shadow"))
    assert told[0] == told[1]
    assert "not looked at" in told[0][2]


def test_the_installed_file_counts_named_or_not(sudo: Terminal) -> None:
    assert sudo.type_bare("credential", "list")[0] == ExitCode.OK
    assert sudo.type("credential", "list")[0] == ExitCode.OK
    code, _, _ = sudo.type_bare("credential", "suspend", "c1", "--reason", "x")
    assert code == ExitCode.OK
    assert sudo.evidence()[-1].actor == "bob@ad.test"


def test_a_role_that_was_taken_away_is_gone_at_once(sudo: Terminal) -> None:
    sudo.sign_in("auditor")
    code, _, err = sudo.type("credential", "suspend", "c1", "--reason", "x")
    assert code == ExitCode.FAILED
    assert "auditor" in err


def test_sudo_is_believed_where_the_kernel_knows_no_login(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "loginuid").write_text("4294967295", "ascii")
    monkeypatch.setattr(operators, "LOGIN_UID", tmp_path / "loginuid")
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    assert not operators.works_as_another()
    monkeypatch.setenv("SUDO_UID", "1000")
    assert operators.works_as_another()


def test_root_and_people_as_themselves_name_what_they_like(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert terminal.type("credential", "list")[0] == ExitCode.OK
    (tmp_path / "loginuid").write_text("1000", "ascii")
    monkeypatch.setattr(operators, "LOGIN_UID", tmp_path / "loginuid")
    for uid, login in ((0, 1000), (4242, 0), (1000, 1000)):
        (tmp_path / "loginuid").write_text(str(login), "ascii")
        monkeypatch.setattr(os, "getuid", lambda uid=uid: uid)
        assert not operators.works_as_another()


# --- evidence ----------------------------------------------------------------


@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_evidence_is_exported_by_auditors_and_each_export_is_evidence(
    terminal: Terminal, role: str, tmp_path: Path
) -> None:
    terminal.sign_in(role)
    file = tmp_path / "evidence.jsonl"
    before = os.umask(0)
    code, out, _ = terminal.type("audit", "export", "-o", str(file))
    os.umask(before)
    assert code == ExitCode.OK
    assert file.stat().st_mode & 0o777 == 0o600
    last = terminal.evidence()[-1]
    assert (last.kind, last.actor) == ("audit.exported", "bob@ad.test")
    assert last.data == {"file": "evidence.jsonl"}
    assert str(len(file.read_bytes().splitlines())) in out
    verified = terminal.type_bare("audit", "verify", str(file))[0]
    assert verified == ExitCode.UNANCHORED, "nobody has named a key"


def test_evidence_printed_is_noted_too(terminal: Terminal) -> None:
    terminal.sign_in("auditor")
    code, out, _ = terminal.type("audit", "export")
    assert code == ExitCode.OK
    assert (
        '"audit.exported"'
        in [each for each in out.splitlines() if LANE not in each][-1]
    )


@pytest.mark.parametrize("role", ["helpdesk", "enrollment officer"])
def test_others_take_no_evidence_away(
    terminal: Terminal, role: str, tmp_path: Path
) -> None:
    terminal.sign_in(role)
    terminal.type("credential", "list")  # the first look keeps the templates
    before = terminal.evidence()
    file = tmp_path / "evidence.jsonl"
    for words in (("audit", "export", "-o", str(file)), ("audit", "export")):
        code, out, _ = terminal.type(*words)
        assert (code, out) == (ExitCode.FAILED, "")
    assert not file.exists()
    assert terminal.evidence() == before


def test_an_export_writes_over_nothing(terminal: Terminal, tmp_path: Path) -> None:
    terminal.sign_in("auditor")
    file = tmp_path / "evidence.jsonl"
    file.write_text("mine", "ascii")
    code, _, err = terminal.type("audit", "export", "-o", str(file))
    assert code == ExitCode.FAILED
    assert str(file) in err
    assert file.read_text("ascii") == "mine"
    assert terminal.config.registry.path.exists()
    assert terminal.type("audit", "verify")[0] == ExitCode.OK
