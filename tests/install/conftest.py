"""Fresh roots are made only where somebody asks for them: `make test-install`."""

from __future__ import annotations

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test in each Debian that was named."""
    if "debian" in metafunc.fixturenames:
        metafunc.parametrize("debian", metafunc.config.getoption("--debian"))
