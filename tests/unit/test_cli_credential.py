"""The operators' commands, typed: what they print, and what they end with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path

import pytest
from lab.desk.typed_commands import Terminal
from lab.registries import credential as a_credential

from kiosk import bootstrap
from kiosk.authority.office.operators import login_name
from kiosk.cards.ports import ReaderEvent
from kiosk.cards.values import ServiceLost
from kiosk.cli import credential, credential_text
from kiosk.core.clock import SystemClock
from kiosk.core.exit_codes import ExitCode
from statemachine.lifecycle import State
from storage.records import Credential, Template
from storage.tinydb_registry import TinyDbRegistry

pytestmark = pytest.mark.slow


def test_a_list_has_a_line_for_each_credential(terminal: Terminal) -> None:
    terminal.card()
    code, out, _ = terminal.type("credential", "list")
    assert code == ExitCode.OK
    assert len(out.splitlines()) == 2
    assert "Ann Example  ann@ad.test  active  never synchronised  staff 1" in out


def test_a_list_for_programs_holds_nothing_sealed(terminal: Terminal) -> None:
    terminal.card()
    code, out, _ = terminal.type("credential", "list", "--json", "--state", "active")
    assert code == ExitCode.OK
    assert json.loads(out)[0]["puk_in_escrow"] is True
    assert "sealed" not in out


def test_a_list_of_nobody_is_one_for_programs_too(terminal: Terminal) -> None:
    assert json.loads(terminal.type("credential", "list", "--json")[1]) == []


def test_a_long_list_is_told_while_it_is_read() -> None:
    """Nobody waits for the last of a million, and no more than a page is held."""
    read: list[str] = []

    def credentials() -> Iterator[Credential]:
        for number in range(1000):
            read.append(f"c{number}")
            yield a_credential(f"c{number}", account="x" * (1 + number // 200))

    lines = credential_text.table(credentials())
    assert next(lines).split()[0] == "id"
    assert len(read) < 200
    assert len(list(lines)) == 1000
    pieces = credential_text.list_json(credentials())
    next(pieces)
    assert len(read) == 1001
    whole = "".join(credential_text.list_json(islice(credentials(), 3)))
    assert [each["id"] for each in json.loads(whole)] == ["c0", "c1", "c2"]


def test_a_page_says_why_each_action_is_refused(terminal: Terminal) -> None:
    terminal.card(state=State.SUSPENDED, suspended_from=State.ACTIVE)
    code, out, _ = terminal.type("credential", "show", "ann@ad.test")
    assert code == ExitCode.OK
    assert "suspended (was active)" in out
    assert "This card is suspended. The helpdesk can lift the suspension." in out


def test_hostile_names_cannot_reach_the_terminal(terminal: Terminal) -> None:
    terminal.card(holder="Ann\x1b]52;c;aGk=\x07\u202e", account="\x1b[2J@ad.test")
    for words in (("list",), ("show", "c1")):
        _, out, _ = terminal.type("credential", *words)
        assert "\x1b" not in out
        assert "\u202e" not in out


def test_a_card_is_suspended_and_resumed_with_a_reason(terminal: Terminal) -> None:
    terminal.card()
    code, out, _ = terminal.type("credential", "suspend", "c1", "--reason", "lost?")
    assert (code, "suspended" in out) == (ExitCode.OK, True)
    code, out, _ = terminal.type("credential", "resume", "c1", "--reason", "found")
    assert (code, "active" in out) == (ExitCode.OK, True)
    _, out, _ = terminal.type("credential", "show", "c1")
    assert "lifecycle.suspend" in out
    assert "reason=found" in out


def test_a_revoked_cards_password_must_be_reset_and_that_is_said(
    terminal: Terminal,
) -> None:
    terminal.card()
    _, out, _ = terminal.type("credential", "revoke", "c1", "--reason", "stolen")
    assert "The password of ann@ad.test is still the PIN of this card." in out


def test_a_refusal_is_a_sentence_and_a_failure(terminal: Terminal) -> None:
    terminal.card(state=State.REVOKED)
    code, _, err = terminal.type("credential", "suspend", "c1", "--reason", "x")
    assert code == ExitCode.FAILED
    assert "This card has been revoked." in err


def test_a_reason_must_be_given(terminal: Terminal) -> None:
    terminal.card()
    code, _, err = terminal.type("credential", "suspend", "c1")
    assert code == ExitCode.USAGE
    assert "--reason" in err


def test_a_release_code_is_shown_once_in_three_groups(terminal: Terminal) -> None:
    terminal.card(state=State.BLOCKED)
    code, out, _ = terminal.type("credential", "release", "c1")
    assert code == ExitCode.OK
    groups = next(line.split() for line in out.splitlines() if line.startswith("    "))
    assert [len(group) for group in groups] == [3, 3, 3]
    _, page, _ = terminal.type("credential", "show", "c1")
    assert "A release code is open until" in page
    assert "".join(groups) not in terminal.config.registry.path.read_text("latin-1")


def test_who_is_no_operator_is_told_so(terminal: Terminal) -> None:
    terminal.file.write_text(
        terminal.file.read_text("utf-8").replace(
            f'login = "{login_name()}"', 'login = "somebody-else"'
        ),
        "utf-8",
    )
    code, _, err = terminal.type("credential", "list")
    assert code == ExitCode.FAILED
    assert "is not an operator" in err


def test_a_role_without_the_action_is_told_so(terminal: Terminal) -> None:
    terminal.card()
    terminal.sign_in("auditor")
    code, _, err = terminal.type("credential", "revoke", "c1", "--reason", "x")
    assert code == ExitCode.FAILED
    assert "Your role (auditor) does not include this: revoke." in err


def in_force(terminal: Terminal) -> Template:
    registry = bootstrap.registry_of(terminal.config, SystemClock())
    try:
        return registry.run(lambda tx: tx.template("staff"))
    finally:
        registry.close()


def test_a_changed_file_is_in_force_once_it_is_published(terminal: Terminal) -> None:
    file = terminal.config.templates.folder / "staff.toml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("self_service = true", "self_service = false"))
    terminal.type("credential", "list")
    assert in_force(terminal).version == 1, "no other command publishes"
    terminal.sign_in("administrator")
    code, out, _ = terminal.type("template", "publish")
    assert (code, out) == (0, "staff is saved as version 2.\n")
    newest = in_force(terminal)
    assert (newest.version, newest.self_service) == (2, False)


def test_comparing_a_template_makes_no_station_wait(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = terminal.config.templates.folder / "staff.toml"
    monkeypatch.delattr(TinyDbRegistry, "run")
    code, out, err = terminal.type("template", "diff", str(file))
    assert (code, err) == (0, "")
    assert out.startswith("Fields that differ from the version before: 0.")


def test_what_was_imported_stays_whatever_the_folder_says(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.sign_in("administrator")
    other = tmp_path / "other.toml"
    text = (terminal.config.templates.folder / "staff.toml").read_text("utf-8")
    other.write_text(text.replace("self_service = true", "self_service = false"))
    terminal.type("template", "import", str(other))
    terminal.type("credential", "list")
    newest = in_force(terminal)
    assert (newest.version, newest.self_service) == (2, False)


def test_an_import_names_both_card_and_certificate_or_neither(
    terminal: Terminal,
) -> None:
    words = ("credential", "import", "--account", "ann", "--template", "staff")
    code, _, err = terminal.type(*words, "--card", "piv:guid:00")
    assert code == ExitCode.USAGE
    assert "--card and --certificate belong together" in err


@pytest.mark.parametrize(
    "words",
    [
        ("credential", "issue", "--account", "ann", "--template", "staff"),
        ("credential", "import", "--account", "ann", "--template", "staff"),
    ],
)
def test_nobody_is_asked_for_a_card_for_what_they_may_not_do(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(credential, "source_of", lambda config: None)
    code, out, err = terminal.type(*words)
    assert (code, out) == (ExitCode.FAILED, "")
    assert "helpdesk" in err


def test_a_card_that_is_refused_is_not_said_to_be_personalised(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.sign_in("enrollment officer")
    monkeypatch.setattr(credential, "source_of", lambda config: None)
    monkeypatch.setattr(credential, "one_card", lambda *_, **__: nullcontext(None))
    words = ("credential", "issue", "--account", "bob", "--template", "staff")
    code, out, err = terminal.type(*words)
    assert code == ExitCode.FAILED
    assert "their own card" in err
    assert "personalised" not in out


class NoService:
    """A monitor whose card service does not run, or lets nobody in."""

    def __init__(self, *, is_denied: bool) -> None:
        self._is_denied = is_denied

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        emit(ServiceLost("no such file", is_denied=self._is_denied))

    def stop(self) -> None:
        pass


@pytest.mark.parametrize(
    ("is_denied", "advice"), [(False, "systemctl start"), (True, "polkit")]
)
def test_whoever_typed_is_told_what_to_do_about_the_card_service(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, is_denied: bool, advice: str
) -> None:
    """A holder at the kiosk is told to call the helpdesk: here it stands."""
    terminal.sign_in("enrollment officer")
    monitor = NoService(is_denied=is_denied)
    monkeypatch.setattr(credential, "source_of", lambda _: None)
    monkeypatch.setattr(credential, "monitor_of", lambda _: monitor)
    words = ("credential", "issue", "--account", "bob", "--template", "staff")
    code, _, err = terminal.type(*words)
    assert code == ExitCode.FAILED
    assert advice in err
    assert "no such file" in err
    assert "helpdesk" not in err
