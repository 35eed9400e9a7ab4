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
) -> None:
    """Print every file with its place, or write them, over nothing."""
    from kiosk.units import units as all_units
    from kiosk.units import write

    found = all_units(program, config)
    if root is None:
        for unit in found:
            sys.stdout.write(f"### {unit.target}\n{unit.text}\n")
        return
    for path in write(found, root):
        print(path)
