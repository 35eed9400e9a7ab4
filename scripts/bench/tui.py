"""The kiosk's first frame against a bare Textual app; its memory; its UI thread."""

from __future__ import annotations

import math
import os
import pty
import select
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from scripts.bench import Row

ROUNDS = 7
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
_BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("Insert your card")
Bare().run(mouse=False)
"""
_KIOSK = """
from kiosk.tui.environment import harden
harden()
from kiosk.tui import collector
collector.rest()
from kiosk.simulation.face_settings import SETTINGS
from kiosk.tui.app import KioskParts, run_built
def build():  # once the first frame is there
    from kiosk.simulation.demo import Demo
    return KioskParts(Demo().world)
run_built(SETTINGS, build)
"""
_DEMO = "import sys; from kiosk.cli import main; sys.exit(main(['demo']))"
_STARTING, _READY = b"is starting", b"Insert your card"
_BLOCKED = """
import asyncio, json, time, sys
from lab.terminal.screens import kiosk
from textual.app import App
gaps = []
async def beat():
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        gaps.append((time.perf_counter() - before - 0.001) * 1000)
async def main():
    async with kiosk() as shown:
        await shown.insert("everyday")
        await shown.until("Home")
        await shown.pilot.press("enter")
        await shown.until("Form")
        pulse = asyncio.create_task(beat())
        await shown.type("271828", "314159", "314159")
        await shown.until("Result")
        pulse.cancel()
asyncio.run(main())
gaps.sort()
print(json.dumps(gaps[int(len(gaps) * 0.99)]))
"""
_KEYS = """
import asyncio, gc, json, time
from lab.terminal.screens import kiosk
from textual import events

waits, work = [], []

async def pressed(shown, key):
    character = key if len(key) == 1 else None
    before, worked = time.perf_counter(), time.thread_time()
    shown.app.post_message(events.Key(key, character))
    done = asyncio.Event()
    shown.app.call_later(done.set)
    await done.wait()
    work.append((time.thread_time() - worked) * 1000)
    waits.append((time.perf_counter() - before) * 1000)
    await asyncio.sleep(0.02)
    shown.hands.rest()

async def main():
    for _ in range(3):
        async with kiosk() as shown:
            gc.freeze()  # as the program does once it is awake
            for key in ("1", "c", "c", "1"):
                await pressed(shown, key)
            await shown.insert("everyday")
            await shown.until("Home")
            for key in ("down", "up") * 8:
                await pressed(shown, key)
            await shown.pilot.press("enter")
            await shown.until("Form")
            for _ in range(8):
                for key in "271828":
                    await pressed(shown, key)
                await pressed(shown, "ctrl+u")
            for key in ("tab", "shift+tab") * 4:
                await pressed(shown, key)

asyncio.run(main())
for each in (waits, work):
    print(json.dumps(sorted(each)[int(len(each) * 0.99)]))
"""
_MEMORY = """
from pathlib import Path
import asyncio, tempfile
from kiosk.simulation.demo import Demo
from kiosk.tui.app import KioskApp, KioskParts
from scripts.bench.storage import filled
demo = Demo()
demo.world.registry = filled(Path(tempfile.mkdtemp()) / "r", 1000)
async def main():
    app = KioskApp(demo.world.settings, lambda: KioskParts(demo.world))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.5)
        status = Path("/proc/self/status").read_text()
        print(int(status.partition("VmRSS:")[2].split()[0]) / 1024)
asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class _Frame:
    """What came before some words were on a terminal (milliseconds)."""

    passed: float
    worked: float
    """On a processor: what else the machine does is no part of it."""


def first_frame(code: str, words: bytes = _READY) -> _Frame:
    """Start a process, as installed: with its bytecode, once it was run before."""
    master, slave = pty.openpty()
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={
            **{name: each for name, each in os.environ.items() if name != _NO_BYTECODE},
            "TERM": "xterm-256color",
        },
    )
    os.close(slave)
    seen = bytearray()
    try:
        while words not in seen and time.perf_counter() - started < 20:
            if select.select([master], [], [], 0.5)[0]:
                seen += os.read(master, 65536)
        passed = (time.perf_counter() - started) * 1000
        return _Frame(passed, _worked(process.pid))
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _worked(process: int) -> float:
    """Return for how long its threads have had a processor (milliseconds)."""
    threads = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in threads) / 1e6


def _median(frames: list[_Frame]) -> _Frame:
    return _Frame(
        statistics.median(each.passed for each in frames),
        statistics.median(each.worked for each in frames),
    )


def measured(code: str) -> tuple[float, ...]:
    """Run a program that prints numbers, one a line."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "tests"},
    )
    return tuple(map(float, done.stdout.split()))


def run() -> list[Row]:
    """Measure, first frames turn by turn."""
    programs = (
        (_BARE, _READY),
        (_KIOSK, _STARTING),
        (_DEMO, _STARTING),
        (_DEMO, _READY),
    )
    rounds = [[first_frame(*each) for each in programs] for _ in range(ROUNDS + 1)]
    bare, ours, demo, ready = (
        _median(list(each)) for each in zip(*rounds[1:], strict=True)
    )
    waits, work = measured(_KEYS)
    return [
        Row(
            what="first frame",
            ours=ours.passed,
            other=bare.passed,
            other_is="bare Textual app",
            unit="ms",
            target=1.3,
        ),
        Row(
            what="of it on a processor",
            ours=ours.worked,
            other=bare.worked,
            other_is="bare Textual app",
            unit="ms",
            target=1.3,
        ),
        Row(
            what="first frame of `kiosk demo`, as it is typed",
            ours=demo.passed,
            other=bare.passed,
            other_is="bare Textual app",
            unit="ms",
            target=1.3,
        ),
        Row(
            what="of that on a processor",
            ours=demo.worked,
            other=bare.worked,
            other_is="bare Textual app",
            unit="ms",
            target=1.3,
        ),
        Row(
            what="`kiosk demo` takes a card",
            ours=ready.passed,
            other=bare.passed,
            other_is="bare Textual app",
            unit="ms",
            target=math.inf,
        ),
        Row(
            what="UI blocked during a visit, 99th percentile",
            ours=measured(_BLOCKED)[0],
            other=16.0,
            other_is="bound",
            unit="ms",
            target=1.0,
        ),
        Row(
            what="a key waits at the kiosk, 99th percentile",
            ours=waits,
            other=16.0,
            other_is="bound",
            unit="ms",
            target=1.0,
        ),
        Row(
            what="of it on a processor",
            ours=work,
            other=16.0,
            other_is="bound",
            unit="ms",
            target=1.0,
        ),
        Row(
            what="memory of the idle kiosk, 1,000 cards",
            ours=measured(_MEMORY)[0],
            other=100.0,
            other_is="bound",
            unit="MiB",
            target=1.0,
        ),
    ]
