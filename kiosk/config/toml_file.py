"""A TOML file, read strictly into a struct: configuration, templates, scenarios.

Errors name the file and the key, and say what would be right; they never repeat
a value, because somebody may have typed a password where its file's name belongs.
"""

from __future__ import annotations

import codecs
import difflib
import os
import re
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from kiosk.config.file_errors import (
    ByteOrderMark,
    FileError,
    FileUnreadable,
    GivenTwice,
    MeaninglessKey,
    MissingKey,
    NotOurs,
    NotToml,
    UnknownTomlKey,
    WrongValue,
)
from kiosk.core import regular_files
from kiosk.core.errors import reason_of
from storage.known_types import known

__all__ = (
    "ByteOrderMark",
    "FileError",
    "FileUnreadable",
    "GivenTwice",
    "MeaninglessKey",
    "MissingKey",
    "NotOurs",
    "NotToml",
    "UnknownTomlKey",
    "WrongValue",
    "decode",
    "expected",
    "load",
    "load_own",
    "read",
)

T = TypeVar("T", bound=msgspec.Struct)

_LARGEST = 4 << 20
"""Bytes of which no file of ours has more; a device may have no end."""
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?$", re.DOTALL)
_QUOTES_NOTHING = ("Invalid", "Expected", "Unclosed", "Unterminated", "Unescaped")
"""How the parser's messages begin that name only what it missed."""
_SAYS_TWICE = ("Cannot overwrite", "Cannot declare", "Cannot redefine", "Duplicate")
"""How those begin that speak of what is there already."""
_OF_ANOTHER_FORM = "Expected `str` matching regex"
"""How msgspec begins where it is text, and the pattern does not hold."""
_MISSING = re.compile(r"missing required field `(?P<name>[^`]*)`")


def read(path: Path, kind: type[T]) -> T:
    """Read `path` into a `kind`; relative paths in it start at its folder.

    FileError.
    """
    return decode(load(path), kind, file=path)


def load(path: Path) -> dict[str, Any]:
    """Read `path` as plain TOML. FileUnreadable, ByteOrderMark, NotToml."""
    return _load(path, _anybodys)


def load_own(path: Path) -> dict[str, Any]:
    """Read a file that gives power, so nobody else may have written it.

    FileUnreadable, ByteOrderMark, NotToml, NotOurs.
    """
    return _load(path, _ours)


def _load(path: Path, check: Callable[[Path, os.stat_result], None]) -> dict[str, Any]:
    try:
        with regular_files.opened(path) as stream:
            check(path, os.fstat(stream.fileno()))
            text = stream.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise FileUnreadable(file=str(path), reason=f"more than {_LARGEST} bytes")
        if text.startswith(codecs.BOM_UTF8):
            raise ByteOrderMark(file=str(path))
        return tomllib.loads(text.decode())
    except OSError as error:
        reason = reason_of(error)
        raise FileUnreadable(file=str(path), reason=reason) from error
    except UnicodeDecodeError as error:
        raise NotToml(
            file=str(path), reason=f"no UTF-8 at byte {error.start}"
        ) from None
    except RecursionError:
        raise NotToml(file=str(path), reason="nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        kind = GivenTwice if str(error).startswith(_SAYS_TWICE) else NotToml
        raise kind(file=str(path), reason=_without_quotation(error)) from None


def _without_quotation(error: tomllib.TOMLDecodeError) -> str:
    """Return what the parser says, or only where, if it repeats what stands there."""
    said = str(error)
    if said.startswith(_QUOTES_NOTHING):
        return said
    return said[said.rfind("(at ") :].strip("()")


def _anybodys(path: Path, status: os.stat_result) -> None:
    """Any file will do."""


def _ours(path: Path, status: os.stat_result) -> None:
    """Only a file of this user or of root will do, that nobody else may write."""
    owned = status.st_uid in (os.geteuid(), 0)
    if not owned or stat.S_IMODE(status.st_mode) & 0o022:
        raise NotOurs(file=str(path))


def decode(table: dict[str, Any], kind: type[T], *, file: Path) -> T:
    """Turn a table into a `kind`.

    UnknownKey, MeaninglessKey, MissingKey, WrongValue.
    """
    tree = inspect.type_info(kind)
    for key, siblings in _unknown(table, tree, ""):
        _refuse_key(key, siblings, _leaves(tree, ""), file)

    def decode_path(wanted: type, value: object) -> object:
        if wanted is not Path or not isinstance(value, str) or not value:
            raise ValueError
        if "\0" in value:
            raise ValueError
        try:
            return file.parent / Path(value).expanduser()
        except RuntimeError:  # nobody here has that name, or a home
            raise ValueError from None

    try:
        return msgspec.convert(table, known(kind), dec_hook=decode_path)
    except msgspec.ValidationError as error:
        raise _explained(str(error), tree, file) from error


# --- keys that mean nothing --------------------------------------------------


def _unknown(value: object, node: inspect.Type, key: str) -> list[tuple[str, set[str]]]:
    """Return each key without a meaning, with the keys that have one beside it."""
    found: list[tuple[str, set[str]]] = []
    node = _bare(node)
    if isinstance(node, inspect.StructType) and isinstance(value, dict):
        fields = {field.encode_name: field.type for field in node.fields}
        for name, inner in value.items():
            if name in fields:
                found += _unknown(inner, fields[name], _join(key, name))
            else:
                found.append((_join(key, name), {_join(key, each) for each in fields}))
    elif isinstance(node, inspect.VarTupleType | inspect.ListType):
        items = value if isinstance(value, list) else []
        for index, inner in enumerate(items):
            found += _unknown(inner, node.item_type, f"{key}[{index}]")
    elif isinstance(node, inspect.DictType) and isinstance(value, dict):
        for name, inner in value.items():
            found += _unknown(inner, node.value_type, _join(key, str(name)))
    return found


def _refuse_key(key: str, siblings: set[str], everything: set[str], file: Path) -> None:
    """Raise with the nearest key that means something, beside this one or anywhere."""
    name = _last(key)
    elsewhere = sorted(each for each in everything if _last(each) == name)
    nearest = _alike(name, siblings, 0.7) or elsewhere or _alike(name, everything, 0.8)
    if nearest:
        raise UnknownTomlKey(file=str(file), key=key, nearest=nearest[0])
    known = ", ".join(sorted(_last(each) for each in siblings))
    raise MeaninglessKey(file=str(file), key=key, known=known)


def _alike(name: str, keys: set[str], cutoff: float) -> list[str]:
    by_name = {_last(key): key for key in sorted(keys, reverse=True)}
    close = difflib.get_close_matches(name, by_name, n=1, cutoff=cutoff)
    return [by_name[each] for each in close]


def _leaves(node: inspect.Type, key: str) -> set[str]:
    """Return every key a file of this kind may have."""
    node = _bare(node)
    if isinstance(node, inspect.VarTupleType | inspect.ListType):
        return _leaves(node.item_type, key)
    if not isinstance(node, inspect.StructType):
        return {key}
    return set().union(
        *(_leaves(field.type, _join(key, field.encode_name)) for field in node.fields)
    )


# --- values of the wrong kind ------------------------------------------------


def _explained(problem: str, tree: inspect.Type, file: Path) -> FileError:
    place = _PLACE.match(problem)
    key = (place["path"] or "") if place else ""
    missing = _MISSING.search(problem)
    if missing:
        return MissingKey(file=str(file), key=_join(key, missing["name"]))
    node = _at(tree, key)
    example = _example(node)
    if example and problem.startswith(_OF_ANOTHER_FORM):
        return WrongValue(file=str(file), key=key, expected=f'written like "{example}"')
    like = f', like "{example}"' if example else ""
    return WrongValue(file=str(file), key=key, expected=expected(node) + like)


def _example(node: inspect.Type) -> str:
    """Return a value of the form that a pattern holds: no words say it as well."""
    if not isinstance(node, inspect.Metadata):
        return ""
    (example,) = (node.extra_json_schema or {}).get("examples", [""])
    return example or _example(node.type)


def _at(node: inspect.Type, key: str) -> inspect.Type:
    """Return the type that `key` (`a.b[2].c`) has."""
    for part in re.findall(r"[^.\[\]]+|\[[^\]]*\]", key):
        node = _bare(node)
        if isinstance(node, inspect.StructType):
            named = {field.encode_name: field.type for field in node.fields}
            node = named.get(part, inspect.AnyType())
        elif isinstance(node, inspect.VarTupleType | inspect.ListType):
            node = node.item_type
        elif isinstance(node, inspect.DictType):
            node = node.value_type
    return node


def expected(node: inspect.Type) -> str:
    """Say in words what a value of this type must be."""
    node = _bare(node)
    match node:
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() | inspect.FloatType():
            what = "a whole number" if isinstance(node, inspect.IntType) else "a number"
            return what + _bounds(node)
        case inspect.StrType():
            return "text in quotes" + (" that is not empty" if node.min_length else "")
        case inspect.EnumType():
            return "one of: " + ", ".join(f'"{each.value}"' for each in node.cls)
        case inspect.CustomType():
            return "a path in quotes"
        case inspect.VarTupleType() | inspect.ListType():
            return f"a list, each item {expected(node.item_type)}"
        case _:
            return "a table"


def _bounds(node: inspect.IntType | inspect.FloatType) -> str:
    words = ((" above", node.gt), (" from", node.ge), (" to", node.le))
    return "".join(f"{word} {bound:g}" for word, bound in words if bound is not None)


def _bare(node: inspect.Type) -> inspect.Type:
    """Take the documentation off a type, and the `None` off an optional one."""
    while True:
        if isinstance(node, inspect.Metadata):
            node = node.type
        elif isinstance(node, inspect.UnionType):
            inner = [
                each for each in node.types if not isinstance(each, inspect.NoneType)
            ]
            if len(inner) != 1:
                return node
            node = inner[0]
        else:
            return node


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _last(key: str) -> str:
    return key.rpartition(".")[2]
