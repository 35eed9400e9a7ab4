"""The whole matrix in passes: each goes everywhere with a part of the keys.

    python -m lab.matrix LOG [--passes 60] [--last 60]

The log is one JSON object a line, for each place in each pass. Whoever stops it has an
even part of the whole; started again with the same log, it goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from kiosk.faces.keyboard.decoder import Decoder
from lab.matrix import value_fields, values
from lab.matrix.cells import Cells, Pool, Run, whole
from lab.matrix.keys import Key, keys
from lab.matrix.place import Place
from lab.matrix.places import places

Judge = Callable[[Cells, Pool], list[str]]


def meaning(key: Key) -> object:
    """Return what the decoder makes of a key, and whether its person typed."""
    decoder = Decoder()
    pressed = (*decoder.feed(key.data), decoder.patience, *decoder.pause())
    return pressed, bool(key.text)


def ranked(at: int) -> list[Key]:
    """Return all keys for place `at`: first one of each meaning, then the others.

    Sequences of which the decoder makes the same are the same key to every screen.
    """
    alike: dict[object, list[Key]] = {}
    for key in keys():
        alike.setdefault(meaning(key), []).append(key)
    order: list[tuple[int, int, Key]] = []
    for group in alike.values():
        for number in range(len(group)):
            key = group[(number + at) % len(group)]
            order.append((number, zlib.crc32(key.data + bytes((at,))), key))
    return [key for _, _, key in sorted(order, key=lambda each: each[:2])]


def stands() -> Iterator[tuple[str, Place, Judge]]:
    """Return where keys are pressed, those of one program one after the other."""

    def at_place(place: Place) -> Judge:
        return lambda cells, pool: list(map(str, Run(place, pool).go(cells)))

    def in_field(field: values.Field) -> Judge:
        return lambda cells, pool: list(values.run(field, cells, pool))

    all_ = [(it.name, it, at_place(it)) for it in places()]
    all_ += [
        (f"value of {it.name}", it.place, in_field(it)) for it in value_fields.fields()
    ]
    yield from sorted(all_, key=lambda each: (each[1].face, each[1].manner))


def run(log: Path, passes: int, last: int) -> int:
    """Do what the log does not have yet; return how many cells have faults."""
    done, faults = _done(log), 0
    part = -(-len(keys()) // passes)
    for number in range(last):
        pool, program = Pool(), ("", "")
        for at, (name, place, judge) in enumerate(stands()):
            if program != (place.face, place.manner):
                pool.end()
                program = place.face, place.manner
            if (name, number) in done:
                continue
            began = time.monotonic()
            cells = list(whole(ranked(at)[number * part :][:part]))
            found = judge(cells, pool)
            faults += len(found)
            told = {
                "place": name,
                "pass": number,
                "cells": len(cells),
                "seconds": round(time.monotonic() - began, 1),
                "faults": found,
            }
            with log.open("a") as lines:
                lines.write(json.dumps(told) + "\n")
            for fault in found:
                sys.stdout.write(f"{fault}\n")
        pool.end()
    return faults


def _done(log: Path) -> set[tuple[str, int]]:
    """Return what the log has without fault; a place with one is tried again."""
    lines = log.read_text().splitlines() if log.exists() else []
    told = [json.loads(line) for line in lines]
    return {(it["place"], it["pass"]) for it in told if not it["faults"]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--passes", type=int, default=60, help="parts of all keys")
    parser.add_argument("--last", type=int, help="how many of them to do")
    given = parser.parse_args(arguments)
    given.log.parent.mkdir(parents=True, exist_ok=True)
    return 1 if run(given.log, given.passes, given.last or given.passes) else 0


if __name__ == "__main__":
    sys.exit(main())
