"""What a DC's numbers mean: answers as they were recorded, Samba's and Windows'."""

from __future__ import annotations

import pytest

from kiosk.directory.ldap import codes
from kiosk.directory.values import BindResult, WriteRefusal

TOO_SHORT = (
    "0000052D: Constraint violation - check_password_restrictions: the password is "
    "too short. It should be equal to or longer than 7 characters!"
)
UNWILLING = "0000052D: Unwilling to perform - check_password_restrictions: …"
WINDOWS = "0000052D: SvcErr: DSID-031A126C, problem 5003 (WILL_NOT_PERFORM), data 0"
WINDOWS_CHANGE = (
    "0000052D: AtrErr: DSID-03191083, #1:\n\t0: 0000052D: DSID-03191083, problem 1005 "
    "(CONSTRAINT_ATT_TYPE), data 0, Att 9005a (unicodePwd)"
)
ACL = "error in module acl: insufficient access rights during LDB_MODIFY (50)"
NO_PROPERTY = (
    "00002098: Object CN=x,DC=ad,DC=test has no write property access\n: insufficient "
    "access rights"
)
WINDOWS_NO_RIGHT = (
    "00000005: SecErr: DSID-03152BF4, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0"
)
NT_HASH = "00002035: setup_io: it's not allowed to set the NT hash password directly'"
NO_ENCRYPTION = "0000001F: SvcErr: DSID-031A126C, problem 5003 (WILL_NOT_PERFORM)"


@pytest.mark.parametrize(
    ("result", "message", "why"),
    [
        (19, TOO_SHORT, WriteRefusal.POLICY),
        (53, UNWILLING, WriteRefusal.POLICY),
        (53, WINDOWS, WriteRefusal.POLICY),
        (19, WINDOWS_CHANGE, WriteRefusal.POLICY),
        (50, ACL, WriteRefusal.NO_RIGHT),
        (50, NO_PROPERTY, WriteRefusal.NO_RIGHT),
        (50, WINDOWS_NO_RIGHT, WriteRefusal.NO_RIGHT),
        (32, "00002030: No such Base DN: <GUID=…>", WriteRefusal.GONE),
        (32, "", WriteRefusal.GONE),
        (32, "0000208D: NameErr: DSID-03100245, problem 2001", WriteRefusal.GONE),
        (53, NT_HASH, WriteRefusal.OTHER),
        (53, NO_ENCRYPTION, WriteRefusal.OTHER),
        (19, "error in module acl: Constraint violation", WriteRefusal.OTHER),
        (12, "", WriteRefusal.OTHER),
        (51, "", WriteRefusal.NOT_HERE),
        (10, "", WriteRefusal.NOT_HERE),
        (80, "", WriteRefusal.OTHER),
    ],
)
def test_a_refused_write_is_told_by_the_windows_error(
    result: int, message: str, why: WriteRefusal
) -> None:
    assert codes.refusal(result, message) is why


def test_words_decide_nothing() -> None:
    assert codes.refusal(53, "the password is too short 0000052D") is WriteRefusal.OTHER


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (WINDOWS, "0000052D"),
        ("0000052d: lower case", "0000052D"),
        (ACL, ""),
        ("", ""),
        ("52D: too few digits", ""),
    ],
)
def test_the_windows_error_stands_in_front(message: str, code: str) -> None:
    assert codes.windows_error(message) == code


def said(data: str) -> str:
    return (
        "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data "
        f"{data}, v1db1"
    )


@pytest.mark.parametrize(
    ("data", "result"),
    [
        ("525", BindResult.WRONG_PASSWORD),
        ("52e", BindResult.WRONG_PASSWORD),
        ("52E", BindResult.WRONG_PASSWORD),
        ("530", BindResult.LOGON_HOURS),
        ("531", BindResult.LOGON_HOURS),
        ("532", BindResult.EXPIRED_PASSWORD),
        ("533", BindResult.DISABLED),
        ("701", BindResult.ACCOUNT_EXPIRED),
        ("773", BindResult.MUST_CHANGE),
        ("775", BindResult.LOCKED),
        ("7fff", BindResult.NO_ANSWER),
    ],
)
def test_a_refused_bind_is_told_by_its_sub_code(data: str, result: BindResult) -> None:
    assert codes.bind_result(49, said(data)) is result


@pytest.mark.parametrize(
    ("result", "message", "meaning"),
    [
        (0, "", BindResult.OK),
        (49, "", BindResult.WRONG_PASSWORD),
        (8, "BindSimple: Transport encryption required.", BindResult.NO_ANSWER),
        (51, said("52e"), BindResult.NO_ANSWER),
        (53, "", BindResult.NO_ANSWER),
    ],
)
def test_only_result_49_says_no_to_a_password(
    result: int, message: str, meaning: BindResult
) -> None:
    assert codes.bind_result(result, message) is meaning
