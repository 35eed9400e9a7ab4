"""Every registry's lists: in order, a page at a time, as the reference has them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from lab.registries import (
    IMPLEMENTATIONS,
    approval,
    credential,
    draft,
    operation,
)
from msgspec.structs import replace

from statemachine.lifecycle import State
from storage import walk
from storage.memory_registry import MemoryRegistry
from storage.records import Credential, PublicKey, Sync, Template
from storage.registry import Registry, Tx
from storage.view import ByExpiry, ByHolder, ByStart, ByTime, View

HOLDERS = ("Ångström", "A\u030angstrom", "Zoë", "ann", "Ann", "Bo\nb", "Straße", "")
STATES, SYNCS = tuple(State), tuple(Sync)


@pytest.fixture(params=IMPLEMENTATIONS)
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    made = IMPLEMENTATIONS[request.param](tmp_path)
    yield made
    made.close()


def key(number: int) -> PublicKey:
    return PublicKey(slot="9A", algorithm="P-256", spki=f"key {number}".encode())


def some(dice: random.Random, number: int) -> Credential:
    return credential(
        f"c{number}",
        f"piv:guid:{number % 7:04x}",
        holder=dice.choice(HOLDERS),
        account=f"{dice.choice(HOLDERS)}@ad.test",
        account_guid=f"g{number % 5}",
        state=State.RETIRED if number >= 7 else dice.choice(STATES[:-1]),
        sync=dice.choice(SYNCS),
        template=dice.choice(("staff", "guest")),
        expires_at=dice.choice((None, 10.0, 20.0, 30.0)),
        authentication_key=dice.choice((None, key(number % 3))),
    )


def change(dice: random.Random) -> Callable[[Tx], None]:
    """Do something to some records, the same wherever it is run."""
    seed = dice.random()

    def apply(tx: Tx) -> None:
        mine = random.Random(seed)
        for number in range(30):
            known = tx.credentials(card=f"piv:guid:{number % 7:04x}", limit=99)
            version = {each.id: each.version for each in known}.get(f"c{number}", 0)
            if mine.random() < 0.5:
                tx.save_credential(replace(some(mine, number), version=version))
        for number in range(5):
            for live in tx.live_operations(f"c{number}"):
                tx.save_operation(replace(live, ended_at=5.0))
            event = f"{mine.randrange(10**8):08d}"
            started = float(mine.randrange(5))
            owner = f"c{number}"
            tx.save_operation(
                operation(
                    f"o{event}", event=event, credential=owner, started_at=started
                )
            )
        for _ in range(20):
            tx.audit(
                draft(
                    at=float(mine.randrange(6)),
                    station=mine.choice(("k1", "k2")),
                    kind=mine.choice(("x", "y")),
                    credential=mine.choice(("c1", "c2", "")),
                    operation=mine.choice(("o1", "")),
                )
            )

    return apply


Question = tuple[str, Callable[[View, Any, int], Sequence[Any]], Callable[[Any], Any]]


def questions() -> Iterator[Question]:
    """Every list of the port, with every filter."""
    for filters in (
        {},
        {"state": State.RETIRED},
        {"state": State.ACTIVE, "sync": Sync.OUT_OF_STEP},
        {"sync": Sync.IN_STEP},
        {"template": "guest"},
        {"account_guid": "g1"},
        {"account_guid": "g1", "template": "staff"},
        {"card": "piv:guid:0001"},
        {"card": "piv:guid:0001", "state": State.RETIRED},
    ):
        yield (
            f"credentials {filters}",
            lambda view, after, limit, filters=filters: view.credentials(  # type: ignore[misc]
                **filters, limit=limit, after=after
            ),
            ByHolder.of,
        )
    terms = (
        "ann",
        "ANN",
        "ångström",
        "STRASSE",
        "ë",
        "o b",
        "@ad",
        "guid:0001",
        "pi",
        "",
    )
    for term in terms:
        for retired in (None, True, False):
            yield (
                f"find {term!r} {retired}",
                lambda view, after, limit, term=term, retired=retired: view.find(  # type: ignore[misc]
                    term, retired=retired, limit=limit, after=after
                ),
                ByHolder.of,
            )
    for until in (5.0, 20.0, 99.0):
        yield (
            f"expiring {until}",
            lambda view, after, limit, until=until: view.expiring_before(  # type: ignore[misc]
                until, limit=limit, after=after
            ),
            ByExpiry.of,
        )
    for since in (0.0, 3.0):
        yield (
            f"operations {since}",
            lambda view, after, limit, since=since: view.operations(  # type: ignore[misc]
                "c1", since=since, limit=limit, after=after
            ),
            ByStart.of,
        )
    for wanted in (
        {},
        {"credential": "c1"},
        {"operation": "o1"},
        {"kind": "y", "station": "k2"},
        {"credential": "c1", "since": 2.0, "until": 4.0},
    ):
        for newest in (False, True):
            yield (
                f"events {wanted} {newest}",
                lambda view, after, limit, wanted=wanted, newest=newest: view.events(  # type: ignore[misc]
                    **wanted, newest_first=newest, limit=limit, after=after
                ),
                ByTime.of,
            )


def in_pages(
    view: View, ask: Callable[[View, Any, int], Sequence[Any]], place: Any, size: int
) -> list[Any]:
    found: list[Any] = []
    after = None
    while page := ask(view, after, size):
        assert len(page) <= size
        found += page
        after = place(page[-1])
    return found


@pytest.mark.parametrize("seed", range(6))
def test_pages_put_together_are_what_the_reference_lists(
    registry: Registry, seed: int
) -> None:
    reference = MemoryRegistry(registry.lane_of)
    dice = random.Random(seed)

    def compare(ours: View, theirs: View) -> None:
        for name, ask, place in questions():
            expected = ask(theirs, None, 1_000)
            assert in_pages(ours, ask, place, 3) == expected, name
            assert ask(ours, None, 1_000) == expected, name
        for state in (None, *State):
            for template in (None, "guest"):
                wanted = {"state": state, "template": template}
                assert ours.count(**wanted) == theirs.count(**wanted)
        assert ours.unfinished() == theirs.unfinished()
        for number in range(4):
            digest = hashlib.sha256(key(number).spki).digest()
            found = ours.by_key_digest(digest, limit=99)
            assert found == theirs.by_key_digest(digest, limit=99)
        for name in ("ANN", "zoë@ad.test", "PIV:guid:0001", "an"):
            assert ours.named(name, limit=99) == theirs.named(name, limit=99)

    for _ in range(4):
        step = change(dice)
        reference.run(step)

        def inside(tx: Tx, step: Callable[[Tx], None] = step) -> None:
            step(tx)
            compare(tx, reference.read(lambda view: view))

        registry.run(inside)
        registry.read(lambda ours: compare(ours, reference.read(lambda it: it)))


def test_templates_come_by_name_after_a_name(registry: Registry) -> None:
    for name in ("c", "a", "b"):
        registry.run(lambda tx, name=name: tx.save_template(Template(name=name)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    page = registry.read(lambda view: view.templates(limit=2))
    rest = registry.read(lambda view: view.templates(limit=2, after=page[-1].name))
    assert [each.name for each in (*page, *rest)] == ["a", "b", "c"]


def test_codes_that_may_still_be_typed_are_told_apart(registry: Registry) -> None:
    def fill(tx: Tx) -> None:
        tx.save_approval(approval("open", 100.0))
        tx.save_approval(approval("spent", 101.0, spent=True))
        tx.save_approval(approval("expired", 1.0, expires_at=200.0))

    registry.run(fill)
    found = registry.read(lambda it: it.approvals("c1", open_at=200.0, limit=9))
    assert [each.id for each in found] == ["open"]


def test_an_event_number_finds_its_credential_once(registry: Registry) -> None:
    def fill(tx: Tx) -> None:
        tx.save_credential(credential("c1", holder="1111-2222 Alice"))
        tx.save_operation(operation("o1", event="1111-2222"))

    registry.run(fill)
    found = registry.read(lambda view: view.find("1111-2222", limit=9))
    assert [each.id for each in found] == ["c1"]


def test_a_walk_meets_every_one_once_while_others_come(registry: Registry) -> None:
    def fill(tx: Tx) -> None:
        for number in range(walk.PAGE + 50):
            tx.save_credential(
                credential(f"c{number:04}", f"card {number}", holder=f"H{number:04}")
            )

    registry.run(fill)
    met: list[str] = []
    for each in walk.credentials(registry):
        if not met:
            new = credential("new", "card new", holder="A first one")
            registry.run(lambda tx, new=new: tx.save_credential(new))  # type: ignore[misc]  # mypy cannot infer a lambda's default
        met.append(each.id)
    assert met == [f"c{number:04}" for number in range(walk.PAGE + 50)]
