"""The card's signature is left out only for a card that came without a key."""

from __future__ import annotations

import pytest
from lab.histories import History
from lab.liar import named
from msgspec.structs import replace

from kiosk.authority.rules.sync_conditions import Proof, proof_of
from storage.records import Keyless

KEYLESS = [
    (Keyless.WITHOUT, Proof(signature=False)),
    (Keyless.WITH_RELEASE, Proof(signature=False, release=True)),
]


@pytest.mark.parametrize(("keyless", "proof"), KEYLESS)
def test_a_card_whose_issuing_broke_off_is_no_card_that_came_without_a_key(
    keyless: Keyless, proof: Proof
) -> None:
    """It has keys, which are not on record: whoever holds it signs nothing."""
    world = History(named("change")).world
    template = world.registry.read(lambda view: view.template("staff"))
    template = replace(template, keyless=keyless)
    credential = replace(world.credential("alice"), authentication_key=None)
    assert proof_of(replace(credential, migrated=True), template) == proof
    assert proof_of(replace(credential, migrated=False), template) is None


def test_without_the_exception_nothing_is_left_out() -> None:
    world = History(named("change")).world
    template = world.registry.read(lambda view: view.template("staff"))
    credential = world.credential("alice")
    assert proof_of(credential, template) == Proof(signature=True)
    migrated = replace(credential, authentication_key=None, migrated=True)
    assert proof_of(migrated, replace(template, keyless=Keyless.OFF)) is None
