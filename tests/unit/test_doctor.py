"""Every part has a line; what is wrong says what to do; one break ends no other."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec.structs import replace

from kiosk.authority.office.templates import commented, publish, read_folder
from kiosk.cards.ports import ReaderEvent
from kiosk.cards.values import ReadersChanged, ServiceLost
from kiosk.config.sections.station import StationRole
from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.directory.values import NameAttribute, PasswordPolicy
from kiosk.doctor import (
    Finding,
    Health,
    cards,
    directory,
    examine,
    host,
    is_sound,
    store,
)
from kiosk.simulation.cards.factory import make_card
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.domain.controller import SimulatedDc
from kiosk.simulation.domain_faults import (
    AttributeHidden,
    DcDown,
    ServiceAccountRefused,
    TlsWrong,
)
from kiosk.texts import sentence
from statemachine.lifecycle import State
from storage.memory_registry import MemoryRegistry
from storage.records import AuditDraft, AuditEvent, Credential, Template
from storage.registry import Tx
from storage.vault import KeyRing, Vault, add_key

DC = "dc1.ad.test"
T = TypeVar("T")


def healths(findings: Iterator[Finding] | tuple[Finding, ...]) -> dict[str, Health]:
    """Return part → health; every finding must have its words."""
    found = {}
    for finding in findings:
        assert sentence(finding.meaning)
        assert finding.advice is None or sentence(finding.advice)
        if finding.health is Health.FAIL and finding.meaning.key.startswith("doctor."):
            assert finding.advice is not None, finding
        found[finding.part] = finding.health
    return found


@pytest.fixture
def domain() -> SimulatedDirectory:
    return SimulatedDirectory(ManualClock(), SeededEntropy(1))


def credential(**fields: object) -> Credential:
    plain = Credential(
        id="c1",
        card="piv:guid:00",
        holder="Ann",
        account="ann@ad.test",
        account_guid="00000000-0000-0000-0000-000000000000",
        template="staff",
        template_version=1,
        state=State.ACTIVE,
    )
    return replace(plain, **fields)


def _audit(tx: Tx, *, at: float) -> None:
    tx.audit(AuditDraft(at=at, station="s", kind="x", actor="ann"))


# --- the frame ---------------------------------------------------------------


def test_a_check_that_breaks_is_a_line_and_the_others_are_still_made() -> None:
    def breaks() -> Iterator[Finding]:
        raise ZeroDivisionError("secret 123456")

    findings = examine(
        [("odd", breaks), ("trust", lambda: host.trust(StationRole.HELPDESK))]
    )
    assert healths(findings) == {"odd": Health.FAIL, "trust": Health.OK}
    assert "ZeroDivisionError" in sentence(findings[0].meaning)
    assert "123456" not in repr(findings)


def test_an_error_with_words_is_told_in_its_own_words(tmp_path: Path) -> None:
    missing = tmp_path / "none.key"
    (finding,) = examine([("vault key", lambda: store.vault_key(missing))])
    assert finding.health is Health.FAIL
    assert finding.meaning.key == "vault.key_file_missing"


def test_a_warning_is_no_failure() -> None:
    assert is_sound(tuple(host.trust(StationRole.SELF_SERVICE)))
    assert not is_sound(examine([("x", lambda: store.vault_key(Path("/none")))]))


# --- cards -------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events of simulated readers are there at once; nothing is worth waiting for."""
    monkeypatch.setattr(cards, "SERVICE_SECONDS", 0.0)
    monkeypatch.setattr(cards, "CARD_SECONDS", 0.0)


@pytest.mark.usefixtures("impatient")
class TestCards:
    def test_a_card_in_a_reader_is_recognised_and_keeps_its_tries(self) -> None:
        made = make_card(
            SeededEntropy(2), subject="Ann", pin=b"123456", puk=b"12345678"
        )
        readers = SimulatedReaders()
        readers.insert(made.card)
        findings = tuple(cards.readers(readers))
        assert healths(findings) == {
            "card service": Health.OK,
            "reader": Health.OK,
            "card": Health.OK,
        }
        assert made.identity.key in sentence(findings[2].meaning, limit=200)
        assert findings[2].meaning.data["tries"] == made.card.options.pin_tries

    def test_without_a_card_the_card_is_unknown_not_wrong(self) -> None:
        assert healths(cards.readers(SimulatedReaders()))["card"] is Health.UNKNOWN

    def test_without_a_reader_there_is_no_card_to_look_at(self) -> None:
        readers = SimulatedReaders()
        readers.unplug()
        assert healths(cards.readers(readers)) == {
            "card service": Health.OK,
            "reader": Health.FAIL,
            "card": Health.UNKNOWN,
        }

    def test_without_the_service_nothing_else_is_looked_at(self) -> None:
        readers = SimulatedReaders()
        readers.stop_service()
        assert healths(cards.readers(readers)) == {
            "card service": Health.FAIL,
            "reader": Health.UNKNOWN,
            "card": Health.UNKNOWN,
        }

    def test_a_service_that_refuses_this_user_needs_no_start_but_a_rule(self) -> None:
        class Denied:
            def start(self, emit: Callable[[ReaderEvent], None]) -> None:
                emit(ServiceLost("x", is_denied=True))

            def stop(self) -> None: ...

        first = next(iter(cards.readers(Denied())))
        assert first.health is Health.FAIL
        assert "service_denied" in first.meaning.key

    def test_a_reader_that_is_left_out_is_named_and_the_others_are_used(self) -> None:
        class Beside:
            def start(self, emit: Callable[[ReaderEvent], None]) -> None:
                emit(ReadersChanged(("good",), ("b\udce4d",)))

            def stop(self) -> None: ...

        _, left_out, found, _ = cards.readers(Beside())
        assert (left_out.health, found.health) == (Health.WARN, Health.OK)
        assert left_out.meaning.data["reader"] == "b\ufffdd"

    def test_a_monitor_that_says_nothing_is_a_failure(self) -> None:
        class Silent:
            def start(self, emit: Callable[[ReaderEvent], None]) -> None: ...

            def stop(self) -> None: ...

        assert healths(cards.readers(Silent()))["card service"] is Health.FAIL

    def test_the_monitor_is_stopped_whatever_was_found(self) -> None:
        class Counting:
            stopped = 0

            def start(self, emit: Callable[[ReaderEvent], None]) -> None:
                emit(ServiceLost("x"))

            def stop(self) -> None:
                self.stopped += 1

        monitor = Counting()
        tuple(cards.readers(monitor))
        assert monitor.stopped == 1


# --- directory ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, (Health.OK, Health.OK, Health.OK)),
        (DcDown(), (Health.FAIL, Health.UNKNOWN, Health.UNKNOWN)),
        (TlsWrong(), (Health.OK, Health.FAIL, Health.UNKNOWN)),
        (ServiceAccountRefused(), (Health.OK, Health.OK, Health.FAIL)),
    ],
)
def test_a_domain_controller_is_judged_layer_by_layer(
    domain: SimulatedDirectory,
    fault: DcDown | TlsWrong | ServiceAccountRefused | None,
    expected: tuple[Health, ...],
) -> None:
    if fault is not None:
        domain.fail(fault)
    found = healths(directory.controller(domain, DC, ManualClock()))
    found.pop(f"clock {DC}", None)
    assert found == dict(
        zip((f"directory {DC}", f"tls {DC}", f"sign-in {DC}"), expected, strict=True)
    )


@pytest.mark.parametrize(
    ("ahead", "health"), [(0, Health.OK), (61, Health.FAIL), (-61, Health.FAIL)]
)
def test_a_clock_that_differs_from_the_domains_is_a_failure(
    domain: SimulatedDirectory, ahead: float, health: Health
) -> None:
    clock = ManualClock(start=ManualClock().now() + ahead)
    found = healths(directory.controller(domain, DC, clock))
    assert found[f"clock {DC}"] is health


def test_an_account_shows_its_policy_and_which_templates_can_work(
    domain: SimulatedDirectory,
) -> None:
    domain.add_account("ann")
    found = healths(directory.account(domain, "ann", [Template(name="staff")]))
    assert found == {
        "account ann": Health.OK,
        "rights ann": Health.OK,
        "policy ann": Health.OK,
        "template staff": Health.OK,
    }


def test_what_certificates_are_mapped_by_is_looked_for_and_told_from_hidden(
    domain: SimulatedDirectory,
) -> None:
    guid, rule = domain.add_account("ann"), NameAttribute.IDENTITIES

    def health() -> Health:
        return healths(directory.account(domain, "ann", [], rule))["certificates ann"]

    assert health() is Health.WARN
    domain.set_names(guid, rule, "X509:<SKI>0123456789abcdef")
    assert health() is Health.OK
    domain.fail(AttributeHidden(attribute=rule))
    assert health() is Health.FAIL


def test_an_account_outside_what_was_delegated_is_a_failure(
    domain: SimulatedDirectory,
) -> None:
    domain.add_account("ann", delegated=False)
    found = healths(directory.account(domain, "ann", []))
    assert found["rights ann"] is Health.FAIL


def test_more_rights_than_needed_are_a_warning_that_names_some(
    domain: SimulatedDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    too_many = directory.NEEDED | {"member", "userAccountControl"}
    monkeypatch.setattr(SimulatedDc, "writable", lambda self, account: too_many)
    domain.add_account("ann")
    findings = tuple(directory.account(domain, "ann", []))
    assert healths(findings)["rights ann"] is Health.WARN
    assert findings[1].meaning.data["attributes"] == "member, userAccountControl"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"complexity": True}, "doctor.impossible_complexity"),
        ({"minimum_length": 12}, "doctor.impossible_length"),
    ],
)
def test_a_policy_that_no_pin_can_satisfy_is_named_with_what_would_help(
    domain: SimulatedDirectory, changes: dict[str, int], key: str
) -> None:
    values = {
        "source": "domain",
        "minimum_length": 6,
        "complexity": False,
        "history": 0,
        "minimum_age": 0.0,
        "maximum_age": None,
        "lockout_threshold": 0,
        **changes,
    }
    domain.add_account("ann", policy=PasswordPolicy(**values))  # type: ignore[arg-type]  # fields by name
    findings = tuple(directory.account(domain, "ann", [Template(name="staff")]))
    assert healths(findings)["template staff"] is Health.FAIL
    assert findings[-1].meaning.key == key


def test_a_privileged_account_is_a_warning(domain: SimulatedDirectory) -> None:
    domain.add_account("root", privileged=True)
    found = healths(directory.account(domain, "root", []))
    assert found["account root"] is Health.WARN


def test_an_account_that_is_not_there_is_told_in_words(
    domain: SimulatedDirectory,
) -> None:
    check = ("account", lambda: directory.account(domain, "nobody", []))
    (finding,) = examine([check])
    assert finding.meaning.key == "directory.account_missing"


# --- registry, evidence, vault -----------------------------------------------


def test_an_empty_registry_is_readable() -> None:
    assert healths(store.registry(MemoryRegistry())) == {"registry": Health.OK}


def test_templates_are_read_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    assert healths(store.templates(tmp_path)) == {"templates": Health.WARN}
    file = private(tmp_path, "staff.toml", commented(Template(name="staff")))
    assert healths(store.templates(tmp_path)) == {"templates": Health.OK}
    file.write_text("name = 3")
    (finding,) = examine([("templates", lambda: store.templates(tmp_path))])
    assert finding.meaning.key == "config.wrong_value"
    assert finding.meaning.data["file"] == str(file)


def test_files_that_say_something_else_than_what_is_in_force_are_named(
    tmp_path: Path,
) -> None:
    registry = MemoryRegistry()
    file = private(tmp_path, "staff.toml", commented(Template(name="staff")))
    (finding,) = store.published(registry, tmp_path)
    assert finding.health is Health.WARN
    assert finding.meaning.data == {"names": "staff"}
    publish(registry, read_folder(tmp_path), at=0.0, station="kiosk-1")
    assert list(store.published(registry, tmp_path)) == []
    file.write_text(commented(Template(name="staff", self_service=False)))
    assert len(list(store.published(registry, tmp_path))) == 1


def test_looking_at_what_is_in_force_makes_no_station_wait(tmp_path: Path) -> None:
    class Looked(MemoryRegistry):
        def run(self, fn: Callable[[Tx], T]) -> T:
            raise AssertionError("a transaction, for what is only looked at")

    private(tmp_path, "staff.toml", commented(Template(name="staff")))
    assert len(list(store.published(Looked(), tmp_path))) == 1


def test_what_was_cut_away_at_the_opening_is_a_warning() -> None:
    class Recovered(MemoryRegistry):
        def recovered(self) -> str:
            return "17 bytes at 4096"

    (finding,) = store.registry(Recovered())
    assert finding.health is Health.WARN
    assert "17 bytes at 4096" in sentence(finding.meaning)


def test_a_broken_chain_of_evidence_is_a_failure_that_names_the_place() -> None:
    class Altered(MemoryRegistry):
        def audit_events(self, *, lane: str | None = None) -> Iterator[AuditEvent]:
            for event in super().audit_events():
                yield replace(event, actor="mallory") if event.seq == 2 else event

    registry = Altered()
    for at in (1.0, 2.0, 3.0):
        registry.run(partial(_audit, at=at))
    (finding,) = store.evidence(registry, ManualClock())
    assert finding.health is Health.FAIL
    assert finding.meaning.data == {"station": "s", "seq": 2}


class Watch:
    """Somebody who is shown how far a check is."""

    def __init__(self) -> None:
        self.total, self.what, self.done = 0, "", 0

    @contextmanager
    def begun(self, total: int, what: str) -> Iterator[Callable[[int], None]]:
        self.total, self.what = total, what
        yield self.heard

    def heard(self, more: int) -> None:
        self.done += more


def test_whoever_waits_for_all_evidence_is_shown_how_far_it_is() -> None:
    registry, watch = MemoryRegistry(), Watch()
    for at in range(200):
        registry.run(partial(_audit, at=float(at)))
    list(store.evidence(registry, ManualClock(), watched=watch.begun))
    assert (watch.total, watch.what, watch.done) == (200, "events", 200)


def test_whoever_waits_for_all_envelopes_is_shown_how_far_it_is(tmp_path: Path) -> None:
    registry, watch = MemoryRegistry(), Watch()
    add_key(tmp_path / "vault.key")
    vault = Vault(KeyRing.from_file(tmp_path / "vault.key"), "r")
    for number in range(3):
        named = credential(id=f"c{number}", card=f"piv:guid:0{number}")
        registry.run(lambda tx, named=named: tx.save_credential(named))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    list(store.escrow(registry, vault, watch.begun))
    assert (watch.total, watch.what, watch.done) == (3, "credentials", 3)


def test_a_clock_before_the_last_event_is_a_failure() -> None:
    registry = MemoryRegistry()
    clock = ManualClock()
    registry.run(partial(_audit, at=clock.now() + 600))
    (finding,) = store.clock(registry, clock)
    assert finding.meaning.data == {"seconds": 600}
    clock.advance(601)
    assert healths(store.clock(registry, clock)) == {"clock": Health.OK}


def test_every_envelope_is_opened_and_a_lost_key_is_found(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    add_key(path)
    vault = Vault(KeyRing.from_file(path), "r")
    sealed = vault.seal(
        b"12345678", table="credentials", record="c1", field="transport_pin"
    )
    registry = MemoryRegistry()
    assert healths(store.escrow(registry, vault)) == {"escrow": Health.UNKNOWN}
    registry.run(lambda tx: tx.save_credential(credential(transport_pin_sealed=sealed)))
    assert healths(store.escrow(registry, vault)) == {"escrow": Health.OK}
    path.unlink()
    add_key(path)
    other = Vault(KeyRing.from_file(path), "r")
    (finding,) = examine([("escrow", lambda: store.escrow(registry, other))])
    assert finding.health is Health.FAIL
    assert finding.meaning.key == "vault.unknown_key"


# --- the machine -------------------------------------------------------------


def private(folder: Path, name: str, content: str = "x", mode: int = 0o600) -> Path:
    path = folder / name
    path.write_text(content)
    path.chmod(mode)
    return path


def test_a_secret_file_must_be_there_private_and_filled(tmp_path: Path) -> None:
    files = [
        private(tmp_path, "good"),
        private(tmp_path, "open", mode=0o640),
        private(tmp_path, "empty", content=""),
        tmp_path / "none",
    ]
    keys = [finding.meaning.key for finding in host.secret_files(files)]
    assert keys == [
        "doctor.file_private",
        "doctor.file_too_open",
        "doctor.file_empty",
        "doctor.file_missing",
    ]


def test_a_secret_file_of_another_user_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = private(tmp_path, "theirs")
    mine = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: mine + 1)
    (finding,) = host.secret_files([file])
    assert finding.meaning.key == "doctor.file_not_ours"


def test_a_folder_that_others_may_write_to_is_a_failure(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)
    assert healths(host.folders([tmp_path])) == {"folder": Health.FAIL}
    tmp_path.chmod(0o755)
    assert healths(host.folders([tmp_path, tmp_path])) == {"folder": Health.OK}


def test_a_folder_that_is_not_there_leaves_the_others_to_be_looked_at(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o770)
    missing, opened = host.folders([tmp_path / "none", tmp_path])
    assert (missing.health, opened.health) == (Health.FAIL, Health.FAIL)
    assert missing.meaning.data["file"] == str(tmp_path / "none")
    assert opened.meaning.data["folder"] == str(tmp_path)


def test_core_dumps_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (0, 0))
    assert healths(host.core_dumps()) == {"core dumps": Health.OK}
    monkeypatch.setattr(resource, "getrlimit", lambda which: (0, -1))
    assert healths(host.core_dumps()) == {"core dumps": Health.FAIL}


def test_swap_is_a_warning_that_names_the_device(tmp_path: Path) -> None:
    head = "Filename Type Size Used Priority\n"
    off = private(tmp_path, "off", head)
    on = private(tmp_path, "on", head + "/dev/sda2 partition 1 0 -2\n")
    assert healths(host.swap(off)) == {"swap": Health.OK}
    (finding,) = host.swap(on)
    assert finding.meaning.data == {"devices": "/dev/sda2"}
    assert healths(host.swap(tmp_path / "none")) == {"swap": Health.UNKNOWN}


def test_an_unattended_station_with_its_own_authority_is_warned_about() -> None:
    assert healths(host.trust(StationRole.SELF_SERVICE)) == {"trust": Health.WARN}
