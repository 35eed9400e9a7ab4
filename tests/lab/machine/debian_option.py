"""`--debian SUITE`: type the installation into fresh roots of that Debian.

It takes minutes and fetches packages, so without the option it is no part of a run.
"""

from __future__ import annotations

from pathlib import Path

import pytest

_INSTALL = Path(__file__).parents[2] / "install"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--debian", action="append", default=[], metavar="SUITE")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the folder out where no Debian was named."""
    if collection_path == _INSTALL and not config.getoption("--debian"):
        return True
    return None
