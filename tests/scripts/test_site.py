"""The documents as a site: `make docs` follows every link and reads every docstring."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")

pytestmark = [pytest.mark.slow]


def built(source: Path, into: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "-c", "docs/site", ".", into],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_page_is_there_with_the_machines_drawn_and_the_ports_told(
    tmp_path: Path,
) -> None:
    done = built(ROOT, tmp_path / "site")
    assert (done.returncode, done.stderr) == (0, "")
    pages = [
        *PAGES,
        *(str(it.relative_to(ROOT)) for it in (ROOT / "docs").rglob("*.md")),
    ]
    for page in pages:
        assert (tmp_path / "site" / page).with_suffix(".html").exists(), page
    machine = (tmp_path / "site" / "docs" / "lifecycle.html").read_text("utf-8")
    assert 'class="graphviz"' in machine
    ports = (tmp_path / "site" / "docs" / "site" / "ports.html").read_text("utf-8")
    assert 'id="kiosk.authority.ports.Authority.prepare"' in ports
    for script in ("http://", "https://"):
        assert f'src="{script}' not in machine, "it needs no network"


def test_a_link_to_a_page_that_is_not_there_is_no_site(tmp_path: Path) -> None:
    """On pages of one line each: it is the rule that is tried, not the documents."""
    shutil.copytree(ROOT / "docs" / "site", tmp_path / "docs" / "site")
    for page in (*(ROOT / it for it in PAGES), *(ROOT / "docs").rglob("*.md")):
        there = tmp_path / page.relative_to(ROOT)
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text(f"# {there.stem}\n")
    done = built(tmp_path, tmp_path / "site")
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "docs" / "glossary.md").write_text("# glossary\n\n[gone](gone.md)\n")
    done = built(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert "gone.md" in done.stderr
