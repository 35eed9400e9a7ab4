"""A user object's attributes, read as facts."""

from __future__ import annotations

import struct
import uuid

import pytest

from kiosk.directory.ldap.accounts import (
    Unjudgeable,
    account_of,
    is_called,
    is_protected,
    sampled,
)
from kiosk.directory.ldap.policies import domain_policy, fine_grained_policy

NOW = 1_767_261_600.0
GUID = uuid.UUID("fab90104-9f5b-4b0e-b560-3d9d2ffecd28")
NEVER = b"9223372036854775807"
DOMAIN = (21, 11, 22, 33)


def sid(*parts: int, authority: int = 5) -> bytes:
    head = struct.pack(">BB6s", 1, len(parts), authority.to_bytes(6, "big"))
    return head + struct.pack(f"<{len(parts)}I", *parts)


def entry(**attributes: bytes | list[bytes] | None) -> dict[str, list[bytes]]:
    """An ordinary account with some attributes replaced, or left out (None)."""
    plain: dict[str, bytes | list[bytes] | None] = {
        "objectGUID": GUID.bytes_le,
        "distinguishedName": b"CN=ann,DC=ad,DC=test",
        "sAMAccountName": b"ann",
        "userPrincipalName": b"ann@ad.test",
        "userAccountControl": b"512",
        "pwdLastSet": b"134399230804280290",
        "accountExpires": NEVER,
        "tokenGroups": [sid(*DOMAIN, 513), sid(32, 545)],
    }
    plain.update({name.replace("__", "-"): value for name, value in attributes.items()})
    return {
        name: value if isinstance(value, list) else [value]
        for name, value in plain.items()
        if value is not None
    }


def computed(value: bytes) -> dict[str, bytes]:
    return {"msDS__User__Account__Control__Computed": value}


def test_an_ordinary_account_may_be_touched() -> None:
    account = account_of(entry(), NOW)
    assert account.guid == str(GUID)
    assert account.enabled
    assert not any((account.locked, account.expired, account.privileged))
    assert account.pwd_last_set == 134399230804280290
    assert account.display_name == ""


@pytest.mark.parametrize(
    ("control", "enabled", "smart_card"),
    [(b"514", False, False), (b"262656", True, True), (b"66048", True, False)],
)
def test_flags_are_bits_of_useraccountcontrol(
    control: bytes, enabled: bool, smart_card: bool
) -> None:
    account = account_of(entry(userAccountControl=control), NOW)
    assert account.enabled is enabled
    assert account.smart_card_required is smart_card


def test_the_dc_says_itself_whether_a_lock_still_holds() -> None:
    ran_out = entry(lockoutTime=b"134399230804280290", **computed(b"0"))
    holds = entry(lockoutTime=b"134399230804280290", **computed(b"16"))
    assert not account_of(ran_out, NOW).locked
    assert account_of(holds, NOW).locked


def test_a_dc_that_computes_nothing_is_judged_by_the_time_of_the_lock() -> None:
    assert account_of(entry(lockoutTime=b"134399230804280290"), NOW).locked
    assert not account_of(entry(lockoutTime=b"0"), NOW).locked


@pytest.mark.parametrize(
    ("expires", "is_expired"),
    [
        (b"0", False),
        (NEVER, False),
        (b"116444736000000000", True),
        (b"134117352000000000", True),
        (b"134117352000000001", False),
    ],
)
def test_an_account_expires_at_its_time(
    expires: bytes | None, is_expired: bool
) -> None:
    assert account_of(entry(accountExpires=expires), NOW).expired is is_expired


@pytest.mark.parametrize(
    "token",
    [
        sid(*DOMAIN, 512),
        sid(*DOMAIN, 518),
        sid(*DOMAIN, 519),
        sid(32, 544),
        sid(32, 548),
        sid(32, 551),
    ],
)
def test_a_protected_group_anywhere_in_the_token_is_privilege(token: bytes) -> None:
    groups = [sid(*DOMAIN, 513), token]
    assert account_of(entry(tokenGroups=groups), NOW).privileged


def test_the_mark_of_the_domain_is_privilege_without_any_group() -> None:
    assert account_of(entry(adminCount=b"1"), NOW).privileged
    assert sampled(entry(adminCount=b"1", tokenGroups=None), NOW).privileged


@pytest.mark.parametrize(
    "other",
    [
        sid(*DOMAIN, 513),
        sid(*DOMAIN, 1512),
        sid(32, 545),
        sid(21, 512, authority=9),
        sid(11),
        b"",
        b"\x01\x05",
        sid(*DOMAIN, 512)[:-2],
    ],
)
def test_no_other_sid_is_privilege(other: bytes) -> None:
    assert not is_protected(other)


def test_groups_that_cannot_be_read_are_not_no_groups() -> None:
    with pytest.raises(Unjudgeable, match="tokenGroups"):
        account_of(entry(tokenGroups=None), NOW)
    with pytest.raises(Unjudgeable, match="tokenGroups"):
        account_of(entry(tokenGroups=[]), NOW)


@pytest.mark.parametrize(
    "name", ["userAccountControl", "pwdLastSet", "accountExpires", "objectGUID"]
)
def test_what_must_be_known_is_never_assumed(name: str) -> None:
    with pytest.raises(Unjudgeable, match=name):
        account_of(entry(**{name: None}), NOW)
    with pytest.raises(Unjudgeable, match=name):
        account_of(entry(**{name: b"?"}), NOW)


def test_an_account_is_called_what_it_is_called() -> None:
    assert is_called(entry(), "ANN")
    assert is_called(entry(), "ann@AD.test")
    assert not is_called(entry(), "änn")
    assert not is_called(entry(), "an")


# --- policies ----------------------------------------------------------------

HEAD = {
    "minPwdLength": [b"7"],
    "pwdProperties": [b"1"],
    "pwdHistoryLength": [b"24"],
    "minPwdAge": [b"-864000000000"],
    "maxPwdAge": [b"-36288000000000"],
    "lockoutThreshold": [b"0"],
}
FINE = {
    "msDS-MinimumPasswordLength": [b"6"],
    "msDS-PasswordComplexityEnabled": [b"FALSE"],
    "msDS-PasswordHistoryLength": [b"5"],
    "msDS-MinimumPasswordAge": [b"0"],
    "msDS-MaximumPasswordAge": [b"-9223372036854775808"],
    "msDS-LockoutThreshold": [b"5"],
}


def test_ages_are_counted_in_negative_tenths_of_microseconds() -> None:
    policy = domain_policy(HEAD)
    assert policy.minimum_age == 86_400.0
    assert policy.maximum_age == 42 * 86_400.0


@pytest.mark.parametrize("never", [b"0", b"-9223372036854775808"])
def test_a_password_may_last_for_ever(never: bytes) -> None:
    assert domain_policy({**HEAD, "maxPwdAge": [never]}).maximum_age is None


@pytest.mark.parametrize(
    ("bits", "wanted"), [(b"0", False), (b"1", True), (b"17", True)]
)
def test_complexity_is_one_bit_among_others(bits: bytes, wanted: bool) -> None:
    assert domain_policy({**HEAD, "pwdProperties": [bits]}).complexity is wanted


def test_a_fine_grained_policy_has_the_name_of_its_object() -> None:
    policy = fine_grained_policy("pin-users", FINE)
    assert policy.source == "pin-users"
    assert policy.minimum_length == 6
    assert not policy.complexity
    assert policy.maximum_age is None


@pytest.mark.parametrize("missing", list(FINE))
def test_a_value_that_cannot_be_read_is_never_assumed(missing: str) -> None:
    readable = {name: value for name, value in FINE.items() if name != missing}
    with pytest.raises(LookupError):
        fine_grained_policy("pin-users", readable)
