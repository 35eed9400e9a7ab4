"""Two threads may read into a type at once for the first time.

msgspec itself ends such a process with SIGSEGV, now and then: an authority did, as it
had just begun and two stations called.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from storage.known_types import known

ROOT = Path(__file__).parents[2]
FIRST_USES = """
import sys, threading
import msgspec
from storage.known_types import known

sys.setswitchinterval(1e-6)
FIELDS = "".join(f"    f{each}: dict[str, int] | None = None\\n" for each in range(20))
PARTS = "".join(f"class A{each}(msgspec.Struct):\\n{FIELDS}" for each in range(6))
WHOLE = "class Whole(msgspec.Struct):\\n" + "".join(
    f"    a{each}: A{each}\\n" for each in range(6)
)
TEXT = "{" + ", ".join(f'"a{each}": {{"f0": {{}}}}' for each in range(6)) + "}"


def read(kind, together, told):
    together.wait()
    told.append(msgspec.json.decode(TEXT, type=known(kind)))


for number in range(100):
    module = type(sys)(f"types_{number}")
    sys.modules[module.__name__] = module
    head = "from __future__ import annotations\\nimport msgspec\\n"
    exec(head + PARTS + WHOLE, vars(module))
    together, told = threading.Barrier(4), []
    threads = [
        threading.Thread(target=read, args=(module.Whole, together, told))
        for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(told) == 4, told
"""
_READS = {"decode", "Decoder", "convert"}
_BY_ONE_THREAD = {
    "kiosk/cards/pkcs11/line.py",  # knows no store; what it reads is of `messages`
    "kiosk/cards/pkcs11/messages.py",  # where it is made known as it is imported
    "kiosk/cli/card_simulate.py",  # a command by itself
    "storage/groups.py",  # a str
    "storage/known_types.py",
    "storage/tinydb_journal.py",  # nothing but what JSON has
}


def test_first_uses_at_once_end_no_process() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_USES], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_a_type_is_itself() -> None:
    assert known(list[int]) == list[int]
    assert known(str) is str


def test_nothing_of_the_product_reads_into_a_type_that_is_not_known() -> None:
    unknown = []
    for room in ("kiosk", "storage", "statemachine"):
        for path in sorted((ROOT / room).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if name not in _BY_ONE_THREAD:
                unknown += [f"{name}:{each}" for each in _unknown(path)]
    assert unknown == []


def _unknown(path: Path) -> list[int]:
    """Return the lines of a module where msgspec is given a type as it is."""
    lines = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = ast.unparse(node.func)
            given = [each.value for each in node.keywords if each.arg == "type"]
            if not node.args:
                continue  # text of bytes
            given = given or node.args[0 if called.endswith("Decoder") else 1 :]
            is_reading = called.startswith("msgspec.") and node.func.attr in _READS
            if is_reading and not (
                given and ast.unparse(given[0]).startswith("known(")
            ):
                lines.append(node.lineno)
    return lines
