"""Runs several `samba-tool` commands in one process, read as JSON from standard input.

A line has a list of commands; the argument is a line of the output when they have ended
well.

Started with the system's python3 (`-I`), the only one that has Samba's modules. One
process for all commands saves half a second each. No sysvol is served here, so its
file-system permissions, which need a file system with ACLs, are left out.
"""

from __future__ import annotations

import json
import runpy
import sys

from samba import (  # type: ignore[import-not-found]  # Samba's own, see above
    provision,
)

TOOL = "/usr/bin/samba-tool"


def main() -> None:
    """Run the commands in order; the first that fails ends the process."""
    done = sys.argv[1]
    provision.setsysvolacl = lambda *_args, **_named: None
    for line in sys.stdin:
        for arguments in json.loads(line):
            sys.argv = [TOOL, *arguments]
            try:
                runpy.run_path(TOOL, run_name="__main__")
            except SystemExit as end:
                if end.code:
                    raise
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
