"""What was not typed is not turned into a value.

Typer has pydantic turn every option and argument into what the command takes, also
those that nobody typed. Importing that is more than all else that a command costs
before it begins, so it waits until there is something to turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer.core
from typer._coercion import RuntimeParam, build_runtime_param

if TYPE_CHECKING:
    from typer._click.core import Context
    from typer._coercion import TypeDescriptor
    from typer.core import _TyperParameter


@dataclass(frozen=True)
class _WhenTyped(RuntimeParam):
    """Typer's own turning, made when the first value comes; None is left alone."""

    descriptor: TypeDescriptor

    def _coerce_value(self, value: Any, param: _TyperParameter, ctx: Context) -> Any:
        typers = build_runtime_param(self.descriptor)
        return typers.coerce(value, param=param, ctx=ctx)


def _when_typed(descriptor: TypeDescriptor) -> RuntimeParam:
    return _WhenTyped(
        parameter_info=descriptor.parameter_info,
        annotation=descriptor.annotation,
        descriptor=descriptor,
    )


def turn_only_what_is_typed() -> None:
    """Have all parameters of this process made so. Before a command line is read."""
    typer.core.build_runtime_param = _when_typed  # type: ignore[attr-defined]
