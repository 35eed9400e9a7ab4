"""Whole or not, and what is said of it: evidence made by hand, a link at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace as remade

import pytest
from msgspec.structs import replace

from storage import audit, checkpoints, extracts
from storage.audit import Head
from storage.checkpoints import LANE
from storage.completeness import (
    Completeness,
    Damage,
    EvidenceSource,
    Fault,
    KnownHead,
    Span,
    judge,
)
from storage.coverage import Coverage
from storage.extracts import Extract
from storage.memory_registry import MemoryRegistry
from storage.records import AuditDraft, AuditEvent
from storage.signed_note import NoteSigner, SignedNote

OURS, NEXT, THIEF = (NoteSigner("site", bytes([each]) * 32) for each in (1, 2, 3))
START = 1_000_000.0


class Site:
    """Chains of `a` and `b`, by hand. Each thing happens a second after the last."""

    def __init__(self) -> None:
        self.store = MemoryRegistry()
        self.now = START

    def happens(self, *stations: str, kind: str = "x") -> None:
        for station in stations:
            self.now += 1.0
            draft = AuditDraft(at=self.now, station=station, kind=kind, actor="a")
            self.store.run(lambda tx, draft=draft: tx.audit(draft))  # type: ignore[misc]  # mypy cannot infer a lambda's default

    def signs(self, signer: NoteSigner = OURS) -> None:
        self.now += 1.0
        self.store.run(lambda tx: checkpoints.sign(tx, signer, self.now))

    @property
    def events(self) -> list[AuditEvent]:
        return list(self.store.audit_events())


@pytest.fixture(name="site")
def _site() -> Site:
    """Checkpoint 1 over `a`, then 2 over both by another key, then two links more."""
    site = Site()
    site.happens("a", "a")
    site.signs()
    site.happens("a", "b", "a")
    site.signs()
    site.happens("b", "a")
    site.signs(NEXT)
    site.happens("b", "b")
    return site


def source(
    events: Iterable[AuditEvent],
    extract: Extract | None = None,
    begins: dict[str, Head] | None = None,
) -> EvidenceSource:
    kept = list(events)
    return EvidenceSource(
        checkpoints=lambda: kept,
        events=lambda: kept,
        extract=extract,
        begins=begins or {},
    )


def of(
    events: Iterable[AuditEvent], *signers: NoteSigner, heads: Iterable[KnownHead] = ()
) -> Completeness:
    keys = [each.key for each in signers]
    return judge(source(events), keys=keys, heads=list(heads))


def number(events: Iterable[AuditEvent], seq: int) -> AuditEvent:
    return next(each for each in events if (each.lane, each.seq) == (LANE, seq))


# --- what is shown -------------------------------------------------------------------


def test_what_is_whole_says_from_when_to_when_and_under_whose_key(site: Site) -> None:
    seen: list[AuditEvent] = []
    whole = judge(source(site.events), keys=[NEXT.key], seen=seen.append)
    assert whole.fault is None
    assert whole.events == len(site.events) == 12
    assert seen == site.events
    assert whole.stations == ("a", "b")
    assert whole.left_out == ()
    assert whole.since == START + 1
    first, second = (Span(OURS.key, 1, 2, START + 7), Span(NEXT.key, 3, 3, START + 10))
    assert whole.spans == (first, second)
    assert whole.until == START + 10
    assert (whole.uncovered, whole.uncovered_since) == (2, START + 11)
    assert whole.known == second


def test_each_key_vouches_for_what_it_has_signed_in_one_piece() -> None:
    site = Site()
    for signer in (OURS, NEXT, NEXT, OURS):
        site.happens("a")
        site.signs(signer)
    whole = of(site.events)
    spans = [(each.key, each.first, each.last) for each in whole.spans]
    assert spans == [(OURS.key, 1, 1), (NEXT.key, 2, 3), (OURS.key, 4, 4)]
    assert whole.until == START + 8
    assert fault(of(site.events, THIEF)) == Fault(Damage.OTHER_KEY, LANE, 4)
    line = extracts.sign(
        OURS, station="a", lanes=["a"], now=site.now, checkpoint=4, added=()
    )
    assert judge(source(site.events, Extract.read(line))).fault is None


def test_nothing_shows_nothing() -> None:
    whole = of([])
    assert (whole.fault, whole.known, whole.spans) == (None, None, ())
    assert (whole.since, whole.until, whole.events) == (0.0, 0.0, 0)
    assert (whole.uncovered, whole.uncovered_since) == (0, 0.0)


def test_links_without_a_checkpoint_are_all_uncovered() -> None:
    site = Site()
    site.happens("a", "b")
    whole = of(site.events, OURS)
    assert (whole.fault, whole.known, whole.spans) == (None, None, ())
    assert (whole.uncovered, whole.uncovered_since) == (2, START + 1)


def test_a_clock_that_went_back_makes_the_earliest_the_first(site: Site) -> None:
    site.now = START - 100
    site.happens("a")
    site.now = START + 100
    site.signs(NEXT)
    assert of(site.events).since == START - 99


def test_a_key_of_before_vouches_for_nothing_under_the_next(site: Site) -> None:
    """It is one of theirs, so nothing is wrong; and what came since is not known."""
    whole = of(site.events, OURS)
    assert (whole.fault, whole.known) == (None, None)


def test_a_checkpoint_that_was_kept_vouches_as_far_as_it_goes(site: Site) -> None:
    two, three = (number(site.events, each) for each in (2, 3))
    kept = KnownHead(2, link=two.hash[:16])
    expected = Span(OURS.key, 2, 2, START + 7)
    assert of(site.events, heads=[kept]).known == expected
    newer = KnownHead(3, link=three.hash)
    assert of(site.events, heads=[kept, newer]).known == Span(
        NEXT.key, 3, 3, START + 10
    )
    note = SignedNote.read(two.data["note"])
    assert of(site.events, heads=[KnownHead(2, note)]).known == expected
    assert of(site.events, OURS, heads=[kept]).known == expected
    assert of(site.events, NEXT, heads=[kept]).known == of(site.events, NEXT).known


# --- what is wrong -------------------------------------------------------------------


def fault(whole: Completeness) -> Fault | None:
    assert whole.fault is None or whole.known is None
    return whole.fault


@pytest.mark.parametrize(
    "kept",
    [
        KnownHead(2, link="0" * 16),
        KnownHead(2, SignedNote.read(OURS.sign("site\ncheckpoint 2\n"))),
    ],
)
def test_another_one_than_was_kept(site: Site, kept: KnownHead) -> None:
    assert fault(of(site.events, heads=[kept])) == Fault(
        Damage.OTHER_CHECKPOINT, LANE, 2
    )


def test_the_same_one_of_another_signer(site: Site) -> None:
    """Who signs it says so, and a note that was kept says who it was."""
    text = checkpoints.SignedCheckpoint.of(number(site.events, 2)).checkpoint.text()
    kept = KnownHead(2, SignedNote.read(NEXT.sign(text)))
    assert fault(of(site.events, heads=[kept])) == Fault(
        Damage.OTHER_CHECKPOINT, LANE, 2
    )


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_that_were_kept_under_one_number_both_count(
    site: Site, order: int
) -> None:
    kept = [
        KnownHead(2, link=number(site.events, 2).hash),
        KnownHead(2, link="0" * 16),
    ]
    assert fault(of(site.events, heads=kept[::order])) == Fault(
        Damage.OTHER_CHECKPOINT, LANE, 2
    )


def test_one_that_was_kept_and_has_not_come(site: Site) -> None:
    kept = KnownHead(4, link="0" * 16)
    assert fault(of(site.events, heads=[kept])) == Fault(
        Damage.CHECKPOINTS_CUT, LANE, 4
    )


def test_the_first_one_was_kept_and_there_is_none() -> None:
    kept = KnownHead(1, link="0" * 16)
    assert fault(of([], heads=[kept])) == Fault(Damage.CHECKPOINTS_CUT, LANE, 1)


def test_nobody_known_has_signed(site: Site) -> None:
    assert fault(of(site.events, THIEF)) == Fault(Damage.OTHER_KEY, LANE, 3)


def made_anew(
    events: Iterable[AuditEvent], change: Callable[[AuditEvent], AuditEvent]
) -> list[AuditEvent]:
    """Every chain but the checkpoints' is whole again."""
    ends: dict[str, Head] = {}
    again = []
    for event in events:
        if event.lane != LANE:
            end = ends.get(event.lane, Head(0, audit.GENESIS))
            changed = change(event)
            draft = AuditDraft(
                at=changed.at,
                station=changed.station,
                kind=changed.kind,
                actor=changed.actor,
            )
            made = audit.link(draft, seq=end.seq + 1, previous=end.hash)
            ends[event.lane] = Head(made.seq, made.hash)
            again.append(made)
        else:
            again.append(event)
    return again


@pytest.mark.parametrize(
    ("station", "seq", "named"),
    [("a", 1, 2), ("a", 3, 4), ("a", 5, 5), ("b", 1, 1), ("b", 2, 2)],
)
def test_a_chain_written_anew_is_seen_at_the_next_link_that_is_named(
    site: Site, station: str, seq: int, named: int
) -> None:
    def change(event: AuditEvent) -> AuditEvent:
        is_it = (event.station, event.seq) == (station, seq)
        return replace(event, actor="mallory") if is_it else event

    found = fault(of(made_anew(site.events, change), NEXT))
    assert found == Fault(Damage.REWRITTEN, station, named)


def test_after_the_last_that_is_named_nobody_can_tell(site: Site) -> None:
    def change(event: AuditEvent) -> AuditEvent:
        is_it = (event.station, event.seq) == ("b", 3)
        return replace(event, actor="mallory") if is_it else event

    assert fault(of(made_anew(site.events, change), NEXT)) is None


@pytest.mark.parametrize(
    ("gone", "damage", "station", "seq"),
    [
        (lambda e: e.station == "a" and e.seq >= 5, Damage.CUT, "a", 4),
        (lambda e: e.station == "b" and e.seq >= 2, Damage.CUT, "b", 1),
        (lambda e: e.station == "b", Damage.STATION_MISSING, "b", 2),
        (lambda e: e.station == "a" and e.seq == 3, Damage.GAP, "a", 4),
        (lambda e: e.lane == LANE and e.seq == 2, Damage.GAP, LANE, 3),
    ],
)
def test_what_is_left_out_is_named(
    site: Site,
    gone: Callable[[AuditEvent], bool],
    damage: Damage,
    station: str,
    seq: int,
) -> None:
    left = [each for each in site.events if not gone(each)]
    assert fault(of(left, NEXT)) == Fault(damage, station, seq)


def test_the_end_may_be_where_the_last_checkpoint_names_it(site: Site) -> None:
    left = [each for each in site.events if (each.station, each.seq) < ("b", 3)]
    whole = of(left, NEXT)
    assert fault(whole) is None
    assert (whole.uncovered, whole.uncovered_since) == (0, 0.0)


def test_what_is_counted_until_a_fault_is_said_all_the_same(site: Site) -> None:
    altered = [
        replace(each, actor="m") if (each.station, each.seq) == ("b", 2) else each
        for each in site.events
    ]
    seen: list[AuditEvent] = []
    whole = judge(source(altered), keys=[NEXT.key], seen=seen.append)
    assert whole.fault == Fault(Damage.ALTERED, "b", 2)
    assert whole.events == len(seen) == 7


@pytest.mark.parametrize("forgery", ["no note", "no key", "of the thief's key"])
def test_a_checkpoint_that_its_key_has_not_signed_is_forged(
    site: Site, forgery: str
) -> None:
    """Whoever can make its chain whole again cannot sign it."""
    events = site.events
    last = number(events, 3)
    text = checkpoints.SignedCheckpoint.of(last).checkpoint.text()
    said = {
        "no note": {"note": "nothing"},
        "no key": {"key": "nothing"},
        "of the thief's key": {"note": THIEF.sign(text)},
    }[forgery]
    draft = AuditDraft(
        at=last.at,
        station=LANE,
        kind=last.kind,
        actor=last.actor,
        data={**last.data, **said},
    )
    forged = audit.link(draft, seq=3, previous=last.previous)
    events[events.index(last)] = forged
    assert fault(of(events, NEXT)) == Fault(Damage.CHECKPOINT_FORGED, LANE, 3)


def test_a_checkpoint_that_names_less_than_one_before_it(site: Site) -> None:
    """Signed with the right key, by somebody who had taken a station out."""
    tables = site.store._tables
    del tables.heads["b"]
    site.signs(NEXT)
    assert fault(of(site.events, NEXT)) == Fault(Damage.CHECKPOINT_BACK, "b", 4)


# --- what was moved away -------------------------------------------------------------


def moved(site: Site, checkpoint: int) -> tuple[list[AuditEvent], dict[str, Head]]:
    """Leave what came after a checkpoint, and the last link before of each chain."""
    at = site.events.index(number(site.events, checkpoint)) + 1
    begins = {each.lane: Head(each.seq, each.hash) for each in site.events[:at]}
    return site.events[at:], begins


def test_a_part_is_gone_on_with_from_where_the_rest_ended(site: Site) -> None:
    left, begins = moved(site, 2)
    whole = judge(source(left, begins=begins), keys=[NEXT.key])
    assert whole.fault is None
    assert whole.spans == (Span(NEXT.key, 3, 3, START + 10),)
    assert judge(source(left)).fault is not None


def test_a_checkpoint_that_was_moved_away_is_not_missed(site: Site) -> None:
    left, begins = moved(site, 3)
    kept = [KnownHead(3, link=number(site.events, 3).hash)]
    assert judge(source(left, begins=begins), heads=kept).fault is None
    newer = [KnownHead(4, link="0" * 16)]
    found = judge(source(left, begins=begins), heads=newer).fault
    assert found == Fault(Damage.CHECKPOINTS_CUT, LANE, 4)


# --- an extract ----------------------------------------------------------------------


def extracted(site: Site, *, signer: NoteSigner = NEXT, checkpoint: int = 3) -> Extract:
    """`b`, and one link of `a`."""
    added = [each for each in site.events if (each.station, each.seq) == ("a", 2)]
    line = extracts.sign(
        signer,
        station="b",
        lanes=["b"],
        now=site.now,
        checkpoint=checkpoint,
        added=added,
    )
    return Extract.read(line)


def parts(site: Site, *links: int) -> list[AuditEvent]:
    return [each for each in site.events if each.station != "a" or each.seq in links]


def test_an_extract_is_whole_for_itself(site: Site) -> None:
    whole = judge(source(parts(site, 2), extracted(site)), keys=[NEXT.key])
    assert whole.fault is None
    assert whole.stations == ("b",)
    assert whole.left_out == ("a",)
    assert whole.since == START + 2, "the link that was added is the first"
    assert (whole.uncovered, whole.uncovered_since) == (2, START + 11)
    assert whole.known == Span(NEXT.key, 3, 3, START + 10)


def test_a_link_that_was_added_and_no_checkpoint_covers_is_counted(site: Site) -> None:
    site.happens("a")
    line = extracts.sign(
        NEXT,
        station="b",
        lanes=["b"],
        now=site.now,
        checkpoint=3,
        added=site.events[-1:],
    )
    whole = judge(source(parts(site, 6), Extract.read(line)), keys=[NEXT.key])
    assert whole.fault is None
    assert whole.uncovered == 3


def test_a_link_that_it_does_not_tell_of_is_no_part_of_it(site: Site) -> None:
    found = judge(source(parts(site, 2, 3), extracted(site))).fault
    assert found == Fault(Damage.NOT_OF_EXTRACT, "a", 3)


def test_a_link_that_was_added_is_looked_at_too(site: Site) -> None:
    altered = [
        replace(each, actor="m") if each.station == "a" else each
        for each in parts(site, 2)
    ]
    found = judge(source(altered, extracted(site))).fault
    assert found == Fault(Damage.NOT_OF_EXTRACT, "a", 2)


def test_a_link_that_was_added_and_has_not_come_is_missed(site: Site) -> None:
    """A key that a write does not rest on would go unseen, if it were left out."""
    found = judge(source(parts(site), extracted(site)), keys=[NEXT.key]).fault
    assert found == Fault(Damage.CUT, "a", 2)


def test_a_link_that_was_added_is_the_one_that_checkpoints_name(site: Site) -> None:
    """Whoever signs extracts adds no other than there was."""
    (there,) = [each for each in site.events if (each.station, each.seq) == ("a", 2)]
    draft = AuditDraft(at=there.at, station="a", kind="x", actor="mallory")
    other = audit.link(draft, seq=2, previous=there.previous)
    line = extracts.sign(
        NEXT, station="b", lanes=["b"], now=site.now, checkpoint=3, added=[other]
    )
    found = judge(source([other, *parts(site)], Extract.read(line))).fault
    assert found == Fault(Damage.REWRITTEN, "a", 2)


def test_what_it_is_of_is_known_from_who_is_known(site: Site) -> None:
    """Anybody may sign behind a checkpoint that was kept: that, and an extract."""
    kept = [KnownHead(3, link=number(site.events, 3).hash)]
    site.signs(THIEF)

    def known(signer: NoteSigner, *keys: NoteSigner) -> Span | None:
        whole = judge(
            source(parts(site, 2), extracted(site, signer=signer)),
            keys=[each.key for each in keys],
            heads=kept,
        )
        assert whole.fault is None
        return whole.known

    until = Span(NEXT.key, 3, 3, START + 10)
    assert known(NEXT) == known(NEXT, NEXT) == until, "who signed what was kept"
    assert known(OURS, OURS) == until, "whose key is known"
    assert known(OURS) is None
    assert known(THIEF) is None
    assert known(THIEF, NEXT) is None


def test_its_own_chain_reaches_what_the_checkpoints_name(site: Site) -> None:
    cut = [each for each in parts(site) if (each.station, each.seq) < ("b", 2)]
    found = judge(source(cut, extracted(site))).fault
    assert found == Fault(Damage.CUT, "b", 1)


def test_the_checkpoints_reach_the_one_that_it_names(site: Site) -> None:
    extract = extracted(site, checkpoint=4)
    found = judge(source(parts(site), extract)).fault
    assert found == Fault(Damage.CHECKPOINTS_CUT, LANE, 4)
    bare = [each for each in parts(site) if each.lane != LANE]
    found = judge(source(bare, extracted(site, checkpoint=1))).fault
    assert found == Fault(Damage.CHECKPOINTS_CUT, LANE, 1)


def test_only_who_signed_checkpoints_says_what_is_an_extract(site: Site) -> None:
    found = judge(source(parts(site), extracted(site, signer=THIEF))).fault
    assert found == Fault(Damage.CHECKPOINT_FORGED, "b", 0)
    assert judge(source(parts(site, 2), extracted(site, signer=OURS))).fault is None


def test_an_extract_of_nothing_yet() -> None:
    site = Site()
    site.happens("b")
    extract = remade(extracted(site, checkpoint=0), added=frozenset())
    found = judge(source(site.events, extract)).fault
    assert found == Fault(Damage.CHECKPOINT_FORGED, "b", 0), "nobody vouches for it"


def test_who_judges_writes_is_told_what_is_covered(site: Site) -> None:
    coverage = Coverage()
    judge(source(site.events), coverage=coverage)
    assert [coverage("a", seq) for seq in (2, 3, 4, 5)] == [1, 2, 2, 3]
    assert judge(source(site.events)).covers("b", 1) == 2
