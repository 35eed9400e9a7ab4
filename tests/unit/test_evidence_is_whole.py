"""Evidence that cannot be shortened, judged by who has the file and a key alone."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from lab.desk.witnessed import (
    WitnessedSite,
    chained_again,
    events_of,
    verdict,
    without,
    written,
)
from msgspec.structs import replace

from kiosk.authority.office import evidence_seen
from kiosk.authority.office.errors import NoSuchStation
from storage import audit, canonical, checkpoints, evidence_file, extracts
from storage.checkpoints import LANE
from storage.evidence_file import NotAnExport
from storage.memory_registry import MemoryRegistry
from storage.records import AuditDraft, AuditEvent
from storage.signed_note import NoteSigner

pytestmark = pytest.mark.slow

UNANCHORED = 3


@pytest.fixture(name="site")
def _site(tmp_path: Path) -> WitnessedSite:
    site = WitnessedSite(tmp_path)
    site.change("ann", at="lobby")
    site.change("ben", at="annex")
    site.clock.advance(61.0)
    site.change("ann", at="lobby")
    return site


# --- honest files -------------------------------------------------------------


def test_an_honest_export_is_sound_for_who_knows_the_key(site: WitnessedSite) -> None:
    said = verdict(site.export(), "--key", site.key)
    assert said.code == 0, said.text
    assert "SOUND and complete from 2026-01-01 10:00:00 UTC" in said.text
    assert "Password writes: 3" in said.text
    assert site.key in said.text


@pytest.mark.parametrize("form", ["line", "note"])
def test_an_honest_export_is_sound_for_who_kept_a_checkpoint(
    site: WitnessedSite, form: str
) -> None:
    kept = site.head if form == "line" else str(site.note())
    site.change("ben", at="annex")
    said = verdict(site.export(), "--head", kept)
    assert said.code == 0, said.text
    assert "vouches for the checkpoints after that one" in said.text


def test_a_file_without_key_or_checkpoint_is_unanchored_never_sound(
    site: WitnessedSite,
) -> None:
    said = verdict(site.export())
    assert said.code == UNANCHORED
    assert "UNANCHORED" in said.text
    assert "SOUND" not in said.text


def test_stations_that_share_chains_leave_the_same_evidence(tmp_path: Path) -> None:
    """A station had a chain of its own once: its extract has both."""
    store = MemoryRegistry()
    site = WitnessedSite(tmp_path, store)
    site.change("ann", at="lobby")
    site.clock.advance(61.0)
    store._lane_of = audit.shared_lane
    site.change("ann", at="lobby")
    site.change("ben", at="annex")
    said = verdict(site.export(), "--key", site.key)
    assert said.code == 0, said.text
    assert "Password writes: 3" in said.text
    file = site.export(station="lobby")
    shared = audit.shared_lane("lobby")
    lanes = {event.lane for event in events_of(file)}
    assert {"lobby", shared, LANE} <= lanes
    assert not lanes & {"annex", audit.shared_lane("annex")}
    said = verdict(file, "--key", site.key)
    assert said.code == 0, said.text
    assert audit.shared_lane("annex") in said.text.partition("Left out")[2]
    cut = without(
        events_of(file),
        lambda e: e.lane == shared and e.kind == "operation.done",
    )
    forged = written(file, cut, keep_first=True)
    assert verdict(forged, "--key", site.key).code == 1


def test_stations_that_share_chains_no_more_leave_the_same_evidence(
    tmp_path: Path,
) -> None:
    """A registry was moved out of a database again: an extract has what was shared."""
    store = MemoryRegistry(audit.shared_lane)
    site = WitnessedSite(tmp_path, store)
    site.change("ann", at="lobby")
    site.change("ben", at="lobby")
    site.clock.advance(61.0)
    store._lane_of = str
    site.change("ann", at="lobby")
    file = site.export(station="lobby")
    there = {e.hash for e in store.audit_events() if e.station == "lobby"}
    assert {e.hash for e in events_of(file) if e.station == "lobby"} == there
    said = verdict(file, "--key", site.key)
    assert said.code == 0, said.text
    assert "Password writes: 3" in said.text


def test_a_chain_that_is_no_stations_is_no_station(site: WitnessedSite) -> None:
    for name in (LANE, audit.shared_lane("lobby"), "nobody"):
        with pytest.raises(NoSuchStation):
            site.export(station=name)


def test_an_honest_extract_of_one_station_is_sound_and_says_what_it_leaves_out(
    site: WitnessedSite,
) -> None:
    file = site.export(station="lobby")
    assert {event.station for event in events_of(file)} == {LANE, "lobby", "kiosk-1"}
    said = verdict(file, "--key", site.key)
    assert said.code == 0, said.text
    assert "events of lobby only. Left out: annex, kiosk-1" in said.text
    assert "Password writes: 2" in said.text


def test_a_clock_that_is_corrected_between_signature_and_write_makes_nothing_late(
    site: WitnessedSite,
) -> None:
    site.world.authority.after("authorise", lambda: site.clock.set_wall(-0.5))
    site.change("ben", at="annex")
    said = verdict(site.export(), "--key", site.key)
    assert said.code == 0, said.text
    written_last = [e for e in site.store.audit_events() if e.station == "annex"][-1]
    shown = evidence_seen.receipt(site.desk, written_last.operation)
    assert shown is not None
    assert shown.wrote
    assert shown.unproven is None


def test_a_key_counts_only_from_when_it_went_on_record(site: WitnessedSite) -> None:
    """A record that another chain got afterwards makes an earlier write no better."""
    plain = site.export()
    events = events_of(plain)
    gone = without(
        events,
        lambda e: e.station == LANE or e.kind == "credential.key_recorded",
    )
    later = [e for e in events if e.kind == "credential.key_recorded"]
    again = WitnessedSite(site.folder / "again")
    again.forget_events()
    again.add(gone)
    again.registry.checkpoint()
    again.add(later)
    said = verdict(again.export(), "--key", again.key)
    assert said.code == 1
    assert "was never put on record for this credential" in said.text


# --- what a thief does --------------------------------------------------------


def test_a_cut_tail_is_seen(site: WitnessedSite) -> None:
    file = site.export()
    events = events_of(file)
    last = max(event.seq for event in events if event.station == "lobby")
    cut = without(events, lambda e: e.station == "lobby" and e.seq == last)
    said = verdict(written(file, cut), "--key", site.key)
    assert said.code == 1
    assert "The chain of lobby ends" in said.text


def test_a_tail_that_is_cut_with_its_checkpoints_is_seen_by_who_kept_one(
    site: WitnessedSite,
) -> None:
    file = site.export()
    kept = site.head
    events = events_of(file)
    first = next(event for event in events if event.station == LANE)
    begun = events[: events.index(first) + 1]
    shorter = written(file, begun)
    said = verdict(shorter, "--head", kept)
    assert said.code == 1
    assert "is known to exist, and the evidence ends before it" in said.text
    until = verdict(shorter, "--key", site.key)
    assert "up to checkpoint 1," in until.text, "and otherwise it says until when"


def test_a_station_that_is_removed_is_seen(site: WitnessedSite) -> None:
    file = site.export()
    gone = without(events_of(file), lambda e: e.station == "annex")
    said = verdict(written(file, gone), "--key", site.key)
    assert said.code == 1
    assert "none is here: the station was removed" in said.text


def test_a_chain_that_is_written_anew_is_seen(site: WitnessedSite) -> None:
    file = site.export()
    lane = [event for event in events_of(file) if event.station == LANE]
    others = without(events_of(file), lambda e: e.station == LANE)
    forged = chained_again(
        others, lambda e: replace(e, actor="mallory" if e.seq == 1 else e.actor)
    )
    said = verdict(written(file, [*forged, *lane]), "--key", site.key)
    assert said.code == 1
    assert "the chain was written anew" in said.text


def test_checkpoints_of_a_key_of_the_thiefs_own_are_seen(
    site: WitnessedSite, tmp_path: Path
) -> None:
    theirs = WitnessedSite(tmp_path / "other")
    made_up = without(theirs.store.audit_events(), lambda e: e.station == LANE)
    theirs.world.parts.vault._registry_id = "stolen"
    theirs.forget_events()
    theirs.add(made_up)
    theirs.change("ann", at="lobby")
    file = theirs.export()
    assert verdict(file).code == UNANCHORED
    said = verdict(file, "--key", site.key)
    assert said.code == 1
    assert "No checkpoint is signed with a key that you named." in said.text
    assert verdict(file, "--head", site.head).code == 1


def test_checkpoints_that_are_made_anew_are_seen_by_who_kept_one(
    site: WitnessedSite,
) -> None:
    """Whoever has the key itself can sign anything, but not what was kept elsewhere."""
    site.export()
    kept = [site.head, str(site.note())]
    events = without(events_of(site.export()), lambda e: e.station == LANE)
    again = WitnessedSite(site.folder / "again")
    again.forget_events()
    again.add(replace(e, at=e.at + 1) for e in events)
    for _ in range(5):
        again.add(events[:1])
        again.registry.checkpoint()
    file = again.export()
    assert verdict(file, "--key", site.key).code == 0, "it is the key's own work"
    for head in kept:
        said = verdict(file, "--head", head)
        assert said.code == 1
        assert "is another one than is known from elsewhere" in said.text


def test_checkpoints_that_were_edited_are_seen(site: WitnessedSite) -> None:
    """A station is taken out of the chains and out of what the checkpoints say."""
    file = site.export()

    def edited(event: AuditEvent) -> AuditEvent:
        if event.station != LANE:
            return event
        lines = event.data["note"].splitlines(keepends=True)
        note = "".join(line for line in lines if not line.endswith(" annex\n"))
        return replace(event, data={**event.data, "note": note})

    first = next(e for e in events_of(file) if " annex" in e.data.get("note", ""))
    kept = without(events_of(file), lambda e: e.station == "annex")
    kept = without(kept, lambda e: e.station == LANE and e.seq > first.seq)
    said = verdict(written(file, chained_again(kept, edited)), "--key", site.key)
    assert said.code == 1
    assert f"Checkpoint {first.seq} is not what its key has signed" in said.text


@pytest.mark.parametrize("is_signed_as_the_authority", [True, False])
def test_nobody_else_can_say_that_a_file_is_an_extract(
    site: WitnessedSite, *, is_signed_as_the_authority: bool
) -> None:
    """A station is taken out, and the file called an extract of the other."""
    file = site.export()
    events = events_of(file)
    thief = NoteSigner(site.world.parts.vault.signer().key.name, bytes(32))
    line = extracts.sign(
        thief,
        station="lobby",
        lanes=["lobby"],
        now=site.clock.now(),
        checkpoint=1,
        added=[e for e in events if e.kind == "credential.key_recorded"],
    )
    if is_signed_as_the_authority:
        ours = site.world.parts.vault.signer().key
        named = line.extract.rpartition(" ")
        raw = base64.b64decode(named[2])
        signed = base64.b64encode(ours.id + raw[4:]).decode()
        note = f"{named[0]} {signed}\n"
        line = extracts.ExtractLine(extract=note, key=str(ours))
    kept = without(
        events,
        lambda e: (
            e.station not in (LANE, "lobby") and e.kind != "credential.key_recorded"
        ),
    )
    forged = written(file, kept)
    forged.write_bytes(canonical.encode(line) + b"\n" + forged.read_bytes())
    assert verdict(forged, "--key", site.key).code in (1, 2)
    assert verdict(forged).code in (1, 2), "not even unanchored"


def test_a_write_without_signature_is_no_exception_where_a_key_is_on_record(
    site: WitnessedSite,
) -> None:
    """Who owns the key that signs checkpoints cannot pass a signed card as keyless."""

    def unsigned(event: AuditEvent) -> AuditEvent:
        if event.kind != "operation.authorised":
            return event
        sealed = {"sealed_sha256": event.data["sealed_sha256"]}
        return replace(event, data={"exception": "without", **sealed})

    events = without(site.store.audit_events(), lambda e: e.station == LANE)
    site.forget_events()
    site.add(e for e in events if e.station == "kiosk-1")
    site.registry.checkpoint()
    site.add(map(unsigned, without(events, lambda e: e.station == "kiosk-1")))
    said = verdict(site.export(), "--key", site.key)
    assert said.code == 1
    assert "has a key on record, and the write rests on no signature" in said.text


def test_an_empty_file_proves_nothing(site: WitnessedSite) -> None:
    file = site.export()
    kept = site.head
    empty = written(file, [])
    assert verdict(empty).code == UNANCHORED
    assert verdict(empty, "--key", site.key).code == UNANCHORED
    assert "UNANCHORED" in verdict(empty, "--key", site.key).text
    assert verdict(empty, "--head", kept).code == 1


def test_a_file_without_its_checkpoints_is_unanchored(site: WitnessedSite) -> None:
    file = site.export()
    bare = written(file, without(events_of(file), lambda e: e.station == LANE))
    said = verdict(bare, "--key", site.key)
    assert said.code == UNANCHORED
    assert "There is no checkpoint" in said.text


def test_an_export_without_a_station_does_not_pass_as_an_extract(
    site: WitnessedSite,
) -> None:
    extract = site.export(station="lobby")
    events = events_of(extract)
    assert verdict(written(extract, events), "--key", site.key).code == 1
    last = max(event.seq for event in events if event.station == "lobby")
    cut = without(events, lambda e: e.station == "lobby" and e.seq == last)
    said = verdict(written(extract, cut, keep_first=True), "--key", site.key)
    assert said.code == 1
    assert "The chain of lobby ends" in said.text


def test_a_key_that_is_taken_out_of_an_extract_is_missed(site: WitnessedSite) -> None:
    """Without it, a write of a card that has a key would pass as keyless."""
    events = list(site.store.audit_events())
    write = next(
        e for e in events if e.kind == "operation.writing" and e.station == "annex"
    )
    at, sealed = site.clock.now(), {"sealed_sha256": "ab" * 32}
    here = replace(write, station="lobby", operation="made up", at=at)
    site.add(
        [
            replace(
                here, kind="operation.authorised", data={"exception": "no", **sealed}
            ),
            replace(here, data={**write.data, **sealed}),
        ]
    )
    site.registry.checkpoint()
    file = site.export(station="lobby")
    assert "has a key on record" in verdict(file, "--key", site.key).text
    cut = without(
        events_of(file),
        lambda e: (
            e.kind == "credential.key_recorded" and e.credential == write.credential
        ),
    )
    forged = written(file, cut, keep_first=True)
    said = verdict(forged, "--key", site.key, "--head", site.head)
    assert said.code == 1
    assert "The chain of kiosk-1 ends" in said.text


@pytest.mark.parametrize("known", ["line", "note", "note and key"])
def test_behind_a_checkpoint_that_was_kept_a_thief_signs_no_extract(
    site: WitnessedSite, known: str
) -> None:
    """With a checkpoint and a key of another card that are the thief's own work."""
    file = site.export(station="lobby")
    words = {
        "line": ("--head", site.head),
        "note": ("--head", str(site.note())),
        "note and key": ("--head", str(site.note()), "--key", site.key),
    }[known]
    assert verdict(file, *words).code == 0
    events = events_of(file)
    thief = NoteSigner(site.world.parts.vault.signer().key.name, bytes(32))
    last = [e for e in events if e.lane == LANE][-1]
    heads = checkpoints.SignedCheckpoint.of(last).checkpoint.heads
    there = MemoryRegistry()
    there._tables.heads.update({**heads, LANE: audit.Head(last.seq, last.hash)})
    signed = there.run(lambda tx: checkpoints.sign(tx, thief, last.at))
    key = next(e for e in events if e.kind == "credential.key_recorded")
    draft = AuditDraft(
        at=key.at,
        station=key.station,
        kind=key.kind,
        actor=key.actor,
        credential=key.credential,
        data={**key.data, "key_sha256": "ab" * 32},
    )
    another = audit.link(draft, seq=1, previous=audit.GENESIS)
    own = [e for e in events if e.lane in (LANE, "lobby")]
    added = [another, *without(events, lambda e: e in own)]
    line = extracts.sign(
        thief,
        station="lobby",
        lanes=["lobby"],
        now=last.at,
        checkpoint=signed.seq,
        added=added,
    )
    forged = written(file, [*added, *own, signed])
    forged.write_bytes(canonical.encode(line) + b"\n" + forged.read_bytes())
    said = verdict(forged, *words)
    assert said.code == UNANCHORED, said.text
    assert "SOUND" not in said.text


def test_an_extract_says_for_itself_what_it_is_of_under_a_known_key_only(
    site: WitnessedSite, tmp_path: Path
) -> None:
    extract = site.export(station="lobby")
    lines = extract.read_bytes()
    forged = tmp_path / "forged.jsonl"
    forged.write_bytes(lines.replace(b"extract of lobby", b"extract of annex", 1))
    assert verdict(forged, "--key", site.key).code not in (0, UNANCHORED)


def test_whatever_line_is_changed_the_file_is_not_sound(site: WitnessedSite) -> None:
    file = site.export()
    events = events_of(file)
    for number, event in enumerate(events):
        for changed in (
            replace(event, actor="mallory"),
            replace(event, at=event.at + 1),
            replace(event, hash="0" * 64),
        ):
            forged = written(file, [*events[:number], changed, *events[number + 1 :]])
            assert verdict(forged, "--key", site.key).code == 1, (number, changed)
            forged.unlink()
        forged = written(file, [*events[:number], *events[number + 1 :]])
        assert verdict(forged, "--key", site.key).code != 0 or number == len(events) - 1
        forged.unlink()


@pytest.mark.parametrize(
    "also",
    [b'"actor":"mallory",', b'"data":{},', b" "],
    ids=["a name twice", "data twice", "a blank"],
)
def test_a_line_that_says_more_than_its_hash_covers_is_no_event(
    site: WitnessedSite, also: bytes
) -> None:
    """A reader of the file may see what no program does."""
    file = site.export()
    first, *others = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([b"{" + also + first[1:], *others]))
    with pytest.raises(NotAnExport) as caught:
        list(evidence_file.open_file(file).events())
    assert caught.value.line == 1
    assert verdict(file, "--key", site.key).code == 2


def test_lines_may_end_as_another_system_ends_them(site: WitnessedSite) -> None:
    file = site.export()
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert verdict(file, "--key", site.key).code == 0
