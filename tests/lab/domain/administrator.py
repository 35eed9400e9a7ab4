"""The domain's administrator: types at a domain controller what was printed for it."""

from __future__ import annotations

import os
from pathlib import Path

from lab.domain.samba import SambaDomain
from lab.terminal.terminal import terminal

_BEFORE, _AFTER = "chosen there:", "Enter when"


def administer(
    samba: SambaDomain, folder: Path, printed: str, password: str
) -> list[str]:
    """Type the commands that the guided setup printed; return them.

    `folder` is scratch: a `samba-tool` is put there that works on this domain.
    """
    commands = printed.replace("\r", "").partition(_BEFORE)[2].rpartition(_AFTER)[0]
    tool = folder / "bin" / "samba-tool"
    tool.parent.mkdir()
    database = samba.folder / "private" / "sam.ldb"
    tool.write_text(f'#!/bin/sh\nexec /usr/bin/samba-tool "$@" -H {database}\n')
    tool.chmod(0o755)
    script = folder / "printed.sh"
    script.write_text(commands)
    environment = {
        **os.environ,
        "PATH": f"{tool.parent}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
    }
    with terminal(["/bin/sh", "-e", str(script)], environment=environment) as shown:
        for prompt in ("New Password:", "Retype Password:"):
            shown.shows(prompt)
            shown.type(f"{password}\r")
        assert shown.wait(90.0) == 0, shown.text()
    lines = commands.replace("\\\n", "").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]
