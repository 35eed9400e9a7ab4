"""What cannot run here is named and counted: it never passes, and never fails alone.

A part that is not installed, or that this user may not have, is no fault of what is
tested. Where everything must be there (`CI=true`), it is a failure all the same.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from pathlib import Path

import pytest

_MARK = "NOT RUN: "
_OUTCOME = "not run"


def not_run(why: str) -> BaseException:
    """Return what to raise where something is missing: `why` names it, and a way."""
    if os.environ.get("CI"):
        return pytest.fail.Exception(why, pytrace=False)
    return pytest.skip.Exception(f"{_MARK}{why}", allow_module_level=True)


def not_offered(release: str, why: str) -> BaseException:
    """Return what to raise where that release of Debian does not have something.

    No machine with it can have it, so that is no failure under CI either; elsewhere it
    is merely missing.
    """
    if f'VERSION_ID="{release}"' in _os_release():
        return pytest.skip.Exception(f"{_MARK}{why}", allow_module_level=True)
    return not_run(why)


def _os_release() -> str:
    try:
        return Path("/etc/os-release").read_text("utf-8")
    except OSError:
        return ""


def needs(fulfilled: bool, why: str) -> pytest.MarkDecorator:
    """Mark tests that cannot run where something is not so; under CI they try."""
    is_left_out = not (fulfilled or os.environ.get("CI"))
    return pytest.mark.skipif(is_left_out, reason=f"{_MARK}{why}")


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Count it apart from what was skipped on purpose."""
    if report.skipped and _MARK in _reason(report):
        return _OUTCOME, "n", _OUTCOME.upper()
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not run, why, and how many tests of which file that are."""
    files: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for report in terminalreporter.getreports(_OUTCOME):
        why = _reason(report).partition(_MARK)[2]
        files[why][report.nodeid.partition("::")[0]] += 1
    if not files:
        return
    count = sum(each.total() for each in files.values())
    terminalreporter.section(f"NOT RUN: {count} tests", yellow=True)
    for why, counted in sorted(files.items()):
        terminalreporter.line(f"{counted.total()} tests: {why}")
        for file, tests in sorted(counted.items()):
            terminalreporter.line(f"    {tests:4} {file}")


def _reason(report: pytest.TestReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
