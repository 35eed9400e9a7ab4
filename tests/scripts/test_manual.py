"""The manual page says what the commands' own help says."""

from __future__ import annotations

import subprocess

from kiosk.cli import COMMANDS
from scripts.manual import manual


def read(page: str) -> str:
    """Return the page as troff understands it, without its layout."""
    lines = [line for line in page.splitlines() if not line.startswith(".\\")]
    return (
        "\n".join(lines).replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "\\")
    )


def test_every_command_and_those_below_it_are_described() -> None:
    page = read(manual())
    for name in COMMANDS:
        assert f".SS kiosk {name} [OPTIONS]" in page
    for words in ("kiosk credential issue", "kiosk audit verify", "--keys"):
        assert words in page


def test_exit_codes_and_files_are_named() -> None:
    page = read(manual())
    assert ".SH EXIT STATUS" in page
    assert ".I /etc/pin-kiosk/kiosk.toml" in page


def test_no_line_is_taken_for_a_request_of_troff_by_accident() -> None:
    requests = {".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".I", ".RI"}
    for line in manual().splitlines():
        assert not line.startswith("'"), line
        if line.startswith("."):
            assert line.split()[0] in requests, line


def test_troff_finds_nothing_wrong() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww"],
        input=manual(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
