"""`kiosk audit` at a station of its own: what an auditor and a script type."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from lab.desk.typed_commands import Terminal, _terminal  # noqa: F401 - a fixture

from kiosk import bootstrap
from storage.audit import Chains
from storage.records import Escrow
from storage.signed_note import NoteKey, SignedNote

pytestmark = pytest.mark.slow

UNANCHORED = 3


def worked(terminal: Terminal) -> None:
    """Let an operator do something at this station."""
    terminal.card(escrow=Escrow())
    terminal.sign_in("helpdesk")
    assert terminal.type("credential", "suspend", "c1", "--reason", "x")[0] == 0
    terminal.sign_in("auditor")


def configured(terminal: Terminal, section: str, line: str) -> None:
    terminal.configure(section, line)
    terminal.sign_in("auditor")


def test_a_new_stations_evidence_is_unanchored(terminal: Terminal) -> None:
    code, out, _ = terminal.type("audit", "verify")
    assert code == UNANCHORED
    assert "There is no checkpoint" in out
    code, _, err = terminal.type("audit", "head")
    assert code == 1
    assert "no checkpoint in this registry yet" in err


def test_what_an_operator_did_is_covered_when_the_command_ends(
    terminal: Terminal,
) -> None:
    worked(terminal)
    code, out, err = terminal.type("audit", "verify")
    assert code == 0, err
    assert "under the key of this station's own vault" in out
    assert "that no checkpoint covers" not in out


def test_an_export_is_verified_where_there_is_only_the_file_and_the_key(
    terminal: Terminal, tmp_path: Path
) -> None:
    worked(terminal)
    file = tmp_path / "evidence.jsonl"
    assert terminal.type("audit", "export", "-o", str(file))[0] == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = terminal.type("audit", "key")[1].strip()
    head = terminal.type("audit", "head", "--short")[1].strip()
    for known in (("--key", key), ("--head", head)):
        code, out, err = terminal.type_bare("audit", "verify", str(file), *known)
        assert code == 0, err
        assert "SOUND and complete" in out
    assert terminal.type_bare("audit", "verify", str(file))[0] == UNANCHORED


def test_the_keys_of_before_and_after_a_rotation_are_one_file(
    terminal: Terminal, tmp_path: Path
) -> None:
    worked(terminal)
    assert terminal.type("vault", "rotate")[0] == 0
    file, keys = tmp_path / "evidence.jsonl", tmp_path / "keys"
    assert terminal.type("audit", "export", "-o", str(file))[0] == 0
    keys.write_text(terminal.type("audit", "key")[1])
    assert len(keys.read_text().splitlines()) == 2
    verified = terminal.type_bare("audit", "verify", str(file), "--key", str(keys))
    assert verified[0] == 0, verified
    keys.write_text(keys.read_text() + "no key\n")
    verified = terminal.type_bare("audit", "verify", str(file), "--key", str(keys))
    assert verified[0] == 2


def test_a_file_is_not_verified_with_an_archive(
    terminal: Terminal, tmp_path: Path
) -> None:
    worked(terminal)
    file = tmp_path / "evidence.jsonl"
    assert terminal.type("audit", "export", "-o", str(file))[0] == 0
    code, out, err = terminal.type_bare(
        "audit", "verify", str(file), "--archive", str(tmp_path)
    )
    assert (code, out) == (2, "")
    assert "--archive" in err


def test_the_newest_checkpoint_is_a_signed_note_that_other_tools_read(
    terminal: Terminal,
) -> None:
    worked(terminal)
    note = SignedNote.read(terminal.type("audit", "head")[1])
    key = NoteKey.read(terminal.type("audit", "key")[1])
    assert note.verified_by([key]) == key
    assert "BEGIN PUBLIC KEY" in terminal.type("audit", "key", "--pem")[1]


def test_after_a_rotation_earlier_checkpoints_still_count_and_both_keys_are_shown(
    terminal: Terminal, tmp_path: Path
) -> None:
    worked(terminal)
    old = terminal.type("audit", "key")[1].split()
    assert terminal.type("vault", "rotate")[0] == 0
    both = terminal.type("audit", "key")[1].split()
    assert both[:1] == old
    file = tmp_path / "evidence.jsonl"
    assert terminal.type("audit", "export", "-o", str(file))[0] == 0
    assert terminal.type("audit", "verify")[0] == 0
    one = ("--key", both[1])
    assert terminal.type_bare("audit", "verify", str(file), *one)[0] == 0
    stale = terminal.type_bare("audit", "verify", str(file), "--key", old[0])
    assert stale[0] == UNANCHORED, "what came after the rotation is under another key"


@pytest.mark.parametrize("option", ["--send", "--print"])
def test_a_checkpoint_is_handed_to_the_sites_command(
    terminal: Terminal, tmp_path: Path, option: str
) -> None:
    worked(terminal)
    code, _, err = terminal.type("audit", "head", option)
    assert code == 1
    assert "does not say where the checkpoint shall go" in err
    taken = tmp_path / "mailed"
    section = "evidence" if option == "--send" else "printing"
    command = f'["sh", "-c", "cat >{taken}"]'
    configured(terminal, section, f"command = {command}")
    assert terminal.type("audit", "head", option)[0] == 0
    assert taken.read_text("utf-8") == terminal.type("audit", "head")[1]
    assert terminal.type("audit", "verify", "--head", str(taken))[0] == 0


@pytest.mark.parametrize("unknown", ["--send", "--syslog"])
def test_a_checkpoint_goes_nowhere_before_every_place_is_known(
    terminal: Terminal, tmp_path: Path, unknown: str
) -> None:
    worked(terminal)
    printed = tmp_path / "printed"
    configured(terminal, "printing", f'command = ["sh", "-c", "cat >{printed}"]')
    assert terminal.type("audit", "head", "--print", unknown)[0] == 1
    assert not printed.exists()


def test_a_command_that_fails_is_said(terminal: Terminal) -> None:
    worked(terminal)
    configured(terminal, "evidence", 'command = ["false"]')
    code, _, err = terminal.type("audit", "head", "--send")
    assert code == 1
    assert "could not be sent to false: exit code 1" in err


@pytest.mark.parametrize(
    "words",
    [
        ("--key", "x+y+z"),
        ("--key", ""),
        ("--head", "7"),
        ("--head", ""),
        ("--head", f"0:{'0' * 64}"),
    ],
)
def test_what_is_no_key_and_no_checkpoint_is_refused(
    terminal: Terminal, words: tuple[str, str]
) -> None:
    assert terminal.type("audit", "verify", *words)[0] == 2


def test_a_registry_that_somebody_put_back_is_named_and_then_said_by_the_doctor(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked(terminal)
    path = terminal.config.registry.path
    copy = path.read_bytes()
    terminal.sign_in("helpdesk")
    assert terminal.type("credential", "resume", "c1", "--reason", "x")[0] == 0
    terminal.sign_in("auditor")
    path.write_bytes(copy)
    code, _, err = terminal.type("audit", "verify")
    assert code == 1
    assert "older than this station has seen it" in err
    assert "The registry is older" in terminal.type("doctor")[1]
    terminal.sign_in("helpdesk")
    assert terminal.type("credential", "resume", "c1", "--reason", "x")[0] == 0
    kinds = [event.kind for event in terminal.evidence()]
    assert kinds.count("registry.older") == 1
    told = terminal.type("doctor")[1]
    assert "an older registry was found in the place of this one" in told
    mark = bootstrap.high_water_of(terminal.config).read()
    assert mark.lost > 0
    terminal.sign_in("auditor")
    code, out, err = terminal.type("audit", "verify")  # they have gone on from it
    assert code == UNANCHORED
    assert "SOUND" not in out
    assert f"with {mark.lost} events less" in err
    with monkeypatch.context() as harmed:
        harmed.setattr(Chains, "follow", lambda _chains, _event: "altered")
        code, _, err = terminal.type("audit", "verify")
        assert code == 1
        assert f"with {mark.lost} events less" in err
        assert "was altered" in err
    known = terminal.type("audit", "head", "--short")[1].strip()
    code, out, err = terminal.type("audit", "verify", "--head", known)
    assert (code, err) == (0, "")
    assert "SOUND" in out


def test_the_mark_may_lie_on_another_disk(terminal: Terminal, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "seen"
    elsewhere.parent.mkdir()
    configured(terminal, "evidence", f'high_water_file = "{elsewhere}"')
    terminal.sign_in("helpdesk")
    terminal.card()
    assert terminal.type("credential", "suspend", "c1", "--reason", "x")[0] == 0
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600


def test_a_station_tells_its_syslog_of_every_checkpoint_it_signs(
    terminal: Terminal, tmp_path: Path
) -> None:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(str(tmp_path / "log"))
    listening.settimeout(5.0)
    configured(terminal, "evidence", f'syslog = "{tmp_path / "log"}"')
    worked(terminal)
    heard = listening.recv(1000).decode().rpartition(" ")[2]
    assert terminal.type("audit", "verify", "--head", heard)[0] == 0
    assert terminal.type("audit", "head", "--syslog")[0] == 0
    listening.close()


def test_a_pipe_is_not_taken_for_an_altered_export(
    terminal: Terminal, tmp_path: Path
) -> None:
    """`kiosk audit verify <(zcat export.gz)`: nothing is wrong with that export."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code, out, err = terminal.type_bare("audit", "verify", str(pipe))
    assert (code, out) == (2, "")
    assert f"{pipe} is read twice" in err


def test_no_file_that_is_named_to_verify_is_shown(terminal: Terminal) -> None:
    """docs/install.md lets operators type it as the user whom a station's keys are."""
    worked(terminal)
    config = terminal.config
    password = config.directory.password_file
    assert password is not None
    password.write_text("Geheim-7hQ2-passwort")
    for file in (config.vault.key_file, password):
        kept = file.read_text("utf-8").split()
        for words in ((), ("--key",), ("--head",)):
            code, out, err = terminal.type_bare("audit", "verify", *words, str(file))
            assert code == 2
            assert not [each for each in kept if each in out + err]
