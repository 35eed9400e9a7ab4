"""The password policy that applies to one user: the domain's, or a fine-grained one.

Which fine-grained one applies anybody may read; its values only those to whom it was
granted (docs/directory.md).
"""

from __future__ import annotations

from ldap3.core.exceptions import LDAPInvalidDnError
from ldap3.utils.dn import parse_dn

from kiosk.directory.errors import PolicyUnreadable, ReadFailed
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.many_reads import Entry
from kiosk.directory.values import PasswordPolicy

_ANYTHING = "(objectClass=*)"
_COMPLEX = 0x1
_TICKS = 10**7
_NEVER = -(2**63)

_DOMAIN = (
    "minPwdLength",
    "pwdProperties",
    "pwdHistoryLength",
    "minPwdAge",
    "maxPwdAge",
    "lockoutThreshold",
)
FINE_GRAINED = (
    "msDS-MinimumPasswordLength",
    "msDS-PasswordComplexityEnabled",
    "msDS-PasswordHistoryLength",
    "msDS-MinimumPasswordAge",
    "msDS-MaximumPasswordAge",
    "msDS-LockoutThreshold",
)


def effective_policy(channel: Channel, user_dn: str) -> PasswordPolicy:
    """Return what applies to the user. PolicyUnreadable, ReadFailed."""
    user = channel.read(user_dn, _ANYTHING, "msDS-ResultantPSO")
    if user is None:  # gone, or hidden: then nothing is known of its policy
        raise ReadFailed(dc=channel.dc, reason="hidden")
    named = user.get("msDS-ResultantPSO", ())
    if named:
        return policy_named(channel, named[0].decode("utf-8", "replace"))
    return policy_of_domain(channel)


def policy_of_domain(channel: Channel) -> PasswordPolicy:
    """Return what applies to whoever has no fine-grained policy. ReadFailed."""
    root = channel.read("", _ANYTHING, "defaultNamingContext")
    head = (root or {}).get("defaultNamingContext", ())
    named = head[0].decode("utf-8", "replace") if head else ""
    domain = channel.read(named, _ANYTHING, *_DOMAIN) if named else None
    try:
        return domain_policy(domain or {})
    except (LookupError, ValueError) as error:
        raise ReadFailed(dc=channel.dc, reason="malformed") from error


def policy_named(channel: Channel, dn: str) -> PasswordPolicy:
    """Return a fine-grained policy by its DN. PolicyUnreadable, ReadFailed."""
    name = _name(dn)
    entry = channel.read(dn, _ANYTHING, *FINE_GRAINED)
    try:
        return fine_grained_policy(name, entry or {})
    except (LookupError, ValueError) as error:
        raise PolicyUnreadable(policy=name) from error


def domain_policy(entry: Entry) -> PasswordPolicy:
    """Read the domain head's values. LookupError, ValueError."""
    return _policy("domain", entry, _DOMAIN, complexity=_is_complex(entry))


def fine_grained_policy(name: str, entry: Entry) -> PasswordPolicy:
    """Read a password settings object's values. LookupError, ValueError."""
    complexity = entry["msDS-PasswordComplexityEnabled"][0] == b"TRUE"
    return _policy(name, entry, FINE_GRAINED, complexity=complexity)


def _is_complex(entry: Entry) -> bool:
    return bool(int(entry["pwdProperties"][0]) & _COMPLEX)


def _policy(
    source: str, entry: Entry, names: tuple[str, ...], *, complexity: bool
) -> PasswordPolicy:
    length, _, history, minimum_age, maximum_age, threshold = names
    return PasswordPolicy(
        source=source,
        minimum_length=_number(entry, length),
        complexity=complexity,
        history=_number(entry, history),
        minimum_age=_seconds(_number(entry, minimum_age)) or 0.0,
        maximum_age=_seconds(_number(entry, maximum_age)),
        lockout_threshold=_number(entry, threshold),
    )


def _number(entry: Entry, name: str) -> int:
    return int(entry[name][0])


def _seconds(ticks: int) -> float | None:
    """Return a negative count of 100 ns in seconds; None: no limit."""
    return None if ticks in (0, _NEVER) else -ticks / _TICKS


def _name(dn: str) -> str:
    """Return the first value of a DN: what an administrator calls the policy."""
    try:
        return str(parse_dn(dn)[0][1])
    except LDAPInvalidDnError:
        return dn
