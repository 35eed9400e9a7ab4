"""LDAP's ports are root's; an ordinary user gets them in a network of their own.

A run that may not use them begins again inside namespaces where it may: the same
user, the same command, a loopback interface and nothing else. Where the kernel
allows no namespaces either, the run goes on, and what needs a domain controller
says that it was not run (`lab.domain.samba`).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

LDAPS = 636
_INSIDE = "PIN_KIOSK_TESTS_OWN_NETWORK"
_ENTER = """
PATH=$PATH:/usr/sbin:/sbin
ip link set lo up && echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start || exit
user=$1 group=$2
shift 2
exec unshare --user --map-user="$user" --map-group="$group" -- "$@"
"""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Begin again, where that helps and is possible."""
    if os.environ.get(_INSIDE) or may_use(LDAPS):
        return
    enter = [
        *("unshare", "--user", "--map-root-user", "--net", "--", "sh", "-c", _ENTER),
        *("sh", str(os.getuid()), str(os.getgid())),
    ]
    if subprocess.run([*enter, "true"], capture_output=True, check=False).returncode:
        return
    os.environ[_INSIDE] = "1"
    command = [sys.executable, "-m", "pytest", *config.invocation_params.args]
    os.execvp(enter[0], [*enter, *command])


def may_use(port: int) -> bool:
    """Say whether this user may listen on that port."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return False
        except OSError:
            return True  # somebody else listens; the permission was there
        return True
