"""Backup and restore: nothing is written over, nothing is believed unread."""

from __future__ import annotations

import dataclasses
import errno
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest
from lab.desk.typed_commands import Terminal, _terminal  # noqa: F401 - a fixture
from msgspec.structs import replace

from kiosk.bootstrap.places import places_in
from kiosk.config import load
from kiosk.core import private_files
from kiosk.core.exit_codes import ExitCode
from kiosk.setup import backup, backup_folder, nightly, restoring
from kiosk.setup.backup import Places
from kiosk.setup.backup_folder import Manifest
from kiosk.setup.new_station import Layout, create
from statemachine.lifecycle import State
from storage import archive, audit, segments
from storage.audit import Head
from storage.errors import EvidenceDamaged, StoreFull
from storage.fileops import FileOps
from storage.high_water import HighWaterMark, missing
from storage.journal_copy import Told
from storage.records import (
    Approval,
    ApprovalKind,
    AuditDraft,
    Credential,
    Escrow,
    Nonce,
    NoncePurpose,
    Template,
)
from storage.tinydb_registry import TinyDbRegistry
from storage.vault import KeyRing, Vault, add_key

ROOT = Path(__file__).parents[2]
NOW = 1_800_000_000.0


class House:
    """A station's files in one folder, with a card, an open code and a nonce."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "kiosk.toml").write_text("[station]\n")
        (folder / "desk.toml").write_text('[station]\nrole = "helpdesk"\n')
        (folder / "templates").mkdir()
        (folder / "templates" / "staff.toml").write_text('name = "staff"\n')
        self.places = Places(
            config=folder / "kiosk.toml",
            registry=folder / "registry.journal",
            registry_id="registry-1",
            vault_key=folder / "vault.key",
            templates=folder / "templates",
            issuer=folder / "issuer.pem",
            issuer_key=folder / "issuer.key",
            anchors={
                "directory.pem": folder / "ca.pem",
                "enrollment.pem": folder / "elsewhere" / "system.pem",
            },
            stations=folder / "stations",
            tickets=folder / "pending-certificates",
        )
        (folder / "stations").mkdir()
        (folder / "stations" / "lobby.toml").write_text('key = "lobby"\n')
        (folder / "ca.pem").write_text("the directory's authority")
        add_key(self.places.vault_key)
        (folder / "issuer.pem").write_text("a certificate")
        (folder / "issuer.key").write_text("the issuing authority's key")

    def fill(self) -> None:
        vault = Vault(KeyRing.from_file(self.places.vault_key), "registry-1")
        sealed = vault.seal(
            b"12345678", table="credentials", record="c1", field="escrow.current"
        )
        credential = Credential(
            id="c1",
            card="piv:guid:00",
            holder="Ann",
            account="ann@ad.test",
            account_guid="g",
            template="staff",
            template_version=1,
            state=State.ACTIVE,
            escrow=Escrow(current_sealed=sealed),
        )
        approval = Approval(
            id="a1",
            kind=ApprovalKind.RELEASE,
            credential="c1",
            salt=b"s",
            digest=b"d",
            issued_by="hanna",
            issued_at=NOW,
            expires_at=NOW + 600,
        )
        nonce = Nonce(
            value=bytes(32),
            purpose=NoncePurpose.PRESENCE,
            bound_to="c1",
            station="k1",
            expires_at=NOW + 600,
        )
        registry = TinyDbRegistry(self.places.registry)
        registry.run(lambda tx: tx.save_template(Template(name="staff")))
        registry.run(lambda tx: tx.save_credential(credential))
        registry.run(lambda tx: tx.save_approval(approval))
        registry.run(lambda tx: tx.issue_nonce(nonce))
        registry.run(
            lambda tx: tx.audit(
                AuditDraft(at=NOW, station="k1", kind="test", actor="ann")
            )
        )
        registry.close()

    def restore(self, made: Path, key: Path | None) -> Manifest:
        return restoring.restore(
            made, self.places, station="k1", now=NOW + 60, keys=key
        )


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path / "old")
    house.fill()
    return house


def back_up(house: House, tmp_path: Path) -> tuple[Path, Path]:
    made, keys = tmp_path / "backup", tmp_path / "elsewhere" / "keys"
    backup.back_up(house.places, made, now=NOW, keys=keys)
    return made, keys


def new_house(tmp_path: Path) -> House:
    fresh = House(tmp_path / "new")
    for key in fresh.places.keys.values():
        key.unlink()
    return fresh


def new_house_again(tmp_path: Path) -> House:
    fresh = House(tmp_path / "another")
    for key in fresh.places.keys.values():
        key.unlink()
    return fresh


def test_a_station_comes_back_whole(house: House, tmp_path: Path) -> None:
    made, key = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    assert fresh.restore(made, key).made_at == NOW
    registry = TinyDbRegistry(fresh.places.registry)
    credential = registry.run(lambda tx: tx.credential("c1"))
    vault = Vault(KeyRing.from_file(fresh.places.vault_key), "registry-1")
    plain = vault.open(
        credential.escrow.current_sealed,
        table="credentials",
        record="c1",
        field="escrow.current",
    )
    assert bytes(plain) == b"12345678"
    registry.close()


def test_sealed_evidence_is_in_the_backup_and_comes_back(
    house: House, tmp_path: Path
) -> None:
    registry = TinyDbRegistry(house.places.registry, sealing={"living": 2, "batch": 3})
    for number in range(11):
        draft = AuditDraft(at=float(number), station="k1", kind="x", actor="a")
        registry.run(lambda tx, draft=draft: tx.audit(draft))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    while registry.idle(0.0):
        pass
    before = list(registry.audit_events())
    sealed = [each.file for each in registry.evidence.segments()]
    assert len(sealed) >= 3
    registry.close()
    made, key = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    fresh.restore(made, key)
    registry = TinyDbRegistry(fresh.places.registry)
    after = list(registry.audit_events())
    assert after[: len(before)] == before
    assert audit.verify(after).is_sound
    registry.close()
    (made / "registry.journal.evidence" / sealed[1]).unlink()
    with pytest.raises(backup_folder.Damaged):
        new_house_again(tmp_path).restore(made, key)


def test_what_was_open_then_is_void_after_a_restore(
    house: House, tmp_path: Path
) -> None:
    made, key = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    fresh.restore(made, key)
    registry = TinyDbRegistry(fresh.places.registry)
    assert registry.run(lambda tx: tx.approval("a1")).spent
    assert not registry.run(
        lambda tx: tx.consume_nonce(
            bytes(32),
            purpose=NoncePurpose.PRESENCE,
            bound_to="c1",
            station="k1",
            now=NOW,
        )
    )
    (event,) = (e for e in registry.audit_events() if e.kind == "registry.restored")
    assert event.data == {"nonces": "1", "codes": "1"}
    registry.close()


def test_what_is_restored_on_purpose_is_not_taken_for_an_older_registry(
    house: House, tmp_path: Path
) -> None:
    made, key = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    mark = HighWaterMark(fresh.folder / "registry.seen", "registry-1")
    mark.move({"k1": Head(1000, "f" * 64)}, 1000)
    fresh.places = dataclasses.replace(fresh.places, high_water=mark)
    fresh.restore(made, key)
    registry = TinyDbRegistry(fresh.places.registry)
    heads = registry.run(lambda tx: tx.heads())
    registry.close()
    assert mark.read().lanes == heads
    assert missing(mark.read().lanes, heads) == 0


def _filled(section: msgspec.Struct, folder: Path, name: str = "") -> Iterator[str]:
    """Name a file for each setting that may name one; yield the settings."""
    hints = get_type_hints(type(section))
    for field in section.__struct_fields__:
        value, here = getattr(section, field), f"{name}{field}"
        if isinstance(value, msgspec.Struct):
            yield from _filled(value, folder, f"{here}.")
        elif Path in (hints[field], *get_args(hints[field])):
            msgspec.structs.force_setattr(section, field, folder / here)
            yield here


def test_whatever_a_configuration_names_is_taken_or_is_said_to_be_left_out(
    tmp_path: Path,
) -> None:
    create(Layout.below(tmp_path, tmp_path), lambda _: None)
    config = load(tmp_path / "kiosk.toml")
    named = set(_filled(config, tmp_path))
    places = places_in(config, tmp_path / "kiosk.toml")
    known = {
        *(places.registry, places.templates, places.stations),
        *(*places.keys.values(), *places.anchors.values(), *places.given_out),
        *places.left_out.values(),
    }
    assert [each for each in named if tmp_path / each not in known] == []
    assert len(named) > 20


def test_where_the_registry_is_a_database_the_manual_names_all_that_is_no_part_of_it(
    tmp_path: Path,
) -> None:
    """Else a site with the best backup of its database lacks the vault's key."""
    create(Layout.below(tmp_path, tmp_path), lambda _: None)
    config = load(tmp_path / "kiosk.toml")
    named = set(_filled(config, tmp_path))
    places = places_in(config, tmp_path / "kiosk.toml")
    kept = {places.templates, places.stations, *places.anchors.values()}
    kept |= set(places.keys.values())
    manual = (ROOT / "docs" / "postgresql.md").read_text("utf-8")
    section = manual.partition("## Backup\n")[2].partition("\n## ")[0]
    said = {each for each in named if f"`{each}`" in section}
    assert {tmp_path / each for each in said} == kept


def test_no_key_is_ever_in_the_backup(house: House, tmp_path: Path) -> None:
    made, keys = back_up(house, tmp_path)
    for name in ("vault.key", "issuer.key"):
        secret = (house.folder / name).read_bytes()
        assert (keys / name).read_bytes() == secret
        for file in made.rglob("*"):
            assert not file.is_file() or secret.strip() not in file.read_bytes()
    assert "key" not in " ".join(backup_folder.read(made).files)


def test_the_issuing_authority_comes_back_with_the_keys(
    house: House, tmp_path: Path
) -> None:
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    fresh.restore(made, keys)
    for name in ("issuer.pem", "issuer.key"):
        assert (fresh.folder / name).read_bytes() == (house.folder / name).read_bytes()


def test_the_operators_terminal_comes_back_with_its_configuration(
    house: House, tmp_path: Path
) -> None:
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    for configuration in ("desk.toml", "kiosk.toml"):
        (fresh.folder / configuration).unlink()
    fresh.restore(made, keys)
    for configuration in ("desk.toml", "kiosk.toml"):
        saved = (house.folder / configuration).read_bytes()
        assert (fresh.folder / configuration).read_bytes() == saved


def test_a_station_without_an_operators_terminal_gets_none(
    house: House, tmp_path: Path
) -> None:
    (house.folder / "desk.toml").unlink()
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    (fresh.folder / "desk.toml").unlink()
    fresh.restore(made, keys)
    assert not (fresh.folder / "desk.toml").exists()


def test_the_stations_of_a_fleet_come_back(house: House, tmp_path: Path) -> None:
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    own = fresh.folder / "stations" / "lobby.toml"
    own.unlink()
    fresh.restore(made, keys)
    assert own.read_text() == 'key = "lobby"\n'
    other = new_house_again(tmp_path)
    other.places = dataclasses.replace(other.places, stations=None)
    other.restore(made, keys)


def test_a_card_that_waits_for_its_certificate_waits_on_after_a_restore(
    house: House, tmp_path: Path
) -> None:
    """Else its keys are made anew, and the certificate that comes is for nothing."""
    waits, has_come = (
        house.folder / "pending-certificates" / f"piv-{number}-9A.json"
        for number in (1, 2)
    )
    private_files.create(waits, b"a request")
    has_come.symlink_to("gone")  # as one that is removed while the backup is made
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    fresh.restore(made, keys)
    (back,) = (fresh.folder / "pending-certificates").iterdir()
    assert (back.name, back.read_bytes()) == (waits.name, b"a request")
    other = new_house_again(tmp_path)
    other.places = dataclasses.replace(other.places, tickets=None)
    other.restore(made, keys)


def test_who_is_trusted_comes_back_where_that_may_be_written(
    house: House, tmp_path: Path
) -> None:
    elsewhere = house.places.anchors["enrollment.pem"]
    elsewhere.parent.mkdir()
    elsewhere.write_text("of the system")
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    (fresh.folder / "ca.pem").unlink()
    fresh.restore(made, keys)
    assert (fresh.folder / "ca.pem").read_text() == "the directory's authority"
    assert not fresh.places.anchors["enrollment.pem"].exists()


def test_a_key_that_is_missing_is_named_and_nothing_is_restored(
    house: House, tmp_path: Path
) -> None:
    made, keys = back_up(house, tmp_path)
    (keys / "issuer.key").unlink()
    fresh = new_house(tmp_path)
    with pytest.raises(backup_folder.KeyMissing) as caught:
        fresh.restore(made, keys)
    assert caught.value.data["file"] == str(keys / "issuer.key")
    assert not fresh.places.registry.exists()
    assert not fresh.places.vault_key.exists()
    with pytest.raises(backup_folder.KeyMissing):
        fresh.restore(made, None)


def test_every_file_is_for_its_owner_only(house: House, tmp_path: Path) -> None:
    made, key = back_up(house, tmp_path)
    for file in (*made.rglob("*"), key, *key.rglob("*")):
        assert not file.stat().st_mode & 0o077, file


def test_a_station_that_works_meanwhile_is_copied_at_one_moment(
    house: House, tmp_path: Path
) -> None:
    registry = TinyDbRegistry(house.places.registry)
    made, _ = back_up(house, tmp_path)
    later = registry.run(lambda tx: tx.credential("c1"))
    registry.run(lambda tx: tx.save_credential(replace(later, holder="Later")))
    registry.close()
    copy = TinyDbRegistry(made / backup_folder.REGISTRY)
    assert copy.run(lambda tx: tx.credential("c1")).holder == "Ann"
    copy.close()


def test_nothing_is_written_over(house: House, tmp_path: Path) -> None:
    made, key = back_up(house, tmp_path)
    with pytest.raises(backup_folder.TargetThere):
        back_up(house, tmp_path)
    before = house.places.registry.read_bytes()
    with pytest.raises(backup_folder.TargetThere):
        house.restore(made, None)
    with pytest.raises(backup_folder.TargetThere):
        house.restore(made, key)
    assert house.places.registry.read_bytes() == before


@pytest.mark.parametrize(
    "name", [backup_folder.REGISTRY, backup_folder.CONFIG, "templates/staff.toml"]
)
def test_a_damaged_file_is_named_and_nothing_is_restored(
    house: House, tmp_path: Path, name: str
) -> None:
    made, key = back_up(house, tmp_path)
    with (made / name).open("ab") as stream:
        stream.write(b" ")
    fresh = new_house(tmp_path)
    with pytest.raises(backup_folder.Damaged) as caught:
        fresh.restore(made, key)
    assert caught.value.data["file"] == str(made / name)
    assert not fresh.places.registry.exists()
    assert not fresh.places.vault_key.exists()


def test_a_key_that_opens_nothing_is_refused(house: House, tmp_path: Path) -> None:
    made, _ = back_up(house, tmp_path)
    other = House(tmp_path / "other")
    fresh = new_house(tmp_path)
    with pytest.raises(backup_folder.WrongKey):
        fresh.restore(made, other.folder)
    assert not fresh.places.registry.exists()


def test_a_key_is_tried_on_whatever_is_sealed(tmp_path: Path) -> None:
    """Cards without a PUK have an administrator key in escrow, and nothing else."""
    house = House(tmp_path / "old")
    house.fill()
    vault = Vault(KeyRing.from_file(house.places.vault_key), "registry-1")
    key = vault.seal(bytes(24), table="credentials", record="c1", field="admin_key")
    registry = TinyDbRegistry(house.places.registry)
    registry.run(
        lambda tx: tx.save_credential(
            replace(tx.credential("c1"), escrow=Escrow(), admin_key_sealed=key)
        )
    )
    registry.close()
    made, keys = back_up(house, tmp_path)
    other = House(tmp_path / "other")
    fresh = new_house(tmp_path)
    with pytest.raises(backup_folder.WrongKey):
        fresh.restore(made, other.folder)
    assert not fresh.places.registry.exists()
    fresh.restore(made, keys)


def test_any_other_folder_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(backup_folder.NotABackup):
        backup_folder.read(tmp_path)


def test_a_backup_that_may_not_be_read_is_not_called_something_else(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = back_up(house, tmp_path)

    def refused(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(backup_folder.Unreadable) as caught:
        backup_folder.read(made)
    assert caught.value.data["reason"] == "Permission denied"


def test_configuration_and_templates_come_back_where_there_are_none(
    house: House, tmp_path: Path
) -> None:
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    fresh.places.config.write_text("mine")
    (fresh.places.templates / "staff.toml").unlink()
    fresh.restore(made, keys)
    assert fresh.places.config.read_text() == "mine"
    staff = fresh.places.templates / "staff.toml"
    assert staff.read_text() == 'name = "staff"\n'


def test_what_fails_half_way_leaves_nothing_behind(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    fresh.places.config.unlink()
    before = sorted(fresh.folder.rglob("*"))

    def full(*args: object, **named: object) -> None:
        raise StoreFull(path="registry.journal")

    monkeypatch.setattr(TinyDbRegistry, "distrust", full)
    with pytest.raises(StoreFull):
        fresh.restore(made, keys)
    left = [path for path in fresh.folder.rglob("*") if path.suffix != ".lock"]
    assert sorted(left) == before


def test_a_restore_that_is_ended_just_behind_any_file_leaves_nothing(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(house)
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    fresh.places.config.unlink()
    before = sorted(fresh.folder.rglob("*"))
    copies = 0

    def ended(source: Path, target: Path, told: Told) -> None:
        nonlocal copies
        copies += 1
        backup_folder.copy(source, target, told)
        if copies == last:
            raise KeyboardInterrupt

    for last in range(1, 99):
        copies = 0
        with monkeypatch.context() as ending:
            ending.setattr(restoring, "copy", ended)
            try:
                fresh.restore(made, keys)
            except KeyboardInterrupt:
                assert sorted(fresh.folder.rglob("*")) == before, last
            else:
                assert last > 4
                return
    pytest.fail("the restore never ended")


def test_a_station_that_waits_for_its_registry_finds_it_whole_or_not_at_all(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(house)
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    mark = HighWaterMark(fresh.folder / "registry.journal.seen", "registry-1")
    mark.move({"k1": Head(1000, "f" * 64)}, 1000)
    fresh.places = dataclasses.replace(fresh.places, high_water=mark)
    looks = 0

    def look(*_: object) -> None:
        nonlocal looks
        looks += 1
        if not fresh.places.registry.exists():
            return
        found = TinyDbRegistry(fresh.places.registry, station="k1", now=NOW)
        assert found.recovered() == ""
        heads = found.read(lambda view: view.heads())
        assert found.read(lambda view: view.approval("a1")).spent
        found.close()
        assert mark.read().lanes == heads

    class Looking(TinyDbRegistry):
        def distrust(
            self, *, station: str, now: float, kind: str = "registry.restored"
        ) -> None:
            look()
            super().distrust(station=station, now=now, kind=kind)
            look()

    class LookedAt(HighWaterMark):
        def restart(self, lanes: Mapping[str, Head]) -> None:
            look()
            super().restart(lanes)
            look()

    monkeypatch.setattr(restoring, "TinyDbRegistry", Looking)
    looked_at = LookedAt(mark.file, "registry-1")
    places = dataclasses.replace(fresh.places, high_water=looked_at)
    restoring.restore(made, places, station="k1", now=NOW, keys=keys, told=look)
    assert looks > 10
    look()
    beside = {each.name for each in fresh.folder.glob("registry.journal*")}
    assert not {each for each in beside if "restoring" in each}


def test_a_registry_that_somebody_makes_meanwhile_is_not_written_over(
    house: House, tmp_path: Path
) -> None:
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    mark = HighWaterMark(fresh.folder / "registry.journal.seen", "registry-1")
    mark.move({"k1": Head(1000, "f" * 64)}, 1000)
    fresh.places = dataclasses.replace(fresh.places, high_water=mark)
    before = sorted(fresh.folder.rglob("*"))

    class Meanwhile(HighWaterMark):
        def restart(self, lanes: Mapping[str, Head]) -> None:
            super().restart(lanes)
            fresh.places.registry.write_bytes(b"theirs")

    meanwhile = Meanwhile(mark.file, "registry-1")
    places = dataclasses.replace(fresh.places, high_water=meanwhile)
    with pytest.raises(backup_folder.TargetThere) as caught:
        restoring.restore(made, places, station="k1", now=NOW, keys=keys)
    assert caught.value.data == {"file": str(fresh.places.registry)}
    assert fresh.places.registry.read_bytes() == b"theirs"
    assert sorted(fresh.folder.rglob("*")) == sorted([*before, fresh.places.registry])
    assert mark.read().lanes == {"k1": Head(1000, "f" * 64)}


def test_a_registry_that_cannot_be_given_its_name_leaves_nothing(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    mark = HighWaterMark(fresh.folder / "registry.journal.seen", "registry-1")
    fresh.places = dataclasses.replace(fresh.places, high_water=mark)
    before = sorted(fresh.folder.rglob("*"))

    def refused(file: Path, target: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(private_files, "give_name", refused)
    with pytest.raises(backup_folder.NotWritten):
        fresh.restore(made, keys)
    assert sorted(fresh.folder.rglob("*")) == before


def test_a_file_system_without_links_gets_the_registry_all_the_same(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)

    def refused(self: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    fresh.restore(made, keys)
    registry = TinyDbRegistry(fresh.places.registry)
    assert registry.read(lambda view: view.approval("a1")).spent
    registry.close()


def test_what_a_restore_left_that_was_killed_is_named(
    house: House, tmp_path: Path
) -> None:
    made, keys = back_up(house, tmp_path)
    fresh = new_house(tmp_path)
    left = fresh.folder / "registry.journal.restoring"
    left.write_bytes(b"half of it")
    with pytest.raises(backup_folder.TargetThere) as caught:
        fresh.restore(made, keys)
    assert caught.value.data == {"file": str(left)}
    assert left.exists()


def test_the_newest_backups_of_a_folder_are_kept(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "nightly"
    made = []
    for night in range(4):
        made.append(nightly.named_by_moment(folder, NOW + night * 86400))
        backup.back_up(house.places, made[-1], now=NOW)
    (folder / "2001-01-01-000000").mkdir()  # a power cut in the middle of one
    (folder / "mine").mkdir()
    gone = nightly.prune(folder, 2, made[-1])
    assert [each.folder for each in gone] == [folder / "2001-01-01-000000", *made[:2]]
    assert [each.was_whole for each in gone] == [False, True, True]
    assert sorted(folder.iterdir()) == [*made[2:], folder / "mine"]


def test_an_unfinished_backup_is_never_what_is_kept(
    house: House, tmp_path: Path
) -> None:
    made = nightly.named_by_moment(tmp_path / "nightly", NOW)
    backup.back_up(house.places, made, now=NOW)
    broken = nightly.named_by_moment(tmp_path / "nightly", NOW + 86400)
    broken.mkdir()
    assert nightly.prune(tmp_path / "nightly", 1, made) == ()
    assert made.exists()


@pytest.mark.parametrize("keep", [1, 2])
def test_what_was_just_made_is_kept_whatever_the_clock_says(
    house: House, tmp_path: Path, keep: int
) -> None:
    """A clock without a battery begins in the past; one was in the future for a day."""
    folder = tmp_path / "nightly"
    nights = [NOW, NOW + 86400, NOW - 10 * 365 * 86400]
    made = [nightly.named_by_moment(folder, night) for night in nights]
    for each in made:
        backup.back_up(house.places, each, now=NOW)
    nightly.prune(folder, keep, made[-1])
    left = [made[-1], made[1]][:keep]
    assert sorted(folder.iterdir()) == sorted(left)


@pytest.mark.slow
def test_a_backup_that_somebody_else_is_making_is_left_to_them(
    terminal: Terminal,
) -> None:
    folder = terminal.folder / "nightly"
    theirs = folder / "2001-01-01-000000"
    with nightly.alone(folder):
        theirs.mkdir()
        code, out, err = terminal.type("backup", str(folder), "--keep", "1")
        assert (code, out) == (ExitCode.FAILED, "")
        assert f"A backup is being made in {folder}." in err
        assert sorted(folder.iterdir()) == [folder / nightly.LOCK, theirs]
    code, out, err = terminal.type("backup", str(folder), "--keep", "1")
    assert code == 0, err
    assert f"Removed, because it was never finished: {theirs}." in out
    assert not theirs.exists()


@pytest.mark.slow
def test_where_a_file_system_keeps_no_locks_what_is_unfinished_stays(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on some shares of other machines: a backup is made there all the same."""
    folder = terminal.folder / "nightly"
    theirs, old = folder / "2001-01-01-000000", folder / "2001-01-02-000000"
    theirs.mkdir(parents=True)
    old.mkdir()
    (old / backup_folder.MANIFEST).write_text("{}")
    lock = FileOps.lock

    def refused(ops: FileOps, handle: int, seconds: float, **how: bool) -> bool:
        if Path(f"/proc/self/fd/{handle}").readlink() == folder / nightly.LOCK:
            raise OSError(errno.ENOLCK, "No locks available")
        return lock(ops, handle, seconds, **how)

    monkeypatch.setattr(FileOps, "lock", refused)
    code, _, err = terminal.type("backup", str(folder), "--keep", "1")
    assert code == 0, err
    assert theirs.exists()
    assert not old.exists()


def test_a_folder_of_keys_that_somebody_makes_meanwhile_stays(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have the only copy of a vault's key in it."""
    made, keys = tmp_path / "backup", tmp_path / "keys"
    make = Path.mkdir

    def made_with_theirs(path: Path, *told: int, **named: int) -> None:
        make(path, *told, **named)  # type: ignore[arg-type]  # whatever it was
        if path == made:
            make(keys)
            (keys / "vault.key").write_text("theirs")

    monkeypatch.setattr(Path, "mkdir", made_with_theirs)
    with pytest.raises(backup_folder.TargetThere) as caught:
        backup.back_up(house.places, made, now=NOW, keys=keys)
    assert caught.value.data == {"file": str(keys)}
    assert (keys / "vault.key").read_text() == "theirs"
    assert not made.exists()


def test_what_cannot_be_read_of_a_backup_that_is_made_is_no_matter_of_a_restore(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(path: Path) -> str:
        raise backup_folder.Unreadable(file=str(path), reason="gone")

    monkeypatch.setattr(backup, "checksum", gone)
    with pytest.raises(backup_folder.NotRead) as caught:
        backup.back_up(house.places, tmp_path / "b", now=NOW)
    assert caught.value.data["reason"] == "gone"


def seal(house: House, count: int = 11) -> list[str]:
    """Let evidence be sealed; return the names of the segments' files."""
    registry = TinyDbRegistry(house.places.registry, sealing={"living": 2, "batch": 3})
    for number in range(count):
        draft = AuditDraft(at=float(number), station="k1", kind="x", actor="a")
        registry.run(lambda tx, draft=draft: tx.audit(draft))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    while registry.evidence.seal():
        pass
    named = [each.file for each in registry.evidence.segments()]
    registry.close()
    return named


def test_a_second_backup_links_to_what_the_first_has_and_never_to_the_station(
    house: House, tmp_path: Path
) -> None:
    names = seal(house)
    first, second = tmp_path / "1", tmp_path / "2"
    before = backup.back_up(house.places, first, now=NOW)
    names_later = seal(house)
    made = backup.back_up(house.places, second, now=NOW, like=first)
    assert made.copied < before.copied + house.places.registry.stat().st_size
    own = segments.folder_of(house.places.registry)
    for name in names_later:
        file = second / backup_folder.EVIDENCE / name
        assert not file.samefile(own / name)
        earlier = first / backup_folder.EVIDENCE / name
        assert (name in names) == (earlier.exists() and file.samefile(earlier))
    backup_folder.read(second)
    assert nightly.newest(tmp_path) is None, "neither is named by its moment"


def test_a_link_to_what_was_damaged_since_is_not_made(
    house: House, tmp_path: Path
) -> None:
    name = seal(house)[0]
    first, second = tmp_path / "1", tmp_path / "2"
    backup.back_up(house.places, first, now=NOW)
    (first / backup_folder.EVIDENCE / name).write_bytes(b"rotten")
    backup.back_up(house.places, second, now=NOW, like=first)
    backup_folder.read(second)
    with pytest.raises(backup_folder.Damaged):
        backup_folder.read(first)


def test_evidence_that_is_damaged_ends_no_good_backup_in_a_bad_one(
    house: House, tmp_path: Path
) -> None:
    name = seal(house)[1]
    file = segments.folder_of(house.places.registry) / name
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(EvidenceDamaged):
        backup.back_up(house.places, tmp_path / "b", now=NOW)
    assert not (tmp_path / "b").exists()


def test_a_backup_that_is_stopped_anywhere_leaves_nothing(
    house: House, tmp_path: Path
) -> None:
    seal(house)
    calls = 0

    def stop_at(last: int) -> Told:
        def told(_bytes: int) -> None:
            nonlocal calls
            calls += 1
            if calls == last:
                raise KeyboardInterrupt

        return told

    for last in range(1, 99):
        calls = 0
        made, keys = tmp_path / "backup", tmp_path / "keys"
        try:
            backup.back_up(house.places, made, now=NOW, keys=keys, told=stop_at(last))
        except KeyboardInterrupt:
            assert not made.exists()
            assert not keys.exists()
        else:
            assert last > 5
            return
    pytest.fail("the backup never ended")


def test_what_was_moved_away_is_said_and_the_rest_comes_back(
    house: House, tmp_path: Path
) -> None:
    seal(house)
    registry = TinyDbRegistry(house.places.registry)
    draft = AuditDraft(at=NOW, station="k1", kind="", actor="a")
    away = tmp_path / "archive"
    ops = FileOps()
    moved = list(
        archive.move(
            registry, registry.evidence, ops, away, before=NOW + 1, draft=draft
        )
    )
    registry.close()
    made, keys = tmp_path / "backup", tmp_path / "keys"
    told = backup.back_up(house.places, made, now=NOW, keys=keys)
    assert told.moved_away == len(moved) > 1
    fresh = new_house(tmp_path)
    fresh.restore(made, keys)
    whole = TinyDbRegistry(fresh.places.registry, archives=(away,))
    assert audit.verify(whole.audit_events()).is_sound
    whole.close()
    rest = TinyDbRegistry(fresh.places.registry)
    assert audit.verify(rest.audit_events(), rest.moved_away()).is_sound
    rest.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("made",), "made"),
        (("made",), "made/keys"),
        (("away/made",), "away"),
        (("all", "--keep", "3"), "all"),
        (("all", "--keep", "3"), "all/keys"),
    ],
)
def test_keys_are_never_in_one_folder_with_the_backup(
    terminal: Terminal,
    words: tuple[str, ...],
    keys: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(terminal.folder)
    before = sorted(terminal.folder.rglob("*"))
    code, out, err = terminal.type("backup", *words, "--keys", keys)
    assert (code, out) == (ExitCode.FAILED, "")
    assert f"The keys would be in one folder with the backup ({keys})" in err
    assert sorted(terminal.folder.rglob("*")) == before


@pytest.mark.slow
def test_whatever_is_left_out_is_named_with_its_reason(terminal: Terminal) -> None:
    named = {
        "log.file": "the log",
        "certificates.folder": "asked for again",
        "evidence.high_water_file": "a restore begins it anew",
        "middleware.module": "install it anew",
    }
    for setting in named:
        section, _, key = setting.partition(".")
        terminal.configure(section, f'{key} = "{terminal.folder / setting}"')
    terminal.sign_in("helpdesk")
    code, out, err = terminal.type("backup", str(terminal.folder / "made"))
    assert code == 0, err
    for setting, reason in named.items():
        (line,) = [
            each for each in out.splitlines() if str(terminal.folder / setting) in each
        ]
        assert line.startswith("Left out: ")
        assert reason in line
