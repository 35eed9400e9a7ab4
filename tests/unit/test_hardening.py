"""A process that may hold a PIN leaves nothing of it on the machine."""

from __future__ import annotations

import json
import subprocess
import sys

SCRIPT = """
import ctypes, json, os, resource
from kiosk.core.hardening import harden_process
harden_process()
before = os.umask(0)
libc = ctypes.CDLL(None)
print(json.dumps({
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "dumpable": libc.prctl(3, 0, 0, 0, 0),
    "umask": before,
}))
"""


def test_core_dumps_are_off_memory_is_closed_and_new_files_are_private() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {"core": [0, 0], "dumpable": 0, "umask": 0o077}
