"""What the laboratory's domain consists of, founded once and kept in a cache.

The organisational unit Staff with the rights of `docs/directory.md` delegated to the
service account, the unit Elsewhere without, and a fine-grained policy that lets six
digits be a password. Founding takes about ten seconds; a copy of it a fraction of one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.not_run import not_run

REALM = "AD.TEST"
BASE_DN = "DC=ad,DC=test"
STAFF = f"OU=Staff,{BASE_DN}"
ELSEWHERE = f"OU=Elsewhere,{BASE_DN}"
PIN_USERS = f"CN=PIN Users,CN=Users,{BASE_DN}"
ADMINISTRATOR = "administrator@ad.test"
ADMINISTRATOR_PASSWORD = "Lab-Admin-4711"
SERVICE = "svc-pinsync@ad.test"
SERVICE_PASSWORD = "Kq8-vTzN3-rWb5"
LOCKOUT_THRESHOLD = 5
"""Wrong passwords that lock a PIN user."""

PACKAGES = "samba samba-ad-provision samba-dsdb-modules samba-vfs-modules"
_CACHE = Path(__file__).parents[3] / ".cache" / "samba"
_RUNNER = Path(__file__).with_name("samba_tool.py")
_DONE = "--- done ---"
_TOOL = ["/usr/bin/python3", "-I", str(_RUNNER), _DONE]
_USER = "bf967aba-0de6-11d0-a285-00aa003049e2"
_RESET_PASSWORD = "00299570-246d-11d0-a768-00aa006e0529"
_PWD_LAST_SET = "bf967a0a-0de6-11d0-a285-00aa003049e2"
_LOCKOUT_TIME = "28630ebf-41d5-11d1-a9c1-0000f80367c1"

Command = list[str]


class SambaUnusable(RuntimeError):
    """Samba is there and does not do its part."""


def require_samba() -> None:
    """Run no test here where something is missing; say what to install."""
    parts = ("/usr/sbin/samba", "/usr/bin/samba-tool", "/usr/share/samba/setup")
    missing = [part for part in parts if not Path(part).exists()]
    if missing:
        raise not_run(
            f"These tests need a Samba AD domain controller; {', '.join(missing)} is "
            f"missing. On Debian 12: apt-get install --no-install-recommends {PACKAGES}"
            " (Debian 13: samba-ad-dc, too). `make test` does it."
        )


def copy_domain(target: Path) -> None:
    """Copy the founded domain into `target`, founding it first where need be."""
    require_samba()
    shutil.copytree(_founded(), target)


# --- founding ----------------------------------------------------------------


def _founded() -> Path:
    """Return the folder of the founded domain; one process founds, others wait."""
    return founded_once("domain", fingerprint(), _found)


def founded_once(name: str, plan: str, found: Callable[[Path], None]) -> Path:
    """Return a folder of the cache that `found` fills; what is outdated goes."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    finished = _CACHE / f"{name}-{plan}"
    with _locked(_CACHE / f"{name}.lock"):
        if not finished.exists():
            unfinished = _CACHE / f"founding-{name}"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            found(unfinished)
            for outdated in _CACHE.glob(f"{name}-*"):
                shutil.rmtree(outdated)
            unfinished.rename(finished)
    return finished


def fingerprint(*further: Path) -> str:
    """Tell apart what was founded by another Samba or from another plan.

    `further`: files that belong to the plan.
    """
    version = subprocess.run(
        ["/usr/sbin/samba", "--version"], capture_output=True, check=True
    ).stdout
    plan = b"".join(file.read_bytes() for file in (Path(__file__), _RUNNER, *further))
    return hashlib.sha256(version + plan).hexdigest()[:16]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _found(folder: Path) -> None:
    empty = folder / "empty.conf"
    empty.write_text("[global]\n")
    run_tool([_provision(folder, empty)])
    run_tool([[*command, *_database(folder)] for command in _population()])
    shown = run_tool(
        [["user", "show", "svc-pinsync", "--attributes=objectSid", *_database(folder)]]
    )
    sid = next(
        line.split()[1] for line in shown.splitlines() if line.startswith("objectSid:")
    )
    run_tool([[*command, *_database(folder)] for command in _delegation(sid)])


def run_tool(commands: list[Command]) -> str:
    """Run samba-tool with each list of arguments. SambaUnusable."""
    result = subprocess.run(
        _TOOL,
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    if result.returncode:
        raise SambaUnusable(f"samba-tool failed:\n{result.stdout}\n{result.stderr}")
    return result.stdout


class WaitingTool:
    """A samba-tool that waits for commands: its beginning takes longer than most."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            _TOOL,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )

    def run(self, *words: str) -> None:
        """Run it with these arguments. SambaUnusable: it has ended, then."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps([words])}\n")
        self._process.stdin.flush()
        said = ""
        for line in self._process.stdout:
            if line == f"{_DONE}\n":
                return
            said += line
        raise SambaUnusable(f"samba-tool failed:\n{said}")

    def end(self) -> None:
        self._process.communicate()


def _database(folder: Path) -> Command:
    return ["-H", str(folder / "private" / "sam.ldb")]


def _provision(folder: Path, configuration: Path) -> Command:
    return [
        "domain",
        "provision",
        "-q",
        f"--configfile={configuration}",
        f"--targetdir={folder}",
        f"--realm={REALM}",
        "--domain=ADTEST",
        "--server-role=dc",
        "--host-name=dc1",
        "--host-ip=127.0.0.1",
        f"--adminpass={ADMINISTRATOR_PASSWORD}",
        "--dns-backend=NONE",
    ]


def _population() -> list[Command]:
    return [
        ["ou", "create", STAFF],
        ["ou", "create", ELSEWHERE],
        ["user", "create", "svc-pinsync", SERVICE_PASSWORD],
        ["group", "add", "PIN Users"],
        [
            *("domain", "passwordsettings", "pso", "create", "pin-users", "10"),
            "--complexity=off",
            "--min-pwd-length=6",
            "--history-length=5",
            "--min-pwd-age=0",
            "--max-pwd-age=0",
            f"--account-lockout-threshold={LOCKOUT_THRESHOLD}",
            "--account-lockout-duration=30",
            "--reset-account-lockout-after=30",
        ],
        ["domain", "passwordsettings", "pso", "apply", "pin-users", "PIN Users"],
    ]


def _delegation(sid: str) -> list[Command]:
    """The rights of the service account, as `docs/directory.md` tells a site."""
    on_staff = "".join(
        (
            f"(OA;CIIO;CR;{_RESET_PASSWORD};{_USER};{sid})",
            f"(OA;CIIO;WP;{_PWD_LAST_SET};{_USER};{sid})",
            f"(OA;CIIO;WP;{_LOCKOUT_TIME};{_USER};{sid})",
        )
    )
    policies = f"CN=Password Settings Container,CN=System,{BASE_DN}"
    on_policies = f"(A;CI;RPLCLORC;;;{sid})"
    return [
        ["dsacl", "set", f"--objectdn={STAFF}", f"--sddl={on_staff}"],
        ["dsacl", "set", f"--objectdn={policies}", f"--sddl={on_policies}"],
    ]
