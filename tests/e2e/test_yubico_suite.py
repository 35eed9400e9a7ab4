"""The tests that yubikey-manager ships for its makers' devices pass on ours.

They are run from its source distribution, as they are: `.venv/judges`, made by
`make env-test`. What does not apply to a firmware they leave out by themselves.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from lab.cards.card_kinds import make_piv
from lab.cards.events import Watch
from lab.cards.pcscd import Pcscd
from msgspec.structs import replace

from kiosk.cards.pcsc import PcscMonitor
from kiosk.core.entropy import SeededEntropy
from kiosk.simulation.cards.factory import make_card
from kiosk.simulation.cards.options import PivOptions, of_bio_key, of_yubikey

pytestmark = [
    pytest.mark.long,
    pytest.mark.pcscd,
    pytest.mark.slow,
]
JUDGES = Path(sys.prefix) / "judges"
SERIAL = 12345678
SUITE, COMMANDS = "tests/device/test_piv.py", "tests/device/cli/piv"
_RESET_BY_PIV = (
    "TestManagementKeyReadOnly::test_reset_resets_has_stored_key_flag",
    "TestMetadata::test_management_key_metadata",
)
"""They reset by PIV's own command in the middle, which a Bio key leaves to its device's
reset: the suite itself asks for that wherever it knows of it."""


def summary(printed: str) -> dict[str, int]:
    """Return what the suite's closing line counts, e.g. {"passed": 89}."""
    last = printed.strip().splitlines()[-1]
    return {what: int(count) for count, what in re.findall(r"(\d+) (\w+)", last)}


def judged(pcscd: Pcscd, options: PivOptions, *arguments: str) -> dict[str, int]:
    """Run tests on a key with these options; a second one keeps its commands quick."""
    if not (JUDGES / "yubikey-manager").is_dir():
        pytest.fail("the suite is missing: make env-test")
    pcscd.start_as_yubikeys()
    for number, reader in enumerate(pcscd.readers):
        serial = (SERIAL + number).to_bytes(4, "big")
        key = make_card(
            SeededEntropy(number),
            subject="Ann",
            pin=b"123456",
            puk=b"12345678",
            options=replace(options, serial=serial),
        )
        reader.insert(key.card)
    with Watch(PcscMonitor()) as watch:
        for _ in pcscd.readers:
            watch.card()
    options_of_pytest = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    command = [str(JUDGES / "bin/python"), "-m", "pytest", *options_of_pytest]
    device = ("--device", str(SERIAL), "--reader", "00 00")
    done = subprocess.run(
        [*command, *arguments, *device],
        cwd=JUDGES / "yubikey-manager",
        env=pcscd.environment,
        capture_output=True,
        text=True,
        timeout=390,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return summary(done.stdout)


@pytest.mark.parametrize(
    ("version", "at_least"), [((5, 2, 7), 48), ((5, 4, 3), 70), ((5, 7, 4), 89)]
)
def test_its_device_tests_pass(
    pcscd: Pcscd, version: tuple[int, int, int], at_least: int
) -> None:
    counted = judged(pcscd, of_yubikey(SERIAL, version), SUITE)
    assert counted["passed"] >= at_least


def test_its_device_tests_pass_on_a_key_with_fingers(pcscd: Pcscd) -> None:
    left_out = [
        word for test in _RESET_BY_PIV for word in ("--deselect", f"{SUITE}::{test}")
    ]
    counted = judged(pcscd, of_bio_key(SERIAL), SUITE, *left_out)
    assert counted["passed"] >= 64


def test_its_tests_of_the_command_line_pass(pcscd: Pcscd) -> None:
    counted = judged(pcscd, of_yubikey(SERIAL), COMMANDS)
    assert counted["passed"] >= 74


def test_what_is_judged_can_fail(pcscd: Pcscd) -> None:
    """A card without a YubiKey's commands is none of theirs."""
    plain = make_piv().card.options
    with pytest.raises(AssertionError):
        judged(pcscd, replace(plain, version=b"\x05\x04\x03", exponent=b"\x05"), SUITE)
