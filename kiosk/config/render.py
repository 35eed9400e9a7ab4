"""A configuration as a commented file, from the descriptions of its settings."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from msgspec import NODEFAULT, Struct, inspect

from kiosk.config.described import descriptions
from kiosk.config.settings import Config
from kiosk.config.toml_file import expected

WIDTH = 79

Values = Mapping[str, Mapping[str, object]]
"""Section → key → value, for settings that are not to keep their default."""


def commented(values: Values) -> str:
    """Return a configuration file: every setting with its description.

    Settings in `values` are set, the others stand as comments with their default.
    """
    blocks = [_wrapped("Pin Kiosk: the configuration of one station.")]
    for field in fields_of(Config):
        blocks.append("\n".join(_section(field, values.get(field.name, {}))))
    return "\n\n".join(blocks) + "\n"


def fields_of(kind: type[Struct]) -> tuple[inspect.Field, ...]:
    """Return what msgspec knows of a struct's fields."""
    tree = inspect.type_info(kind)
    if not isinstance(tree, inspect.StructType):
        raise TypeError(kind.__name__)
    return tree.fields


def _section(field: inspect.Field, values: Mapping[str, object]) -> Iterator[str]:
    match field.type:
        case inspect.VarTupleType(item_type=inspect.StructType() as kind):
            heading = f"#[[{field.name}]]"
        case inspect.StructType() as kind:
            heading = f"[{field.name}]"
        case _:
            raise TypeError(field.name)
    yield _wrapped(" ".join((kind.cls.__doc__ or "").split()))
    yield heading
    described = descriptions(kind.cls)
    for setting in kind.fields:
        yield from _setting(setting, described[setting.name], values)


def _setting(
    field: inspect.Field, description: str, values: Mapping[str, object]
) -> Iterator[str]:
    words = expected(field.type)
    choices = f" {words[0].upper()}{words[1:]}." if words.startswith("one of") else ""
    yield _wrapped(description + choices)
    if field.name in values:
        yield f"{field.name} = {toml_value(values[field.name])}"
    elif field.default in (NODEFAULT, None):
        yield f"#{field.name} = "
    else:
        yield f"#{field.name} = {toml_value(field.default)}"


def _wrapped(text: str) -> str:
    return "\n".join(comment(text))


def comment(text: str) -> list[str]:
    """Return a text as lines of comment, no word of which is broken."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case Enum():
            return toml_value(value.value)
        case int() | float():
            return repr(value)
        case str() | Path():
            return json.dumps(str(value), ensure_ascii=False)
        case tuple() | list():
            return "[" + ", ".join(toml_value(each) for each in value) + "]"
        case dict():
            pairs = (f"{key} = {toml_value(each)}" for key, each in value.items())
            return "{ " + ", ".join(pairs) + " }"
        case _:
            raise TypeError(type(value).__name__)
