"""`kiosk units`: the system files of a machine that is a kiosk."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.frame import new_app

app = new_app("Print or write the units and rules of a kiosk machine.")


@app.command()
def units(
    root: Annotated[
        Path | None,
        typer.Option("--to", help="Write them below this folder; / installs them."),
    ] = None,
    program: Annotated[Path, typer.Option(help="Where the program is.")] = Path(
        "/usr/local/bin/kiosk"
    ),
    config: Annotated[
        Path, typer.Option("--config", help="Where the configuration is.")
    ] = Path("/etc/pin-kiosk/kiosk.toml"),
    *,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show how those that are there differ.")
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove them instead.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Also replace or remove what somebody has changed."
        ),
    ] = False,
) -> None:
    """Print every file with its place, or write or remove them.

    What somebody has changed stays, unless --force is given; the difference is shown.
    """
    from kiosk.cli.ending import words
    from kiosk.core.errors import Message
    from kiosk.setup import units as files

    found = files.units(program, config)
    place = root or Path("/")
    if diff or (force and root is not None) or (force and remove):
        shown = "".join(files.difference(unit, place) for unit in found)
        sys.stdout.write(shown)
        if diff:
            if not shown:
                print(words(Message("units.nothing_differs")))
            return
    if remove:
        removed = files.remove(found, place, over=force)
        for path in removed:
            print(path)
        print(
            words(Message("units.removed_next" if removed else "units.nothing_there"))
        )
    elif root is not None:
        for path in files.write(found, root, over=force):
            print(path)
        print(words(Message("units.written_next")))
    else:
        for unit in found:
            sys.stdout.write(f"### {unit.target}\n{unit.text}\n")
