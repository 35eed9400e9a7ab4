"""Names of the directory that people type: a unit of users, a service's account. Pure.

They hold nothing that a shell, an LDAP path or a program's option could take for
anything but a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_POLICIES = "CN=Password Settings Container,CN=System"


class NotAUnit(ValueError):
    """No distinguished name of a unit below a domain."""


class NotAnAccountName(ValueError):
    """No sAMAccountName that a user could have."""


_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_HEX_PAIR = re.compile(r"[0-9A-Fa-f]{2}")
_PLAIN = frozenset(" ._-")
"""Besides letters and digits: what stands in a name as it is."""
_LONGEST_UNIT = 1024
_LONGEST_ACCOUNT = 256
_NOT_IN_ACCOUNTS = frozenset('"/\\[]:;|=,+*?<>')
"""What a sAMAccountName cannot hold (MS-SAMR 3.1.1.6)."""
_Part = tuple[str, str]
"""Attribute and value of one step of a name."""


@dataclass(frozen=True, slots=True)
class UserContainer:
    """A container of users, by its distinguished name (RFC 4514).

    Everything in `dn` but letters, digits, space, `.`, `_` and `-` is written as the
    hexadecimal digits of its UTF-8, which every directory takes for the same name.
    """

    dn: str
    domain: str
    """The DN of the domain that it is in."""

    @classmethod
    def parse(cls, text: str) -> UserContainer:
        """Read a DN as a person writes it. NotAUnit."""
        if not text.isprintable() or len(text) > _LONGEST_UNIT:
            raise NotAUnit(text)
        parts = _parts(text)
        inside = [part for part in parts if part[0].upper() != "DC"]
        domain = parts[len(inside) :]
        if not inside or not domain or parts[: len(inside)] != inside:
            raise NotAUnit(text)
        return cls(_spelled(parts), _spelled(domain))

    @property
    def policies(self) -> str:
        """The DN of the container of its domain's fine-grained policies."""
        return f"{_POLICIES},{self.domain}"

    @property
    def dns_domain(self) -> str:
        """The DNS name of its domain."""
        return ".".join(value for _, value in _parts(self.domain))

    def holds(self, dn: str) -> bool:
        """Say whether an object with that DN is somewhere below."""
        try:
            parts, ours = _parts(dn.casefold()), _parts(self.dn.casefold())
        except NotAUnit:
            return False
        return len(parts) > len(ours) and parts[-len(ours) :] == ours


@dataclass(frozen=True, slots=True)
class AccountName:
    """A sAMAccountName."""

    name: str

    @classmethod
    def parse(cls, text: str) -> AccountName:
        """Read a name as a person writes it. NotAnAccountName."""
        if (
            not text.strip(" .")
            or not text.isprintable()
            or len(text) > _LONGEST_ACCOUNT
            or text.startswith("-")  # would be an option to the program it is given to
            or _NOT_IN_ACCOUNTS & set(text)
            or "@" in text
        ):
            raise NotAnAccountName(text)
        return cls(text)


def _parts(text: str) -> list[_Part]:
    """Split a DN into its steps, values without their escapes. NotAUnit."""
    parts = []
    for step in _steps(text):
        attribute, equals, value = step.partition("=")
        attribute = attribute.strip(" ")
        if not equals or not _ATTRIBUTE.fullmatch(attribute):
            raise NotAUnit(text)
        parts.append((attribute, _unescaped(_trimmed(value))))
    return parts


def _steps(text: str) -> list[str]:
    """Split at each comma that is not escaped."""
    steps, begin, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == ",":
            steps.append(text[begin:at])
            begin = at + 1
        at += 1
    return [*steps, text[begin:]]


def _trimmed(value: str) -> str:
    """Drop the spaces around a value, but not one that is escaped."""
    value = value.lstrip(" ")
    bare = value.rstrip(" ")
    cut = len(value) - len(bare)
    escapes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if cut and escapes % 2 else bare


def _unescaped(value: str) -> str:
    r"""Undo `\,` and `\2C` (RFC 4514, 2.4). NotAUnit."""
    found = bytearray()
    at = 0
    while at < len(value):
        if value[at] != "\\":
            found += value[at].encode()
            at += 1
        elif _HEX_PAIR.fullmatch(value[at + 1 : at + 3]):
            found += bytes.fromhex(value[at + 1 : at + 3])
            at += 3
        elif at + 1 < len(value):
            found += value[at + 1].encode()
            at += 2
        else:
            raise NotAUnit(value)
    try:
        text = found.decode()
    except ValueError as error:
        raise NotAUnit(value) from error
    if not text or not text.isprintable():
        raise NotAUnit(value)
    return text


def _spelled(parts: list[_Part]) -> str:
    return ",".join(f"{attribute}={_escaped(value)}" for attribute, value in parts)


def _escaped(value: str) -> str:
    """Write every character that could mean something to anybody in hexadecimal."""
    outer = {0, len(value) - 1}
    return "".join(
        char
        if char.isalnum() or (char in _PLAIN and not (char == " " and at in outer))
        else "".join(f"\\{byte:02X}" for byte in char.encode())
        for at, char in enumerate(value)
    )
