"""What is written after a field is its description.

Python keeps no docstring of a field: it is read from the class's source.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise

from msgspec import Struct


def descriptions(kind: type[Struct]) -> dict[str, str]:
    """Return field → description, on one line, of the fields that have one."""
    [tree] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    if not isinstance(tree, ast.ClassDef):
        raise TypeError(kind.__name__)
    return {
        field.target.id: " ".join(after.value.value.split())
        for field, after in pairwise(tree.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }
