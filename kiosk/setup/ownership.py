"""Whose a station is: root becomes its user, so that the kiosk can read its files.

A station's files belong to the user it runs as, and to nobody else. Root who writes
them for it therefore goes on as that user, and does not come back.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

import kiosk
from kiosk.core.errors import KioskError
from kiosk.core.file_owner import owner_of

_PROGRAM = tuple(
    Path(file).parent for file in (kiosk.__file__, msgspec.__file__, os.__file__)
)
"""Where it is: the program itself, what it uses, and Python's own part of it."""
USER = "kiosk"
"""The user a kiosk machine has for it."""


class ProgramOutOfReach(KioskError):
    """The user whose a station is may not read the program: `user`, `folder`."""

    code = "kiosk.program_out_of_reach"


def make_folders(*folders: Path) -> None:
    """Make folders (0700) that the kiosk's user owns, where root may and there is one.

    What is there is left alone. OSError.
    """
    if os.geteuid() != 0:
        return
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        return
    for folder in folders:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
            os.chown(folder, user.pw_uid, user.pw_gid)


def become_owner(path: Path) -> None:
    """As root: become the user whose `path` is (or will be), for good.

    OSError. ProgramOutOfReach: nothing is changed.
    """
    number = owner_of(path)
    if os.geteuid() != 0 or number == 0:
        return
    try:
        user = pwd.getpwuid(number)
    except KeyError:
        return
    with acting_as_owner(path):
        pass  # nobody comes back to tell that it cannot be done
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ.update(HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name)


@contextmanager
def acting_as_owner(path: Path) -> Iterator[None]:
    """As root: do what follows as the user whose `path` is (or will be).

    ProgramOutOfReach: nothing is done.
    """
    number = owner_of(path)
    if os.geteuid() != 0 or number == 0:
        yield
        return
    user = pwd.getpwuid(number)
    groups = os.getgroups()
    os.setgroups(os.getgrouplist(user.pw_name, user.pw_gid))
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)
    try:
        for folder in _PROGRAM:
            if not os.access(folder, os.R_OK | os.X_OK, effective_ids=True):
                raise ProgramOutOfReach(user=user.pw_name, folder=str(folder))
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


@contextmanager
def as_oneself() -> Iterator[None]:
    """Within `acting_as_owner`: do what follows as the user who really types."""
    before = os.geteuid()
    os.seteuid(os.getuid())
    try:
        yield
    finally:
        os.seteuid(before)
