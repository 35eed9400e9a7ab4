"""`kiosk card` as it is typed: a simulated card in a real pcscd, and what is in it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab.cards.events import Watch
from lab.cards.pcscd import READERS, Pcscd

from kiosk.cards.pcsc import PcscMonitor
from kiosk.cards.piv import objects
from kiosk.cards.values import CardLeft
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import make_card
from kiosk.simulation.cards.faults import Mute
from kiosk.simulation.cards.options import of_yubikey

pytestmark = pytest.mark.pcscd
KIOSK = str(Path(sys.executable).with_name("kiosk"))
SECONDS = 60


def info(pcscd: Pcscd, *options: str) -> subprocess.CompletedProcess[str]:
    return kiosk(pcscd, "info", *options)


def kiosk(pcscd: Pcscd, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `kiosk card …` against this service."""
    return subprocess.run(
        [KIOSK, "card", *words],
        env=pcscd.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


# --- info --------------------------------------------------------------------------


def test_info_says_what_is_in_each_reader_and_costs_no_try(pcscd: Pcscd) -> None:
    made = make_card(
        SeededEntropy(1),
        subject="Ann Example",
        pin=b"123456",
        puk=b"12345678",
        options=of_yubikey(77),
    )
    made.card.set_tries(pin=1)
    pcscd.readers[1].insert(made.card)
    with Watch(PcscMonitor()) as watch:
        watch.card()
    done = info(pcscd)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == [READERS[0], "  No card is in this reader."]
    assert lines[2] == READERS[1]
    assert "  card        piv:serial:0000004d" in lines
    assert "  PIN tries   1 of 3" in lines
    assert "  family      PIV (its application answered)" in lines
    assert "  PIN         6 to 8 printable" in lines
    assert "              The PIN is still the one from the factory." in lines
    assert "  key 9A      P-256, CN=Ann Example" in lines
    assert "    issuer    CN=Ann Example" in lines
    assert "    valid     2026-01-01 to 2035-12-30 (valid)" in lines
    assert "    wants     PIN once, touch never" in lines
    assert "    wants     PIN never, touch never" in lines
    assert made.card.pin_tries_left == 1


def test_info_for_programs_is_one_document(pcscd: Pcscd) -> None:
    made = make_card(SeededEntropy(1), subject="Ann", pin=b"481516", puk=b"75318642")
    pcscd.readers[0].insert(made.card)
    with Watch(PcscMonitor()) as watch:
        watch.card()
    done = info(pcscd, "--json", "--reader", "00 00")
    (reader,) = json.loads(done.stdout)["readers"]
    assert reader["card"]["key"] == made.identity.key
    assert reader["card"]["pin_tries_left"] == 3
    assert reader["card"]["family"] == "piv"
    key, proving = reader["card"]["keys"]
    assert (key["slot"], proving["slot"]) == ("9A", "9E")
    assert key["subject"] == key["issuer"] == "CN=Ann"
    assert key["pin_policy"] is None, "this card tells no policies"


def test_a_certificate_that_means_nothing_is_told_beside_the_others(
    pcscd: Pcscd,
) -> None:
    made = make_card(SeededEntropy(1), subject="Ann", pin=b"481516", puk=b"75318642")
    made.card.objects[objects.CERTIFICATE_9A] = b"\x70\x02\x30\x00"
    pcscd.readers[0].insert(made.card)
    with Watch(PcscMonitor()) as watch:
        watch.card()
    (report,) = json.loads(info(pcscd, "--json", "--reader", "00 00").stdout)["readers"]
    broken, proving = report["card"]["keys"]
    assert "makes no sense (certificate 9A)" in broken["reason"]
    assert proving["algorithm"] == "P-256"


def test_info_tells_an_unreadable_card_and_fails(pcscd: Pcscd) -> None:
    made = make_card(SeededEntropy(1), subject="Ann", pin=b"481516", puk=b"75318642")
    pcscd.readers[0].faults.set(Mute())
    pcscd.readers[0].insert(made.card)
    with Watch(PcscMonitor()) as watch:
        while len(watch.seen) < 2:
            watch.next()
    done = info(pcscd)
    assert done.returncode == 1
    assert "does not answer" in done.stdout


def test_info_without_a_service_fails_with_a_sentence(pcscd_room: Pcscd) -> None:
    pcscd_room.stop()
    done = info(pcscd_room)
    assert (done.returncode, done.stdout) == (1, "")
    assert "systemctl start pcscd.socket" in done.stderr


# --- trace -------------------------------------------------------------------------


def test_a_trace_goes_to_a_private_file_and_what_was_found_is_printed(
    pcscd: Pcscd, tmp_path: Path
) -> None:
    made = make_card(SeededEntropy(1), subject="Ann", pin=b"481516", puk=b"75318642")
    pcscd.readers[0].insert(made.card)
    with Watch(PcscMonitor()) as watch:
        watch.card()
    file = tmp_path / "trace"
    done = kiosk(pcscd, "trace", str(file), "--reader", "00 00")
    assert done.returncode == 0, done.stderr
    assert f"  card        {made.identity.key}" in done.stdout.splitlines()
    assert file.stat().st_mode & 0o777 == 0o600
    lines = file.read_text().splitlines()
    assert lines[0].startswith(f"[1] {READERS[0]}, ATR 3B")
    assert "[1] > 00A40400 05 A000000308 00" in lines
    assert made.card.pin_tries_left == 3


def test_without_a_file_the_trace_is_printed(pcscd: Pcscd) -> None:
    made = make_card(SeededEntropy(1), subject="Ann", pin=b"481516", puk=b"75318642")
    pcscd.readers[0].insert(made.card)
    with Watch(PcscMonitor()) as watch:
        watch.card()
    done = kiosk(pcscd, "trace")
    assert "[1] > 00A40400 05 A000000308 00" in done.stdout.splitlines()


def test_a_trace_that_cannot_be_written_is_a_wrong_command_line(
    pcscd: Pcscd, tmp_path: Path
) -> None:
    done = kiosk(pcscd, "trace", str(tmp_path))
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


# --- simulate ----------------------------------------------------------------------


class Simulator:
    """`kiosk card simulate` in a process of its own, where vpcd listens."""

    def __init__(self, pcscd: Pcscd, *options: str) -> None:
        self.process = subprocess.Popen(
            [*pcscd.enter, KIOSK, "card", "simulate", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def type(self, line: str) -> str:
        """Type a line; return what is said next."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.line()

    def quit(self) -> int:
        """End it as a person would; return its exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        code = self.process.wait(SECONDS)
        self.process.stdout.close()
        return code


Start = Callable[..., Simulator]


@pytest.fixture
def start(pcscd: Pcscd) -> Iterator[Start]:
    """Starts simulators; ends those that a test leaves."""
    started: list[Simulator] = []

    def run(*options: str) -> Simulator:
        started.append(Simulator(pcscd, *options))
        return started[-1]

    yield run
    for simulator in started:
        if simulator.process.poll() is None:
            simulator.quit()


def test_simulated_cards_are_moved_by_typed_lines(start: Start) -> None:
    with Watch(PcscMonitor()) as watch:
        simulator = start("--cards", "2")
        names = [simulator.line().split()[2] for _ in range(2)]
        assert simulator.line() == "inserted 1"
        first = watch.card()
        assert first.recognise().identity.key == names[0]
        assert simulator.type("swap 2") == "inserted 2"
        assert watch.until(CardLeft) == CardLeft(first.insertion)
        second = watch.card()
        assert second.recognise().identity.key == names[1]
        assert simulator.type("pull") == "pulled"
        assert watch.until(CardLeft) == CardLeft(second.insertion)
        assert simulator.type("dance").startswith("not understood")
        assert simulator.quit() == 0


def test_the_pin_of_a_simulated_card_comes_from_a_private_file(
    start: Start, tmp_path: Path
) -> None:
    file = tmp_path / "pin"
    file.touch(mode=0o600)
    file.write_text("481516\n")
    with Watch(PcscMonitor()) as watch:
        simulator = start("--pin-file", str(file), "--variant", "yubikey")
        simulator.line()
        card = watch.card()
        with card.session(card.recognise().identity) as session:
            session.verify(Secret(b"481516"))


def test_a_fault_can_be_typed_and_every_command_traced(start: Start) -> None:
    with Watch(PcscMonitor()) as watch:
        simulator = start("--trace", "--empty")
        simulator.line()
        assert simulator.type('fault {"fault":"wrong_status","ins":164,"sw":27010}')
        assert simulator.type("insert") == "inserted 1"
        card = watch.card()
        card.recognise()
        assert simulator.line() == "00 a4 04 00 -> 6982"
        assert simulator.line() == "00 a4 04 00 -> 6a82", "no other family either"
        assert simulator.line() == "00 a4 04 00 -> 9000", "by its longer name"


def test_a_simulated_card_may_speak_t0_and_answer_oddly(
    pcscd: Pcscd, start: Start
) -> None:
    with Watch(PcscMonitor()) as watch:
        start("--protocol", "t0", "--behaves", '{"discovery": "fgA="}')
        watch.card()
        done = info(pcscd)
    assert done.returncode == 0, done.stderr
    assert "Passed over: its discovery object makes no sense." in done.stdout
    assert "PIN tries   5" in done.stdout


@pytest.mark.parametrize(
    "options",
    [
        ("--behaves", "{"),
        ("--behaves", '{"no": 1}'),
        ("--protocol", "t2"),
        ("--type", "GIDS"),
        ("--port", "65536"),
    ],
)
def test_a_simulated_card_cannot_be_what_there_is_not(
    pcscd: Pcscd, options: tuple[str, str]
) -> None:
    done = kiosk(pcscd, "simulate", *options)
    assert done.returncode == 2
    assert options[0] in done.stderr
