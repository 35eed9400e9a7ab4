"""The operators' desk: a letter typed to its rows shown, and how long any key waits."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from scripts.bench import Row

SIZES = (5_000, 100_000)
ROWS_MS, KEY_MS = 100.0, 50.0
"""What a letter to its rows, and a key (99th percentile), may take."""
_PROGRAM = """
import asyncio, gc, json, sys, tempfile, time
from pathlib import Path
from kiosk.simulation.demo_desk import PASSWORD
from lab.desk.desk_screens import desk
from scripts.bench.storage import filled
from textual import events

registry = filled(Path(tempfile.mkdtemp()) / "r", int(sys.argv[1]))
letters, waits = [], []

async def until(holds):
    while not holds():
        await asyncio.sleep(0.001)

async def pressed(app, key):
    character = key if len(key) == 1 else None
    before = time.perf_counter()
    app.post_message(events.Key(key, character))
    done = asyncio.Event()
    app.call_later(done.set)
    await done.wait()
    waits.append((time.perf_counter() - before) * 1000)
    return before

async def main():
    async with desk((120, 40)) as shown:
        app = shown.app
        shown.demo.world.registry = registry
        await shown.pilot.press("enter")
        await shown.until_page("sign_in_account")
        await shown.pilot.press(*"hanna", "enter", *PASSWORD.decode(), "enter")
        await shown.until_page("menu")
        gc.freeze()  # as the program does once it is awake
        for word in ("person 49", "49 per", "ad.test", "4999"):
            for key in word:
                before = await pressed(app, key)
                screen = app.screen
                await until(lambda: screen._is_fresh and screen.page.table)
                drawn = asyncio.Event()
                screen.call_after_refresh(drawn.set)
                await drawn.wait()
                letters.append((time.perf_counter() - before) * 1000)
                await asyncio.sleep(0.05)
            for key in ("pagedown", "down", "pagedown", "end", "up", "home") * 4:
                await pressed(app, key)
                await asyncio.sleep(0.02)
                shown.hands.rest()
            await pressed(app, "escape")
            await asyncio.sleep(0.2)
            shown.hands.rest()

asyncio.run(main())
part = lambda all_, share: sorted(all_)[min(len(all_) - 1, int(len(all_) * share))]
print(json.dumps([part(letters, 0.5), max(letters), part(waits, 0.99)]))
"""


def measured(count: int) -> tuple[float, float, float]:
    """Return the median and the longest time to rows, and a key's 99th percentile."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(count)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "tests"},
    )
    median, longest, key = json.loads(done.stdout.strip().splitlines()[-1])
    return median, longest, key


def run() -> list[Row]:
    """Measure at each size."""
    rows: list[Row] = []
    for count in SIZES:
        median, longest, key = measured(count)
        for what, ours, bound in (
            ("letter to its rows, median", median, ROWS_MS),
            ("letter to its rows, longest", longest, ROWS_MS),
            ("a key waits, 99th percentile", key, KEY_MS),
        ):
            rows.append(
                Row(
                    what=f"desk, {count:,} credentials: {what}",
                    ours=ours,
                    other=bound,
                    other_is="bound",
                    unit="ms",
                    target=1.0,
                )
            )
    return rows
