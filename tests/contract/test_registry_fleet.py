"""What every registry remembers of a fleet: stations, their tokens, sealing keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread
from typing import cast

import pytest
from lab.registries import IMPLEMENTATIONS, SHARED, RunsTwice
from msgspec.structs import replace

from storage import moving
from storage.errors import DuplicateRecord, RecordMissing, VersionConflict
from storage.records import (
    EnrollmentToken,
    SealingKeyRecord,
    Slip,
    StationRecord,
    StationStanding,
)
from storage.registry import SEALING_KEYS_KEPT_SECONDS, Registry, Tx


@pytest.fixture(params=IMPLEMENTATIONS)
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    made = IMPLEMENTATIONS[request.param](tmp_path)
    yield cast("Registry", RunsTwice(made))
    made.close()


def station(id: str = "k1", **more: object) -> StationRecord:
    fields = {
        "name": "Hall",
        "role": "self-service",
        "algorithm": "ed25519",
        "public_key": b"k" * 32,
        "enrolled_at": 1.0,
        "enrolled_by": "ann",
        **more,
    }
    return StationRecord(id=id, **fields)  # type: ignore[arg-type]  # fields of it


def token(id: str = "t1", **more: object) -> EnrollmentToken:
    fields = {
        "station": "k1",
        "role": "self-service",
        "issued_by": "ann",
        "issued_at": 1.0,
        "expires_at": 900.0,
        **more,
    }
    return EnrollmentToken(id=id, **fields)  # type: ignore[arg-type]  # fields of it


def key(id: str, made_at: float) -> SealingKeyRecord:
    return SealingKeyRecord(
        id=id, public=b"p" * 32, private_sealed="v1.x", made_at=made_at
    )


def test_a_station_comes_back_as_it_was_saved(registry: Registry) -> None:
    saved = registry.run(lambda tx: tx.save_station(station()))
    assert saved == station(version=1)
    assert registry.read(lambda view: view.station("k1")) == saved
    revoked = replace(saved, state=StationStanding.REVOKED)
    registry.run(lambda tx: tx.save_station(revoked))
    assert registry.read(lambda view: view.station("k1")) == replace(revoked, version=2)


@pytest.mark.parametrize("id", ["nobody", "a\0b", "\ud800"])
def test_what_is_not_there_is_named(registry: Registry, id: str) -> None:
    for kind, look in (
        ("station", "station"),
        ("token", "token"),
        ("sealing key", "sealing_key"),
    ):
        with pytest.raises(RecordMissing) as missing:
            registry.read(lambda view, look=look: getattr(view, look)(id))  # type: ignore[misc]  # mypy cannot infer a lambda's default
        assert missing.value.data == {"kind": kind, "key": id}


def test_the_second_writer_of_a_station_or_token_is_told(registry: Registry) -> None:
    first = registry.run(lambda tx: tx.save_station(station()))
    registry.run(lambda tx: tx.save_station(replace(first, name="one")))
    with pytest.raises(VersionConflict) as told:
        registry.run(lambda tx: tx.save_station(replace(first, name="two")))
    assert told.value.data == {"kind": "station", "key": "k1"}
    with pytest.raises(VersionConflict):
        registry.run(lambda tx: tx.save_station(station()))
    registry.run(lambda tx: tx.save_token(token()))
    with pytest.raises(VersionConflict) as told:
        registry.run(lambda tx: tx.save_token(token(used_by=b"x")))
    assert told.value.data == {"kind": "token", "key": "t1"}


def test_tokens_that_are_neither_used_nor_void_are_listed_by_id_a_page_at_a_time(
    registry: Registry,
) -> None:
    def fill(tx: Tx) -> None:
        for name in ("t4", "t2", "t5", "t1", "t3"):
            tx.save_token(replace(token(), id=name))
        tx.save_token(replace(tx.token("t2"), used_by=b"x"))
        tx.save_token(replace(tx.token("t4"), void=True))

    registry.run(fill)
    page = registry.read(lambda view: view.open_tokens(limit=2))
    assert [each.id for each in page] == ["t1", "t3"]
    rest = registry.read(lambda view: view.open_tokens(limit=2, after="t3"))
    assert [each.id for each in rest] == ["t5"]

    def void(tx: Tx) -> list[str]:
        tx.save_token(replace(tx.token("t3"), void=True))
        return [each.id for each in tx.open_tokens(limit=9)]

    assert registry.run(void) == ["t1", "t5"]


def test_stations_are_listed_by_id_a_page_at_a_time(registry: Registry) -> None:
    def fill(tx: Tx) -> None:
        for each in ("k3", "K1", "k2"):
            tx.save_station(station(each))

    registry.run(fill)
    page = registry.read(lambda view: view.stations(limit=2))
    assert [each.id for each in page] == ["K1", "k2"]
    rest = registry.read(lambda view: view.stations(limit=2, after="k2"))
    assert [each.id for each in rest] == ["k3"]


def test_the_newest_sealing_key_is_found_and_old_ones_are_swept(
    registry: Registry,
) -> None:
    assert registry.read(lambda view: view.newest_sealing_key()) is None
    for each in (key("a", 10.0), key("c", 30.0), key("b", 20.0)):
        registry.run(lambda tx, it=each: tx.save_sealing_key(it))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    assert registry.read(lambda view: view.newest_sealing_key()) == key("c", 30.0)
    with pytest.raises(DuplicateRecord):
        registry.run(lambda tx: tx.save_sealing_key(key("a", 40.0)))
    while registry.idle(SEALING_KEYS_KEPT_SECONDS + 20.0):
        pass
    assert registry.read(lambda view: view.sealing_key("b")) == key("b", 20.0)
    with pytest.raises(RecordMissing):
        registry.read(lambda view: view.sealing_key("a"))


def test_a_registry_that_was_put_back_takes_no_token_of_before(
    registry: Registry,
) -> None:
    def fill(tx: Tx) -> None:
        tx.save_token(token())
        tx.save_token(token("used", used_by=b"x"))
        tx.save_station(station())

    registry.run(fill)
    registry.distrust(station="k1", now=5.0)
    assert registry.read(lambda view: view.token("t1")).void
    assert not registry.read(lambda view: view.token("used")).void
    assert registry.read(lambda view: view.station("k1")) == station(version=1)
    (event,) = registry.audit_events()
    assert event.data == {"nonces": "0", "codes": "1"}


def test_stations_move_with_their_registry(tmp_path: Path, registry: Registry) -> None:
    registry.run(lambda tx: tx.save_station(station(state=StationStanding.REVOKED)))
    target = IMPLEMENTATIONS["memory"](tmp_path)
    for _ in moving.move(registry, target, now=1.0):
        pass
    moving.finish(registry, target, station="k1", now=1.0)
    assert target.read(lambda view: view.station("k1")).state is StationStanding.REVOKED


def slip(of: str, name: str = "", text: str = "x", kind: str = "report") -> Slip:
    return Slip(kind=kind, of=of, name=name, text=text)


def test_a_slip_takes_the_place_of_the_one_before(registry: Registry) -> None:
    registry.run(lambda tx: tx.save_slip(slip("k1", text="one")))
    registry.run(lambda tx: tx.save_slip(slip("k1", text="two")))
    found = registry.read(lambda view: view.slips("report", limit=9))
    assert found == [slip("k1", text="two")]


def test_slips_are_listed_by_whose_they_are_and_by_name(registry: Registry) -> None:
    kept = [slip("K2"), slip("k1", "9A"), slip("k1", "9E"), slip("k10"), slip("\u00fc")]

    def fill(tx: Tx) -> None:
        for each in (*reversed(kept), slip("k1", kind="certificate")):
            tx.save_slip(each)

    registry.run(fill)
    assert registry.read(lambda view: view.slips("report", limit=9)) == kept
    assert registry.read(lambda view: view.slips("report", limit=2)) == kept[:2]
    behind = registry.read(lambda view: view.slips("report", limit=9, after="k1"))
    assert behind == kept[3:]
    of_one = registry.read(lambda view: view.slips("report", of="k1", limit=9))
    assert of_one == kept[1:3]
    assert registry.read(lambda view: view.slips("report", of="a\0", limit=9)) == []


def test_slips_of_one_are_forgotten_and_of_nobody_else(registry: Registry) -> None:
    def fill(tx: Tx) -> None:
        for each in (slip("k1", "9A"), slip("k1", "9E"), slip("k10"), slip("k")):
            tx.save_slip(each)
        tx.save_slip(slip("k1", kind="certificate"))

    registry.run(fill)
    for _ in range(2):
        registry.run(lambda tx: tx.forget_slips("report", "k1"))
    left = registry.read(lambda view: view.slips("report", limit=9))
    assert left == [slip("k"), slip("k10")]
    other = registry.read(lambda view: view.slips("certificate", limit=9))
    assert other == [slip("k1", kind="certificate")]


def test_slips_move_with_their_registry(tmp_path: Path, registry: Registry) -> None:
    kept = slip("piv:1", "9A", kind="certificate")
    registry.run(lambda tx: tx.save_slip(kept))
    target = IMPLEMENTATIONS["memory"](tmp_path)
    for _ in moving.move(registry, target, now=1.0):
        pass
    moving.finish(registry, target, station="k1", now=1.0)
    assert target.read(lambda view: view.slips("certificate", limit=9)) == [kept]


@pytest.mark.parametrize("kind", SHARED)
def test_of_many_who_use_a_token_at_once_one_does(kind: str, tmp_path: Path) -> None:
    stores = [IMPLEMENTATIONS[kind](tmp_path) for _ in range(4)]
    stores[0].run(lambda tx: tx.save_token(token()))
    for each in stores:
        each.close()
    start, won = Barrier(4), list[int]()

    def use(number: int) -> None:
        store = IMPLEMENTATIONS[kind](tmp_path)

        def once(tx: Tx) -> bool:
            found = tx.token("t1")
            if found.used_by:
                return False
            tx.save_token(replace(found, used_by=b"%d" % number))
            tx.save_station(station(f"k{number}"))
            return True

        start.wait()
        if store.run(once):
            won.append(number)
        store.close()

    threads = [Thread(target=use, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = IMPLEMENTATIONS[kind](tmp_path)
    assert [f"k{won[0]}"] == [
        each.id for each in store.read(lambda view: view.stations(limit=9))
    ]
    assert len(won) == 1
    store.close()
