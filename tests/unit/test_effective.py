"""What somebody may do follows from the entries in their order, or is unknown."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab.domain.descriptors import GROUP, STRANGER, USER, descriptor, entry, raw_entry

from kiosk.directory.delegation import (
    ACCOUNT_RESTRICTIONS,
    PWD_LAST_SET,
    RESET_PASSWORD,
    Access,
)
from kiosk.directory.descriptor import parse
from kiosk.directory.effective_rights import (
    OWNER_RIGHTS,
    SELF,
    RightsVerdict,
    TokenHolder,
    kinds,
    may,
)

CALLER = TokenHolder(frozenset({USER, GROUP}))
OTHER = UUID(int=7)
RESET = RESET_PASSWORD.guid
CONTROL, WRITE = Access.CONTROL, Access.WRITE_PROPERTY
YES, NO, UNKNOWN = RightsVerdict.YES, RightsVerdict.NO, RightsVerdict.UNKNOWN
MYSTERY = raw_entry(0x55, b"????")


def may_reset(*entries: bytes, owner: str = STRANGER) -> RightsVerdict:
    found = parse(descriptor(*entries, owner=owner))
    return may(found, CALLER, CONTROL, RESET_PASSWORD.objects)


@pytest.mark.parametrize(
    ("entries", "verdict"),
    [
        ([], NO),
        ([entry(CONTROL)], YES),
        ([entry(CONTROL, GROUP)], YES),
        ([entry(CONTROL, STRANGER)], NO),
        ([entry(CONTROL, object_type=RESET)], YES),
        ([entry(CONTROL, object_type=OTHER)], NO),
        ([entry(WRITE, object_type=RESET)], NO),
        ([entry(0x10000000)], YES),
        ([entry(0x40000000)], NO),
        ([entry(CONTROL, flags=0x08)], NO),
        ([entry(CONTROL, flags=0x1A, object_type=RESET)], NO),
        ([entry(CONTROL, deny=True), entry(CONTROL)], NO),
        ([entry(CONTROL), entry(CONTROL, deny=True)], YES),
        ([entry(CONTROL, deny=True, object_type=OTHER), entry(CONTROL)], YES),
        ([entry(CONTROL, deny=True, flags=0x08), entry(CONTROL)], YES),
        ([entry(CONTROL, STRANGER, deny=True), entry(CONTROL)], YES),
        ([entry(CONTROL, conditional=True)], UNKNOWN),
        ([entry(CONTROL, conditional=True), entry(CONTROL)], YES),
        ([entry(CONTROL, conditional=True), entry(CONTROL, deny=True)], UNKNOWN),
        ([entry(CONTROL, conditional=True, deny=True), entry(CONTROL)], UNKNOWN),
        ([entry(CONTROL, conditional=True, deny=True)], NO),
        ([entry(CONTROL, STRANGER, conditional=True)], NO),
        ([MYSTERY], UNKNOWN),
        ([MYSTERY, entry(CONTROL)], UNKNOWN),
        ([entry(CONTROL), MYSTERY], YES),
    ],
)
def test_the_first_entry_that_speaks_of_it_decides(
    entries: list[bytes], verdict: RightsVerdict
) -> None:
    assert may_reset(*entries) is verdict


def test_without_a_list_everybody_may_and_with_none_sent_nobody_knows() -> None:
    assert may(parse(descriptor(dacl=None)), CALLER, CONTROL) is YES
    unsent = bytearray(descriptor())
    unsent[2] = 0
    assert may(parse(bytes(unsent)), CALLER, CONTROL) is UNKNOWN


def test_a_grant_on_a_set_of_properties_is_one_on_each_of_them() -> None:
    found = parse(descriptor(entry(WRITE, object_type=ACCOUNT_RESTRICTIONS)))
    assert may(found, CALLER, WRITE, PWD_LAST_SET.objects) is YES
    assert may(found, CALLER, WRITE, frozenset({OTHER})) is NO


def test_itself_means_whoever_the_object_is() -> None:
    found = parse(descriptor(entry(WRITE, SELF)))
    assert may(found, CALLER, WRITE) is NO
    assert may(found, TokenHolder(CALLER.token, STRANGER), WRITE) is NO
    assert may(found, TokenHolder(CALLER.token, USER), WRITE) is YES


def test_an_owner_may_change_permissions_unless_owners_are_limited() -> None:
    theirs, ours = parse(descriptor()), parse(descriptor(owner=GROUP))
    limited = parse(descriptor(entry(0x20000, OWNER_RIGHTS), owner=GROUP))
    assert may(theirs, CALLER, Access.WRITE_DACL) is NO
    assert may(ours, CALLER, Access.WRITE_DACL) is YES
    assert may(limited, CALLER, Access.WRITE_DACL) is NO
    assert may(limited, CALLER, Access.READ_CONTROL) is YES
    assert may(ours, CALLER, Access.WRITE_OWNER) is NO


def test_an_owner_that_was_not_sent_leaves_a_doubt() -> None:
    found = parse(descriptor(owner=""))
    assert may(found, CALLER, Access.WRITE_DACL) is UNKNOWN
    assert may(found, CALLER, CONTROL) is NO


def test_every_kind_that_is_granted_is_named() -> None:
    found = parse(
        descriptor(
            entry(WRITE, deny=True, object_type=RESET),
            entry(WRITE, object_type=RESET),
            entry(WRITE, object_type=OTHER),
            entry(WRITE, object_type=ACCOUNT_RESTRICTIONS, conditional=True),
            entry(CONTROL),
        )
    )
    assert kinds(found, CALLER, WRITE) == {OTHER: YES, ACCOUNT_RESTRICTIONS: UNKNOWN}
    assert kinds(found, CALLER, CONTROL) == {None: YES}
    assert kinds(found, CALLER, Access.CREATE_CHILD) == {}


@given(
    st.lists(
        st.builds(
            entry,
            st.sampled_from([CONTROL, WRITE, CONTROL | WRITE]),
            st.sampled_from([USER, GROUP, STRANGER]),
            deny=st.booleans(),
            flags=st.sampled_from([0, 0x08, 0x10]),
            object_type=st.sampled_from([None, RESET, OTHER]),
        ),
        max_size=6,
    )
)
def test_without_conditions_nothing_is_doubtful_and_a_longer_token_is_no_secret(
    entries: list[bytes],
) -> None:
    found = parse(descriptor(*entries))
    nobody = TokenHolder(frozenset({"S-1-0-0"}))
    assert may(found, nobody, CONTROL, frozenset({RESET})) is NO
    verdict = may(found, CALLER, CONTROL, frozenset({RESET}))
    assert verdict in (YES, NO)
    named = kinds(found, CALLER, CONTROL)
    if verdict is YES:
        assert RESET in named or None in named
