"""docs/evidence.md, typed as it is printed: the file, the key and OpenSSL alone."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.desk.witnessed import WitnessedSite, events_of, verdict, without, written
from msgspec.structs import replace

from storage.checkpoints import LANE

OTHER = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
DOCUMENT = Path(__file__).parents[2] / "docs" / "evidence.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def by_hand(folder: Path) -> subprocess.CompletedProcess[str]:
    """Type every command of the page, one after the other."""
    script = "".join(BLOCK.findall(DOCUMENT.read_text("utf-8")))
    return subprocess.run(
        ["sh"],
        input=script,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(name="desk")
def _desk(tmp_path: Path) -> Path:
    """An auditor's own folder: the exported file, the key, and nothing else."""
    site = WitnessedSite(tmp_path / "site")
    site.change("ann", at="lobby")
    site.clock.advance(61.0)
    site.change("ann", at="lobby")
    folder = tmp_path / "auditor"
    folder.mkdir()
    site.export(station="lobby").rename(folder / "evidence.jsonl")
    key = site.world.parts.vault.signer().key.pem()
    (folder / "authority.pem").write_text(key, "ascii")
    return folder


def test_an_honest_export_passes_every_step(desk: Path) -> None:
    done = by_hand(desk)
    assert done.returncode == 0, done.stderr
    assert "Signature Verified Successfully" in done.stdout
    assert "Verified OK" in done.stdout
    assert '"kind":"credential.key_recorded"' in done.stdout.splitlines()[-1]


def test_a_write_to_another_account_stops_at_the_last_but_one(tmp_path: Path) -> None:
    """Whoever owns the authority's key writes the whole chain so, and signs it."""
    site = WitnessedSite(tmp_path / "site")
    site.change("ann", at="lobby")
    honest = without(site.store.audit_events(), lambda e: e.station == LANE)
    site.forget_events()
    site.add(
        replace(e, data={**e.data, "account_guid": OTHER})
        if e.kind == "operation.writing"
        else e
        for e in honest
    )
    folder = tmp_path / "auditor"
    folder.mkdir()
    file = site.export(station="lobby")
    said = verdict(file, "--key", site.key)
    assert said.code == 1
    assert "to another account than the one signed for" in said.text
    file.rename(folder / "evidence.jsonl")
    key = site.world.parts.vault.signer().key.pem()
    (folder / "authority.pem").write_text(key, "ascii")
    done = by_hand(folder)
    assert done.returncode != 0
    assert "Verified OK" in done.stdout, "the signature is the card's"
    assert "credential.key_recorded" not in done.stdout


def changed(old: str, new: str) -> Callable[[Path], None]:
    """Change the last place where that stands."""

    def spoil(file: Path) -> None:
        head, found, tail = file.read_text("utf-8").rpartition(old)
        assert found
        file.write_text(head + new + tail, "utf-8")

    return spoil


def cut(file: Path) -> None:
    events = events_of(file)
    shorter = without(events, lambda e: e is events[-1])
    written(file, shorter, keep_first=True).replace(file)


def without_key_record(file: Path) -> None:
    kept = without(events_of(file), lambda e: e.kind == "credential.key_recorded")
    written(file, kept, keep_first=True).replace(file)


@pytest.mark.parametrize(
    "spoil",
    [
        changed('"actor":"holder"', '"actor":"mallory"'),
        changed("checkpoint 3\\n", "checkpoint 4\\n"),
        changed('"sealed_sha256":"', '"sealed_sha256":"0'),
        cut,
        without_key_record,
    ],
)
def test_what_is_not_as_it_was_stops_at_a_step(
    desk: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(desk / "evidence.jsonl")
    assert by_hand(desk).returncode != 0
