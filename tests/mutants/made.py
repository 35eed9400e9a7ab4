"""`.venv/mutants/bin/python tests/mutants/made.py FILE…`: change one thing at a time.

Prints a line of JSON for each mutant: file, what was done, and the whole module so
changed. Cosmic Ray makes most of them; what it has no operator for, leaving something
out, is `left_out`. Runs in an environment of its own, which has Cosmic Ray and nothing
of ours.

Not made, because they are no bugs that a test should see: changes of what mypy and
people read (annotations, docstrings, frozen or slotted classes), of what a log says,
other spellings of a comparison between members of an enumeration (`is` and `==`), and
replacements that end in a TypeError at once.
"""

from __future__ import annotations

import ast
import itertools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

_OPPOSITE = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}
_COMPARED = {
    "Lt": ("LtE", "GtE"),
    "LtE": ("Lt", "Gt"),
    "Gt": ("GtE", "LtE"),
    "GtE": ("Gt", "Lt"),
    "Eq": ("NotEq",),
    "NotEq": ("Eq",),
    "Is": ("IsNot",),
    "IsNot": ("Is",),
    "In": ("NotIn",),
    "NotIn": ("In",),
}
"""The bound moved by one, and the opposite: others are seen by whoever sees these."""
_COUNTED = {"Add": "Sub", "Sub": "Add", "Mul": "Div", "Div": "Mul", "FloorDiv": "Mul"}
_COUNTED |= {"Mod": "Mul", "Pow": "Mul", "BitOr": "BitAnd", "BitAnd": "BitOr"}
_COUNTED |= {"LShift": "RShift", "RShift": "LShift", "BitXor": "BitAnd"}
_NOT_USED = re.compile(
    r"core/(StringReplacer|VariableReplacer|VariableInserter|NoOp"
    r"|ReplaceUnaryOperator_(USub|UAdd|Invert)_)"
)
_TEXTS = frozenset({"annotation", "returns"})
_BODIES = frozenset({"body", "orelse", "finalbody"})
_BY_MYPY = frozenset({"frozen", "slots", "kw_only"})
_NEVER_TRUE = ("TYPE_CHECKING", "__name__")


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield each mutant once: what was done, and the module so changed."""
    seen = {_meaning(source)}
    for what, changed in _all(source):
        try:
            meaning = _meaning(changed)
        except SyntaxError:
            continue
        if meaning not in seen:
            seen.add(meaning)
            yield what, changed


def _all(source: str) -> Iterator[tuple[str, str]]:
    for name in sorted(filter(_is_used, operator_names())):
        operator = get_operator(name)
        if operator.arguments():
            continue
        for number in itertools.count():
            try:
                changed = mutate_code(source, operator(), number)
            except AttributeError:
                continue  # it knows no exception with a dot in its name
            if changed is None:
                break
            yield name.removeprefix("core/"), changed
    yield from left_out(source)


def _is_used(name: str) -> bool:
    if compared := re.search(r"ReplaceComparisonOperator_(\w+)_(\w+)", name):
        return compared[2] in _COMPARED[compared[1]]
    if counted := re.search(r"ReplaceBinaryOperator_(\w+)_(\w+)", name):
        return _COUNTED.get(counted[1]) == counted[2]
    return not _NOT_USED.match(name)


class _Plain(ast.NodeTransformer):
    """What a module does: nothing that only mypy or people read, one way to say no."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name in _TEXTS & set(node._fields):
            setattr(node, name, None)
        for name in _BODIES & set(node._fields):
            body = getattr(node, name)
            if isinstance(body, list):
                setattr(node, name, [each for each in body if not _is_said(each)])
        return super().generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        for made in (node, *node.decorator_list):
            if isinstance(made, ast.ClassDef | ast.Call):
                made.keywords = [k for k in made.keywords if k.arg not in _BY_MYPY]
        return self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        """By place or by name: mypy sees to that."""
        node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
        node.defaults += [each for each in node.kw_defaults if each is not None]
        node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        return self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        inner = node.operand
        if not isinstance(node.op, ast.Not):
            return node
        if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.Not):
            return inner.operand
        if isinstance(inner, ast.Compare) and len(inner.ops) == 1:
            opposite = _OPPOSITE[type(inner.ops[0])]()
            return ast.Compare(inner.left, [opposite], inner.comparators)
        return node


def _is_said(node: object) -> bool:
    """A docstring, of a field, too; a line of a log; what never runs under a test."""
    if isinstance(node, ast.If):
        return any(it in ast.unparse(node.test) for it in _NEVER_TRUE)
    if not isinstance(node, ast.Expr):
        return False
    if isinstance(node.value, ast.Call):
        return ast.unparse(node.value.func).startswith("log.")
    return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _meaning(source: str) -> str:
    return ast.dump(_Plain().visit(ast.parse(source)))


# --- leaving out --------------------------------------------------------------


def left_out(source: str) -> Iterator[tuple[str, str]]:
    """Yield the module without one statement, element, entry or named argument."""
    for node in ast.walk(ast.parse(source)):
        for what, part, instead in _parts(node):
            yield f"LeaveOut_{what}", _without(source, part, instead)


def _parts(node: ast.AST) -> Iterator[tuple[str, ast.AST, str]]:
    """Yield what may be left out of a node, and what stands there then."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        is_load = not isinstance(node, ast.Set) and isinstance(node.ctx, ast.Load)
        if len(node.elts) > 1 and (is_load or isinstance(node, ast.Set)):
            yield from (("Element", each, "") for each in node.elts)
    elif isinstance(node, ast.Call):
        named = [each for each in node.keywords if each.arg is not None]
        yield from (("Argument", each, "") for each in named)
    for field in _BODIES:
        body = getattr(node, field, None)
        if isinstance(body, list) and not isinstance(node, ast.ClassDef | ast.Module):
            yield from (("Statement", each, "pass") for each in body if _acts(each))


def _acts(node: ast.AST) -> bool:
    """It does something by itself, and nothing below needs a name that it gives."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    return isinstance(node, ast.Raise | ast.AugAssign)


def _without(source: str, part: ast.AST, instead: str) -> str:
    """Return the source without a part of it, and without the comma that follows."""
    lines = source.encode().splitlines(keepends=True)
    before = [0]
    for line in lines:
        before.append(before[-1] + len(line))
    begins = before[part.lineno - 1] + part.col_offset  # type: ignore[attr-defined]  # it stands somewhere
    ends = before[part.end_lineno - 1] + part.end_col_offset  # type: ignore[attr-defined]  # the same
    whole = b"".join(lines)
    rest = whole[ends:] if instead else re.sub(rb"\A\s*,", b"", whole[ends:], count=1)
    return (whole[:begins] + instead.encode() + rest).decode()


def main(files: list[str]) -> None:
    """Print every mutant of the files."""
    for name in files:
        for what, changed in mutants(Path(name).read_text("utf-8")):
            print(json.dumps({"file": name, "what": what, "changed": changed}))


if __name__ == "__main__":
    main(sys.argv[1:])
