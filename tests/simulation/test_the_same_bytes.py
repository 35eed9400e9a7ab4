"""One seed, one history: every byte of journal, cards and directory is the same again.

Two processes, with another hash seed, time zone and moment each: whatever they read
behind the ports' backs would show.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lab.hostile.all_bytes import digest

from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import make_card

ROOT = Path(__file__).parents[2]
SEEDS = (7, 29)
"""The second has an RSA card, a keyless one and an unblocked one."""


def history(folder: Path, seed: int, **environment: str) -> dict[str, str]:
    """Let it happen in a process of its own; return what each part was like then."""
    folder.mkdir()
    run = subprocess.run(
        [sys.executable, "-m", "lab.hostile.all_bytes", str(folder), str(seed)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", **environment},
        check=True,
        capture_output=True,
    )
    told: dict[str, str] = json.loads(run.stdout)
    return told


@pytest.mark.parametrize("seed", SEEDS)
def test_a_history_is_the_same_bytes_again(tmp_path: Path, seed: int) -> None:
    one = history(tmp_path / "one", seed, PYTHONHASHSEED="1", TZ="UTC")
    other = history(tmp_path / "other", seed, PYTHONHASHSEED="2", TZ="Asia/Tokyo")
    assert one == other
    assert {"directory", "card of p0", "file registry.journal"} <= one.keys()


def test_another_seed_is_another_history(tmp_path: Path) -> None:
    one, other = (history(tmp_path / str(seed), seed) for seed in (1, 2))
    assert not {*one.values()} & {*other.values()} - {digest_of_nothing()}


def digest_of_nothing() -> str:
    """The lock beside a journal is empty."""
    return "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_what_is_compared_is_all_that_a_card_is() -> None:
    """A key, an object, a counter, a PIN: each of them shows."""

    def made() -> object:
        made = make_card(SeededEntropy(1), subject="ann", pin=b"123456", puk=b"8" * 8)
        return made.card

    card = make_card(SeededEntropy(1), subject="ann", pin=b"123456", puk=b"8" * 8).card
    seen = {digest(card)}
    assert seen == {digest(made())}
    card.keys[0x9A] = card.keys[0x9E]
    seen.add(digest(card))
    card.objects.popitem()
    seen.add(digest(card))
    card.set_tries(pin=1)
    seen.add(digest(card))
    card.references.pin.replace(b"654321")
    seen.add(digest(card))
    assert len(seen) == 5
    assert digest(Secret(b"1")) != digest(Secret(b"2"))
