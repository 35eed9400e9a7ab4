"""A bare Debian in a root of its own, and a person who types at its console.

    with FreshRoot.of("trixie", folder) as root, root.console() as console:
        console.type("apt-get install sudo")

What a machine has and a bare root has not is started by hand: the bus, polkit, the
card service with a virtual reader. The root has the network of the machine that it is
on, so a domain controller of the laboratory can be reached.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lab.not_run import not_run
from lab.terminal.terminal import Terminal, terminal

ROOT = Path(__file__).parents[3]
_DEBIANS = ROOT / "scripts" / "setup" / "debians.sh"
_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_TRUSTED = Path("/srv/trusted-outside.crt")
"""What this machine trusts on the way out, its root trusts too."""
_YES = "[Y/n] "
PATIENCE = 900.0


class FreshRoot:
    """One machine. Everything in it ends with the block."""

    def __init__(self, path: Path, process: subprocess.Popen[str]) -> None:
        self.path = path
        self._process = process
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        self._pid = children.split()[0]

    @classmethod
    @contextmanager
    def of(cls, suite: str, folder: Path) -> Iterator[FreshRoot]:
        """Make a copy of a bare root, and be in it."""
        if os.geteuid() != 0:
            raise not_run("fresh roots are made by root: sudo make test-install")
        made = subprocess.run(
            ["sh", _DEBIANS, "--bare", suite],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise not_run(f"there is no bare {suite} here: {made.stderr.strip()}")
        path = folder / suite
        subprocess.run(["cp", "-a", made.stdout.strip(), path], check=True)
        for file in (Path("/etc/resolv.conf"), Path("/etc/hosts")):
            shutil.copy(file, path / file.relative_to("/"))
        if _BUNDLE.exists():  # in a place that no package of the root writes anew
            shutil.copy(_BUNDLE, path / _TRUSTED.relative_to("/"))
        process = subprocess.Popen(
            [
                *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts"),
                *("sh", str(_DEBIANS), "--hold", str(path)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield cls(path, process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(30)
            process.stdout.close()
            shutil.rmtree(path)

    # --- inside ---------------------------------------------------------------

    def command(self, *words: str) -> list[str]:
        """Return the command line that runs inside."""
        return [
            *("nsenter", "--target", self._pid, "--mount", "--pid", "--uts"),
            *(f"--root=/proc/{self._pid}/root", f"--wd=/proc/{self._pid}/root"),
            *("env", "-i", "HOME=/root", "TERM=xterm-256color", "LC_ALL=C.UTF-8"),
            "SYSTEMD_OFFLINE=1",  # it was not booted: units are only enabled
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            *(f"PIP_CERT={_TRUSTED}", "DEBIAN_FRONTEND=noninteractive"),
            *words,
        ]

    def run(self, *words: str) -> str:
        """Do something that a machine has done before anybody types."""
        done = subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def background(self, *words: str) -> Iterator[IO[str]]:
        """Let something run until the block ends; yield its standard input."""
        with (self.path / "root" / "background.log").open("ab") as log:
            process = subprocess.Popen(
                self.command(*words),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
            )
        assert process.stdin is not None
        try:
            yield process.stdin
        finally:
            process.stdin.close()
            process.terminate()
            process.wait(15)

    @contextmanager
    def console(self) -> Iterator[Console]:
        """Sign root in at a console, as PAM would: the session has a login."""
        start = (
            "echo 0 >/proc/self/loginuid; exec bash --norc --noprofile --noediting -i"
        )
        with terminal(
            self.command("PS1=ready:$?> ", "sh", "-c", start),
            environment=dict(os.environ),
            size=(250, 60),
        ) as shown:
            yield Console(shown)


class Console:
    """Root's shell: what is typed, what is answered, how each command ends."""

    def __init__(self, shown: Terminal) -> None:
        self.shown = shown
        self._told = 0
        self.ends()

    def hears(self, words: str, seconds: float = 120.0) -> str:
        """Wait until this is said after everything that was heard before."""
        said = self.shown.until_said(words, self._told, seconds)
        self._told += len(said)
        return said

    def answers(self, question: str, answer: str = "") -> str:
        """Wait for a question, and answer it with a line."""
        said = self.hears(question)
        self.shown.type(f"{answer}\r")
        return said

    def starts(self, command: str) -> None:
        """Type a command that goes on to ask, or to show, something."""
        self.shown.type(f"{command}\r")
        self.hears("\n")

    def ends(self) -> tuple[int, str]:
        """Wait for the prompt; agree to whatever asks on the way."""
        heard = ""
        while True:
            said, found = self.shown.until_one_said(
                (_YES, "ready:"), self._told, PATIENCE
            )
            self._told += len(said)
            heard += said
            if found == _YES:
                self.shown.type("y\r")
                continue
            code = self.hears("> ").removesuffix("> ")
            return int(code), heard.removesuffix("ready:")

    def type(self, command: str) -> str:
        """Type a command that must go well; return what it said."""
        self.starts(command)
        code, said = self.ends()
        assert code == 0, f"{command}: ends with {code}\n{said}"
        return said


def typed_in(document: str, *ways: str) -> Iterator[str]:
    """Yield the commands of a document that are for one of the ways, in their order.

    They stand in blocks that begin with ```sh, or ```sh and the ways that it is for;
    `#` begins what is for people.
    """
    blocks = re.findall(
        r"^```sh((?: \w+)*)\n(.*?)^```", document, re.MULTILINE | re.DOTALL
    )
    for meant, block in blocks:
        if meant and not set(meant.split()) & set(ways):
            continue
        for line in block.replace("\\\n", " ").splitlines():
            if command := line.split("  #")[0].strip():
                yield command


def begins(command: str, words: Sequence[str]) -> bool:
    """Say whether a command begins with just these words."""
    return command.split()[: len(words)] == list(words)
