"""Our SQL stays inside what docs/postgresql.md says, in the tables and in the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "storage" / "postgres"
FORBIDDEN = (
    r"\bSERIAL\b|\bBIGSERIAL\b|\bSEQUENCE\b|\bIDENTITY\b|nextval",
    r"pg_(try_)?advisory",
    r"\bLISTEN\b|\bNOTIFY\b",
    r"SKIP\s+LOCKED",
    r"\bSAVEPOINT\b",
    r"\bREFERENCES\b|FOREIGN\s+KEY",
    r"\bTRIGGER\b|\bFUNCTION\b|\bPROCEDURE\b|\bLANGUAGE\b",
    r"\bTEMP(ORARY)?\b\s+TABLE|\bTRUNCATE\b|\bLOCK\s+TABLE\b",
    r"\bjsonb?\b",
    r"\bEXCLUDE\b|\bDEFERRABLE\b|PARTITION\s+BY|DISTINCT\s+ON",
    r"CREATE\s+(UNIQUE\s+)?INDEX[^;]*\bWHERE\b",
)
"""What one or another engine does not have."""


def spoken() -> dict[str, str]:
    """Return every piece of SQL there is, by where it stands."""
    found = {
        path.name: re.sub(r"--.*", "", path.read_text("utf-8"))
        for path in sorted(FOLDER.rglob("*.sql"))
        if path.name != "optional.sql"
    }
    for path in [*FOLDER.glob("*.py"), ROOT / "storage" / "postgres_registry.py"]:
        tree = ast.parse(path.read_text("utf-8"))
        told = {
            id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
        }  # docstrings
        found[path.name] = "\n".join(
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in told
        )
    return found


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_nothing_is_said_that_a_relative_does_not_understand(pattern: str) -> None:
    for place, sql in spoken().items():
        assert not re.search(pattern, sql, re.IGNORECASE), place


def test_no_transaction_is_nested_and_none_is_serializable() -> None:
    """psycopg's nested `transaction()` is a savepoint."""
    for name in ("postgres/view.py", "postgres/writing.py", "postgres/evidence.py"):
        assert "transaction()" not in (ROOT / "storage" / name).read_text("utf-8")
    registry = (ROOT / "storage" / "postgres_registry.py").read_text("utf-8")
    assert "transaction()" not in registry
    assert "SERIALIZABLE" not in registry


def test_an_order_is_by_code_points_wherever_text_is_a_key() -> None:
    tables = (FOLDER / "migrations" / "0001.sql").read_text("utf-8")
    for line in tables.splitlines():
        if re.match(r"    \w+ text", line) and not line.startswith("    document"):
            assert 'COLLATE "C"' in line
