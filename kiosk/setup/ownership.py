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

import kiosk
from kiosk.core.errors import KioskError

_PROGRAM = Path(kiosk.__file__).parent

USER = "kiosk"
"""The user a kiosk machine has for it."""


class ProgramOutOfReach(KioskError):
    """The user whose a station is may not read the program: `user`, `folder`."""

    code = "kiosk.program_out_of_reach"


def owner_of(path: Path) -> int:
    """Return whose a file is, or the nearest folder above it that is there.

    A file in a folder that may not be entered is the folder's owner's.
    """
    try:
        return path.stat().st_uid
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        if path == path.parent:
            raise
        return owner_of(path.parent)


def name_of(number: int) -> str:
    """Return a user's name; its number, if it has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


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
        if not os.access(_PROGRAM, os.R_OK | os.X_OK, effective_ids=True):
            raise ProgramOutOfReach(user=user.pw_name, folder=str(_PROGRAM))
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
