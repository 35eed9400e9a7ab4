"""What the program says, read from its source: keys, and the data given with them."""

from __future__ import annotations

import ast
import functools
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kiosk.texts import english, text

ROOT = Path(__file__).parents[2]
PACKAGES = ("kiosk", "statemachine", "storage")
AREAS = sorted(path.stem for path in (ROOT / "kiosk/texts/en").glob("*.toml"))
SAYING = frozenset({"Message", "say", "Refusal"})
"""What is called with a key as its first argument."""

Name = tuple[str, str]
"""A class: the module that defines it, and its own name."""


@dataclass(frozen=True, slots=True)
class Saying:
    """One place in the source that names a key."""

    key: str
    where: str
    given: frozenset[str] | None
    """Names of the data that come with it; None: the source does not show them."""


@dataclass(frozen=True, slots=True)
class CodedClass:
    """An error with a code."""

    code: str
    fixed: frozenset[str] | None
    """What its own constructor puts in; None: its keywords are its data."""


@functools.cache
def sources() -> dict[str, ast.Module]:
    """Return every module of the program, parsed, by name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(
            ".__init__"
        ): ast.parse(path.read_text("utf-8"))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def catalogue() -> Iterator[tuple[str, str]]:
    """Yield (key, sentence) of the whole catalogue."""
    yield from english().items()


def placeholders(key: str) -> frozenset[str]:
    """Return what the sentence of `key` names; UnknownText."""
    parts = string.Formatter().parse(text(key))
    fields = frozenset(field for _, field, _, _ in parts if field)
    return frozenset(field for field in fields if not field.startswith("label["))


# --- errors ------------------------------------------------------------------


@functools.cache
def coded_classes() -> dict[Name, CodedClass]:
    """Return every class that sets `code`."""
    return {
        (module, node.name): CodedClass(code, _constructor(node))
        for module, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and (code := _code(node))
    }


def _code(node: ast.ClassDef) -> str:
    for part in node.body:
        match part:
            case (
                ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=key))
                | ast.AnnAssign(
                    target=ast.Name(id="code"), value=ast.Constant(value=key)
                )
            ) if isinstance(key, str):
                return key
    return ""


def _constructor(node: ast.ClassDef) -> frozenset[str] | None:
    """What `super().__init__(…)` is given in a constructor of the class's own."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            for call in ast.walk(part):
                match call:
                    case ast.Call(func=ast.Attribute(attr="__init__"), keywords=data):
                        return frozenset(each.arg for each in data if each.arg)
    return None


def _names(module: str, tree: ast.Module) -> dict[str, Name]:
    """Where the names of a module come from, as far as its imports tell."""
    names: dict[str, Name] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                names[each.asname or each.name] = (node.module, each.name)
        elif isinstance(node, ast.ClassDef):
            names[node.name] = (module, node.name)
    return names


# --- sayings -----------------------------------------------------------------


def sayings() -> Iterator[Saying]:
    """Yield every place that names a key: errors raised, messages made."""
    for module, tree in sources().items():
        names = _names(module, tree)
        for node in ast.walk(tree):
            match node:
                case ast.Raise(exc=ast.Name(id=name)):
                    yield from _error(module, node.lineno, names.get(name), frozenset())
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(), *_]) if (
                    name in SAYING
                ):
                    yield from _message(module, node)
                case ast.Call(func=ast.Name(id=name), keywords=data):
                    yield from _error(module, node.lineno, names.get(name), _data(data))
                case ast.ClassDef() if code := _code(node):
                    yield Saying(code, f"{module}:{node.lineno}", None)


def _error(
    module: str, line: int, name: Name | None, given: frozenset[str] | None
) -> Iterator[Saying]:
    found = coded_classes().get(name) if name else None
    if found is not None:
        fixed = given if found.fixed is None else found.fixed
        yield Saying(found.code, f"{module}:{line}", fixed)


def _message(module: str, call: ast.Call) -> Iterator[Saying]:
    key = call.args[0]
    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
        return
    given = _data(call.keywords)
    match call.args[1:]:
        case [ast.Dict(keys=keys)]:
            constants = [each for each in keys if isinstance(each, ast.Constant)]
            given = frozenset(str(each.value) for each in constants)
            if len(constants) < len(keys):
                given = None
        case [_, *_]:
            given = None
    yield Saying(key.value, f"{module}:{call.lineno}", given)


def _data(keywords: list[ast.keyword]) -> frozenset[str] | None:
    if any(each.arg is None for each in keywords):
        return None
    return frozenset(each.arg for each in keywords if each.arg)


# --- keys put together -------------------------------------------------------


def said_somewhere(key: str) -> bool:
    """Say whether the source names `key`, a table it is in, or a pattern for it."""
    constants, patterns = _strings()
    tables = [key[: match.start()] for match in re.finditer(r"\.", key)]
    return (
        key in constants
        or any(table in constants for table in tables if "." in table)
        or any(pattern.fullmatch(key) for pattern in patterns)
    )


@functools.cache
def _strings() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    constants: set[str] = set()
    patterns: set[str] = set()
    for tree in sources().values():
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(value)):
                    constants.add(value)
                case ast.JoinedStr(values=[ast.Constant(value=str(head)), *_]) if (
                    head.partition(".")[0] in AREAS and "." in head
                ):
                    patterns.add(_pattern(node))
    return frozenset(constants), tuple(map(re.compile, sorted(patterns)))


def _pattern(node: ast.JoinedStr) -> str:
    return "".join(
        re.escape(part.value)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
        else ".+"
        for part in node.values
    )
