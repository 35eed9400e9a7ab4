"""Earlier PINs: recognised for as long as the template wants, by every version."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from msgspec.structs import replace

from kiosk.authority.rules import pin_history
from kiosk.core.secret import Secret
from kiosk.simulation.world import World
from storage.records import Credential, PinPolicy, Template

PINS = [b"100001", b"200002", b"300003", b"400004"]


class Person:
    """Somebody whose template wants so many earlier PINs not to return."""

    def __init__(self, wanted: int, *, apply: bool = True) -> None:
        self.world = World()
        policy = PinPolicy(history=wanted)
        self.template = Template(
            name="staff", pin_policy=policy, apply_pin_policy=apply
        )
        self.world.add_template(self.template)
        guid = self.world.directory.add_account("ann")
        made, puk = self.world.make_card("ann", pin=b"271828")
        self.world.register("ann", made, puk, account_guid=guid, template="staff")
        self.credential: Credential = self.world.credential("ann")

    def sets(self, pin: bytes) -> None:
        with Secret(pin) as secret:
            made = pin_history.hashed(self.world.parts, self.template, secret)
        sealed = pin_history.with_pin(
            self.world.parts, self.credential, self.template, made
        )
        self.credential = replace(self.credential, pin_history_sealed=sealed)

    def knows(self, pin: bytes) -> bool:
        with Secret(pin) as secret:
            return pin_history.is_known(
                self.world.parts, self.credential, self.template, secret
            )


@pytest.mark.parametrize("wanted", [1, 2, 4, 9])
def test_so_many_of_the_last_may_not_return(wanted: int) -> None:
    person = Person(wanted)
    for pin in PINS:
        assert not person.knows(pin)
        person.sets(pin)
    assert [person.knows(pin) for pin in reversed(PINS)] == [
        number < wanted for number in range(4)
    ]


def test_a_template_that_wants_fewer_now_counts_and_one_that_wants_none_forgets() -> (
    None
):
    person = Person(4)
    for pin in PINS:
        person.sets(pin)
    person.template = replace(person.template, pin_policy=PinPolicy(history=1))
    assert [person.knows(pin) for pin in PINS] == [False, False, False, True]
    person.template = replace(person.template, pin_policy=PinPolicy(history=0))
    assert not person.knows(PINS[3])
    person.sets(b"500005")
    assert person.credential.pin_history_sealed == ""


def test_a_policy_that_is_not_applied_keeps_nothing() -> None:
    person = Person(4, apply=False)
    person.sets(PINS[0])
    assert person.credential.pin_history_sealed == ""


def test_nothing_that_was_set_leaves_what_was_there() -> None:
    """A finish may bring a value of which nobody has the hash."""
    person = Person(4)
    person.sets(PINS[0])
    sealed = pin_history.with_pin(
        person.world.parts, person.credential, person.template, None
    )
    person.credential = replace(person.credential, pin_history_sealed=sealed)
    assert person.knows(PINS[0])


@pytest.mark.usefixtures("hashes_as_shipped")
def test_what_an_earlier_version_has_kept_is_recognised() -> None:
    """scrypt with 2**12, 8 and 1, 32 bytes, in an envelope: as it always was."""
    person, salt = Person(4), bytes(range(16))
    digest = hashlib.scrypt(PINS[0], salt=salt, n=4096, r=8, p=1, dklen=32)
    plain = bytearray(msgspec.json.encode([[salt, digest]]))
    sealed = person.world.parts.vault.seal(
        plain, record=person.credential.id, table="credentials", field="pin_history"
    )
    person.credential = replace(person.credential, pin_history_sealed=sealed)
    assert person.knows(PINS[0])
    assert not person.knows(PINS[1])


def test_each_has_a_salt_of_its_own() -> None:
    person = Person(4)
    with Secret(PINS[0]) as pin:
        made = [
            pin_history.hashed(person.world.parts, person.template, pin)
            for _ in range(2)
        ]
    assert made[0] is not None
    assert made[1] is not None
    assert len(made[0].salt) == 16
    assert made[0].digest != made[1].digest
