"""What the numbers in Active Directory's answers mean: one table for each question.

A refusal is told by the Windows error in front of the message (8 hexadecimal digits),
not by the LDAP result, which differs between servers and versions (a policy is 19 or
53), and never by its words. A bind is told by the `data` sub-code within result 49.
"""

from __future__ import annotations

import re

from kiosk.core.untrusted_text import visible
from kiosk.directory.values import BindResult, WriteRefusal

SUCCESS = 0
MORE_TO_NEGOTIATE = 14
"""saslBindInProgress."""
SIZE_LIMIT_EXCEEDED = 4
NO_SUCH_OBJECT = 32
INVALID_CREDENTIALS = 49
UNAVAILABLE_CRITICAL_EXTENSION = 12
NOT_NOW = frozenset({1, 3, 11, 51, 52, 80})
"""operationsError, timeLimitExceeded, adminLimitExceeded, busy, unavailable, other: a
trouble of this DC's own, and another may do better."""

WELL = frozenset({SUCCESS, MORE_TO_NEGOTIATE, SIZE_LIMIT_EXCEEDED, NO_SUCH_OBJECT})
"""Nothing to write into a log about."""

REFUSED_BY_CODE = {
    "0000052D": WriteRefusal.POLICY,  # ERROR_PASSWORD_RESTRICTION
    "00000005": WriteRefusal.NO_RIGHT,  # ERROR_ACCESS_DENIED
    "00002098": WriteRefusal.NO_RIGHT,  # ERROR_DS_INSUFF_ACCESS_RIGHTS
    "00002030": WriteRefusal.GONE,  # ERROR_DS_NO_SUCH_OBJECT
    "0000208D": WriteRefusal.GONE,  # ERROR_DS_OBJ_NOT_FOUND
}
REFUSED_BY_RESULT = {
    1: WriteRefusal.NOT_HERE,  # operationsError
    10: WriteRefusal.NOT_HERE,  # referral: a read-only DC sends the writer elsewhere
    32: WriteRefusal.GONE,  # noSuchObject
    50: WriteRefusal.NO_RIGHT,  # insufficientAccessRights
    51: WriteRefusal.NOT_HERE,  # busy
    52: WriteRefusal.NOT_HERE,  # unavailable
}
"""For answers without a Windows error, or with one that is not in the table."""

BIND_SUBCODES = {
    "525": BindResult.WRONG_PASSWORD,  # no such user
    "52e": BindResult.WRONG_PASSWORD,
    "52f": BindResult.LOGON_HOURS,  # a restriction of the account
    "530": BindResult.LOGON_HOURS,
    "531": BindResult.LOGON_HOURS,  # not from this workstation
    "532": BindResult.EXPIRED_PASSWORD,
    "533": BindResult.DISABLED,
    "569": BindResult.LOGON_HOURS,  # not this kind of logon
    "701": BindResult.ACCOUNT_EXPIRED,
    "773": BindResult.MUST_CHANGE,
    "775": BindResult.LOCKED,
}

LONGEST_WORDS = 160
"""Characters of a DC's own words that are kept."""

_CHANNEL_BINDING = frozenset({"80090346"})
"""SEC_E_BAD_BINDINGS."""
_NOT_A_PASSWORDS_FAULT = {8: "stronger_auth", 34: "not_a_name"}
"""strongerAuthRequired, invalidDNSyntax."""

_CODE = re.compile(r"([0-9A-Fa-f]{8}):")
_SUBCODE = re.compile(r"\bdata ([0-9A-Fa-f]+)\b")


def windows_error(message: str) -> str:
    """Return the 8 digits in front of a message, upper case; empty: there are none."""
    found = _CODE.match(message)
    return found[1].upper() if found else ""


def told(result: int, message: str) -> dict[str, str | int]:
    """Return a DC's answer as data of an error: it is outside text, made visible."""
    said = visible(message, LONGEST_WORDS)
    return {"result": result, "hex": windows_error(message), "said": said}


def refusal(result: int, message: str) -> WriteRefusal:
    """Say why a modify was refused."""
    by_result = REFUSED_BY_RESULT.get(result, WriteRefusal.OTHER)
    return REFUSED_BY_CODE.get(windows_error(message), by_result)


def bind_result(result: int, message: str) -> BindResult:
    """Say what a bind's answer means; NO_ANSWER if it is neither yes nor no."""
    if result == SUCCESS:
        return BindResult.OK
    if result != INVALID_CREDENTIALS:
        return BindResult.NO_ANSWER
    found = _SUBCODE.search(message)
    if found is None:
        return BindResult.WRONG_PASSWORD
    return BIND_SUBCODES.get(found[1].lower(), BindResult.NO_ANSWER)


def why_no_sign_in(result: int, message: str) -> str:
    """Name why the service account was refused; `directory.why_sign_in.<value>`."""
    said = bind_result(result, message)
    if said is not BindResult.NO_ANSWER:
        return said.value
    if windows_error(message) in _CHANNEL_BINDING:
        return "channel_binding"
    return _NOT_A_PASSWORDS_FAULT.get(result, "other")
