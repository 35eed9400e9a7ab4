"""What is wrong with a file that is read strictly: a class a kind, each with its data.

None repeats a value: somebody may have typed a password where its file's name belongs.
"""

from __future__ import annotations

from kiosk.core.errors import KioskError


class FileError(KioskError):
    """Root of what reading a file may raise. `file` is its path."""

    code = "config.error"


class FileUnreadable(FileError):
    """The file is not there or may not be read: `file`, `reason`."""

    code = "config.unreadable"


class NotToml(FileError):
    """The file breaks TOML's own rules: `file`, `reason` (with line and column)."""

    code = "config.not_toml"


class GivenTwice(NotToml):
    """A key or a table stands there twice: `file`, `reason` (line and column)."""

    code = "config.given_twice"


class ByteOrderMark(FileError):
    """The file begins with a mark that TOML does not know: `file`."""

    code = "config.byte_order_mark"


class NotOurs(FileError):
    """Somebody else owns the file or may write it: `file`."""

    code = "config.not_ours"


class UnknownTomlKey(FileError):
    """A key that means nothing, and the nearest one that does: `file`, `key`,
    `nearest`.
    """

    code = "config.unknown_key"


class MeaninglessKey(FileError):
    """A key that means nothing and is like no other: `file`, `key`, `known`."""

    code = "config.meaningless_key"


class MissingKey(FileError):
    """A key without a default is not there: `file`, `key`."""

    code = "config.missing_key"


class WrongValue(FileError):
    """A value is of the wrong kind: `file`, `key`, `expected` (words)."""

    code = "config.wrong_value"
