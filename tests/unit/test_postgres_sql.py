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
MOST_INDEXES, MOST_COLUMNS = 24, 8
"""Of a table, and of an index: Aurora DSQL's."""


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


def indexes() -> dict[str, list[list[str]]]:
    """Return the columns of every index, by its table: of keys and constraints, too."""
    found: dict[str, list[list[str]]] = {}
    for path in sorted((FOLDER / "migrations").glob("*.sql")):
        text = re.sub(r"--.*", "", path.read_text("utf-8"))
        for table, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\n\)", text, re.S):
            own = found.setdefault(table, [])
            for line in body.splitlines():
                for several in re.findall(r"(?:PRIMARY KEY|UNIQUE) \((.*?)\)", line):
                    own.append(several.split(","))
                if re.search(r"PRIMARY KEY,?$", line):
                    own.append([line.split()[0]])
        for table, columns in re.findall(r"CREATE INDEX \w+ ON (\w+) \((.*?)\)", text):
            found[table].append(columns.split(","))
    return found


def test_no_table_has_more_indexes_and_no_index_more_columns_than_any_engine() -> None:
    found = indexes()
    made = sum(text.count("CREATE TABLE") for text in spoken().values())
    assert len(found) == made - 1  # registry_schema, which is made in the code
    assert all(found.values())
    assert len(found["credential"]) == 11
    assert max(map(len, found.values())) <= MOST_INDEXES
    assert max(len(each) for own in found.values() for each in own) <= MOST_COLUMNS
