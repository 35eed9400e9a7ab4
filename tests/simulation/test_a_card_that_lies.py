"""A card that lies: no try beyond the one sent, and no change without its mark.

What a card says of itself cannot always be proved. What can is that its lies cost
nothing: each value a person typed is presented once, a command that changes the card
comes after its mark, and the directory hears only what the recorded key has signed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab.cards.lying_card import HONEST, Liar, Script, does_compare, lie
from lab.histories import PLAIN, STORIES, History, Story

from kiosk.authority.errors import NotOnRecord
from kiosk.authority.proof.evidence import unproven_writes
from kiosk.cards.piv import objects
from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.core.errors import KioskError
from kiosk.simulation.cards.factory import make_card
from kiosk.simulation.cards.faults import FaultHand, Faults
from kiosk.simulation.world import World
from kiosk.visit.views import Outcome
from statemachine.operation import Phase
from storage import audit
from storage.records import Credential, Keyless

CHANGES = frozenset({(0x24, 0x80), (0x2C, 0x80)})
"""INS and P2 of what changes the PIN."""
MARKED = frozenset({Phase.CARD_CHANGING, Phase.ROLLING_BACK})
MOST_LIES = 120
"""Bytes of a script; one history takes about a dozen APDUs."""

by_story = pytest.mark.parametrize(
    "story", STORIES[:PLAIN], ids=lambda story: story.name
)
by_signed_story = pytest.mark.parametrize(
    "story",
    [story for story in STORIES if story.keyless is Keyless.OFF],
    ids=lambda story: story.name,
)
patient = settings(max_examples=60)


class Lies(Faults):
    """In place of a reader's faults: a liar, and what the card was told."""

    def __init__(self, world: World, script: bytes) -> None:
        super().__init__(ManualClock())
        self._world = world
        self._liar: Liar | None = Liar(Script(script))
        self.compared: list[bytes] = []
        """Each command that presented a value."""
        self.changes = 0

    @property
    def told(self) -> int:
        """How many lies were told."""
        return self._liar.lies if self._liar is not None else 0

    def transmit(
        self, apdu: bytearray, card: Callable[[bytearray], bytearray], hand: FaultHand
    ) -> bytearray:
        if does_compare(apdu):
            self.compared.append(bytes(apdu))
        if (apdu[1], apdu[3]) in CHANGES:
            self.changes += 1
            assert self._phase() in MARKED, "the card was changed without a mark"
        assert self._liar is not None
        return self._liar.transmit(apdu, card)

    def _phase(self) -> Phase:
        credential = self._world.credential("alice").id
        operations = self._world.registry.run(
            lambda tx: tx.operations(credential, limit=100)
        )
        return max(operations, key=lambda each: each.started_at).phase


def lied_to(story: Story, script: bytes) -> None:
    """Let a story happen with a lying card, and see what it cost."""
    history = History(story)
    world, card = history.world, history.holder.made.card
    tries = card.pin_tries_left, card.puk_tries_left
    heard: list[Lies] = []
    known: list[Credential] = []

    def begin_lying(world: World) -> None:
        known.append(world.credential("alice"))
        heard.append(Lies(world, script))
        world.readers.faults = heard[0]  # type: ignore[misc]  # the demo's hand sets faults, never replaces them

    history.attempt(begin_lying)
    (lies,) = heard
    for earlier, later in zip(lies.compared, lies.compared[1:], strict=False):
        assert earlier != later, "the same values were presented twice in a row"
    assert tries[0] - card.pin_tries_left <= lies.told
    assert tries[1] - card.puk_tries_left <= lies.told
    events = list(world.registry.audit_events())
    assert audit.verify(events).is_sound
    assert unproven_writes(events) == []
    writings = [event for event in events if event.kind == "operation.writing"]
    assert len(world.directory.writes) <= len(writings)
    if not lies.changes and not writings:
        before, after = known[0], world.credential("alice")
        assert (after.state, after.sync) == (before.state, before.sync)
        assert after.authentication_key == before.authentication_key


@by_story
@patient
@given(script=st.binary(max_size=MOST_LIES))
def test_arbitrary_lies_cost_nothing(story: Story, script: bytes) -> None:
    lied_to(story, script)


LIES = {
    "nothing": lie(sw=None),
    "half a status word": lie(data=b"\x90", sw=None),
    "done, and did not even listen": lie(sw=0x9000, heard=False),
    "done, with bytes nobody asked for": lie(data=b"\xff" * 255, sw=0x9000),
    "wrong lengths": lie(data=b"\x7c\x82\xff\xff\x82\x83\xff\xff\xff", sw=0x9000),
    "indefinite length": lie(data=b"\x53\x80\x30\x80", sw=0x9000),
    "more is waiting, nothing comes": lie(sw=0x6100) * 3,
    "more is waiting, for ever": lie(data=b"\x61", sw=0x6101) * 600,
    "another length, always": lie(sw=0x6C08) * 4,
    "a wrong PIN, and did not listen": lie(sw=0x63C1, heard=False),
    "blocked, and is not": lie(sw=0x6983),
    "no such command": lie(sw=0x6D00),
    "a status word that there is not": lie(sw=0xFFFF),
}
by_lie = pytest.mark.parametrize("told", LIES.values(), ids=LIES)


@by_story
@by_lie
def test_one_lie_at_every_apdu_costs_nothing(story: Story, told: bytes) -> None:
    honest = History(story)
    honest.attempt()
    for at in range(honest.world.readers.faults.count):
        lied_to(story, HONEST * at + told)


@patient
@given(script=st.binary(max_size=MOST_LIES))
def test_lies_while_it_is_recognised_present_no_value_at_all(script: bytes) -> None:
    history = History(STORIES[0])
    world, card = history.world, history.holder.made.card
    lies = Lies(world, script)
    world.readers.faults = lies  # type: ignore[misc]  # as above
    visit = world.visit(world.readers.insert(card))
    with contextlib.suppress(KioskError):
        visit.recognise()
    visit.close()
    assert (lies.compared, lies.changes, world.directory.writes) == ([], 0, [])
    assert (card.pin_tries_left, card.puk_tries_left) == (3, 3)
    assert audit.verify(list(world.registry.audit_events())).is_sound


# --- another card's keys -----------------------------------------------------------


def other_key(reference: int) -> object:
    """The key of a card that is not on record."""
    other = make_card(SeededEntropy(9), subject="Eve", pin=b"1" * 6, puk=b"2" * 8)
    return other.card.keys[reference]


@by_signed_story
def test_a_signature_by_another_key_changes_neither_card_nor_password(
    story: Story,
) -> None:
    history = History(story)
    made = history.holder.made.card
    pin = history.card_pin()
    for reference in made.keys:
        made.keys[reference] = other_key(reference)
    result = history.attempt()
    assert result is None or result.outcome is not Outcome.DONE
    assert history.world.directory.writes == []
    if story.tries != 0:
        assert made.has_pin(pin)


@by_signed_story
def test_the_certificate_of_another_card_gives_it_no_rights(story: Story) -> None:
    """The key on record decides; what the card shows beside it is not believed."""
    history = History(story)
    made = history.holder.made.card
    other = make_card(SeededEntropy(9), subject="Eve", pin=b"1" * 6, puk=b"2" * 8)
    for tag in (objects.CERTIFICATE_9A, objects.CERTIFICATE_9E):
        made.objects[tag] = other.card.objects[tag]
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    history.assert_invariants(result)


def test_a_card_known_by_its_certificate_is_another_with_another_certificate() -> None:
    history = History(STORIES[0])
    made = history.holder.made.card
    other = make_card(SeededEntropy(9), subject="Eve", pin=b"1" * 6, puk=b"2" * 8)
    del made.objects[objects.CHUID]
    made.objects[objects.CERTIFICATE_9A] = other.card.objects[objects.CERTIFICATE_9A]
    visit = history.world.visit(history.world.readers.insert(made))
    with pytest.raises(NotOnRecord):
        visit.recognise()
