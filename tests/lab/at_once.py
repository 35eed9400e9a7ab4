"""`--at-once`: tell what failed while the rest goes on; a whole run is long."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption(
        "--at-once", action="store_true", help="tell failures as they come"
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Tell them where there is somebody to read it; workers have nobody."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if (
        config.getoption("--at-once")
        and reporter
        and not hasattr(config, "workerinput")
    ):
        config.pluginmanager.register(AtOnce(reporter))


class AtOnce:
    """Writes each failure below the dots, as it is."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell one that failed."""
        if report.failed:
            self._reporter.write_line("")
            self._reporter.section(f"{report.nodeid} ({report.when})", red=True)
            self._reporter.write_line(report.longreprtext)
