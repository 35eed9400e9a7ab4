"""Whatever bytes a card or a terminal sends are read, or refused by name and place."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab.cards.card_parsers import PARSERS, Misread, Parser, judge
from lab.terminal import keyboards

from kiosk.cards import tlv
from kiosk.cards.apdu import MAX_PARTS, Command, send
from kiosk.cards.errors import MalformedAnswer
from kiosk.cards.piv import objects

ROOT = Path(__file__).parents[2]
MEGABYTE = 1 << 20

every_parser = pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS)
patient = settings(max_examples=150)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(
        # A certificate with a negative serial number is still read.
        "ignore::cryptography.utils.CryptographyDeprecationWarning"
    ),
]


@every_parser
def test_what_our_own_cards_send_is_read(parser: Parser) -> None:
    for seed in parser.seeds():
        judge(parser, seed)


@every_parser
@patient
@given(data=st.binary(max_size=600))
def test_any_bytes_are_read_or_refused(parser: Parser, data: bytes) -> None:
    judge(parser, data)


@every_parser
@patient
@given(data=st.data())
def test_an_honest_answer_with_a_few_changed_bytes_is_read_or_refused(
    parser: Parser, data: st.DataObject
) -> None:
    answer = bytearray(data.draw(st.sampled_from(list(parser.seeds()))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(answer) - 1))
        answer[at] = data.draw(st.integers(0, 255))
    judge(parser, bytes(answer[: data.draw(st.integers(1, len(answer)))]))


@every_parser
def test_the_longest_answers_stay_within_bounds(parser: Parser) -> None:
    for data in (bytes(1 << 16), b"\xff" * (1 << 16), b"\x30\x80" * (1 << 15)):
        judge(parser, data)


def test_a_bomb_costs_a_bounded_memory() -> None:
    bomb = tlv.pack(0x70, gzip.compress(bytes(50 * MEGABYTE))) + b"\x71\x01\x01"
    tracemalloc.start()
    try:
        with pytest.raises(MalformedAnswer):
            objects.read_certificate(bomb)
        assert tracemalloc.get_traced_memory()[1] < MEGABYTE
    finally:
        tracemalloc.stop()


def test_an_answer_that_drips_is_given_up_after_some_parts() -> None:
    class Dripping:
        sent = 0

        def transmit(self, apdu: bytearray) -> bytearray:
            self.sent += 1
            return bytearray(b"\x00\x61\x01")

    line = Dripping()
    with pytest.raises(MalformedAnswer):
        send(line, Command(0xCB, 0x3F, 0xFF, le=0))
    assert line.sent <= MAX_PARTS + 2


@pytest.mark.parametrize(
    "read",
    [
        lambda data: data[9],
        lambda data: bytes(1 << 20),
        lambda data: list(tlv.walk(b"\x53", "")),
    ],
    ids=["another exception", "too much", "an error that names nothing"],
)
def test_a_parser_that_errs_is_found(read: Callable[[bytes], object]) -> None:
    with pytest.raises((IndexError, Misread)):
        judge(Parser(read, tuple), b"\x53")


# --- led by coverage -----------------------------------------------------------------


@pytest.mark.parametrize("target", ["certificate key", "certificate text"])
def test_a_search_led_by_coverage_finds_nothing(target: str, tmp_path: Path) -> None:
    options = ["--runs", "3000", "--corpus", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "scripts.fuzz", *options, target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "1 of 1 stand"
    assert "3000 inputs" in done.stdout


@pytest.mark.parametrize("parser", keyboards.PARSERS.values(), ids=keyboards.PARSERS)
@pytest.mark.parametrize("seed", range(10))
def test_generated_sequences_of_a_terminal_are_read(parser: Parser, seed: int) -> None:
    judge(parser, keyboards.generated(seed, 4096))
