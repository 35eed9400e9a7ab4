"""A TPM 2.0 that is a program (swtpm), and what its owner can do to it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.not_run import not_run

_SECONDS = 20.0


class SoftTpm:
    """One TPM, with its memory in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "tpm"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def place(self) -> str:
        return f"swtpm:path={self._socket}"

    def on(self) -> None:
        memory = self._folder / "memory"
        memory.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [
                *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={memory}"),
                *("--server", f"type=unixio,path={self._socket}"),
                *("--ctrl", f"type=unixio,path={self._socket}.ctrl"),
                *("--flags", "not-need-init,startup-clear"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + _SECONDS
        while not Path(f"{self._socket}.ctrl").exists():
            assert time.monotonic() < until, "swtpm does not listen"
            time.sleep(0.02)

    def off(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None
        for name in ("tpm", "tpm.ctrl"):
            self._folder.joinpath(name).unlink(missing_ok=True)

    def does(self, program: str, *words: str) -> str:
        """Let one of tpm2-tools do something to it."""
        done = subprocess.run(
            [f"tpm2_{program}", *words, "-T", self.place],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def handles(self) -> list[str]:
        """Return what it keeps, as its own list says."""
        return self.does("getcap", "handles-persistent").replace("- ", "").split()


@pytest.fixture
def soft_tpm() -> Iterator[SoftTpm]:
    """A TPM of the test's own, switched on."""
    for program, package in (("swtpm", "swtpm"), ("tpm2_sign", "tpm2-tools")):
        if shutil.which(program) is None:
            raise not_run(f"{program} is missing: apt-get install {package}")
    folder = Path(tempfile.mkdtemp(prefix="tpm-"))  # a socket's path is short
    made = SoftTpm(folder)
    try:
        made.on()
        yield made
    finally:
        made.off()
        shutil.rmtree(folder)
