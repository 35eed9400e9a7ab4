"""pytest's way to the laboratory's domain controller."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.samba import SambaDomain


@pytest.fixture(scope="session")
def samba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SambaDomain]:
    """A domain controller that the tests of one process share; users are their own.

    A test that freezes or kills it lets it go on before it ends.
    """
    with SambaDomain.start(tmp_path_factory.mktemp("samba") / "dc") as domain:
        yield domain
