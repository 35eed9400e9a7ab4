"""What the journal asks of a file system: the seam where tests break it."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from pathlib import Path

NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs"})
"""File systems on which locks and fsync do not mean what the journal needs."""

READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
"""What a system says where nothing may be written."""
_MADE = 0o600


def opened_or_made(path: Path, flags: int) -> int:
    """Open a file; made with mode 0600 if it is not there. OSError.

    What root makes is the folder's owner's: root's own would keep the station out,
    which opens its lock to write. Only what is made here: a link that somebody has
    put there would hand them any file.
    """
    flags |= os.O_CREAT | os.O_CLOEXEC
    if os.geteuid() != 0:
        return os.open(path, flags, _MADE)
    try:
        handle = os.open(path, flags | os.O_EXCL, _MADE)
    except FileExistsError:
        return os.open(path, flags, _MADE)
    try:
        folder = path.parent.stat()
        os.fchown(handle, folder.st_uid, folder.st_gid)
    except BaseException:
        os.close(handle)
        raise
    return handle


def make_folder(path: Path) -> None:
    """Make a folder (0700) where none is: what root makes is the owner's, as its files
    are. OSError.
    """
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return
    if os.geteuid() == 0:
        above = path.parent.stat()
        os.chown(path, above.st_uid, above.st_gid, follow_symlinks=False)


def make_folders(path: Path) -> None:
    """Make a folder and those above it that are missing, each as `make_folder` does."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):  # `parents=True` makes those as the umask says
        make_folder(each)


class FileOps:
    """The real thing: POSIX calls on descriptors. OSError is what may come out."""

    def open(self, path: Path) -> int:
        """Open for reading and appending; create with mode 0600."""
        return opened_or_made(path, os.O_RDWR | os.O_APPEND)

    def open_readonly(self, path: Path) -> int:
        """Open a file that cannot be written."""
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def open_as_it_may_be(self, path: Path) -> tuple[int, bool]:
        """Open as `open` does; True: only to read, since it may not be written."""
        try:
            return self.open(path), False
        except OSError as error:
            if error.errno not in READ_ONLY:
                raise
            try:
                return self.open_readonly(path), True
            except FileNotFoundError:
                raise error from None

    def create(self, path: Path) -> int:
        """Create an empty file with mode 0600, replacing what is there."""
        return opened_or_made(path, os.O_RDWR | os.O_TRUNC)

    def read(self, handle: int, offset: int, limit: int) -> bytes:
        """Read at most `limit` bytes from `offset`; fewer only at the end."""
        parts = []
        while limit:
            part = os.pread(handle, limit, offset)
            if not part:
                break
            parts.append(part)
            offset += len(part)
            limit -= len(part)
        return b"".join(parts)

    def write(self, handle: int, data: bytes) -> None:
        """Append all of `data`."""
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]

    def fsync(self, handle: int) -> None:
        """Make what was written durable (fsync, because the file grows)."""
        os.fsync(handle)

    def truncate(self, handle: int, size: int) -> None:
        """Cut the file to `size` bytes."""
        os.ftruncate(handle, size)

    def rename(self, source: Path, target: Path) -> None:
        """Replace `target` atomically."""
        os.replace(source, target)  # noqa: PTH105 - the call that is traced in tests

    def remove(self, path: Path) -> None:
        """Remove a file; one that is gone is gone."""
        path.unlink(missing_ok=True)

    def fsync_dir(self, folder: Path) -> None:
        """Make a rename durable."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def close(self, handle: int) -> None:
        """Close a descriptor."""
        os.close(handle)

    def let_go(self, handle: int) -> None:
        """Close a file that may have lost its name, and wait for nothing.

        Whoever is the last to close such a one frees all of it, which takes the kernel
        half a second for a gigabyte: a thread of its own does that.
        """
        try:
            threading.Thread(target=os.close, args=(handle,), daemon=True).start()
        except RuntimeError:  # the system gives us no more threads
            os.close(handle)

    def identity(self, path: Path) -> tuple[int, int, int]:
        """Return device, inode and size of what the path names now."""
        status = os.stat(path)  # noqa: PTH116 - the call that is traced in tests
        return status.st_dev, status.st_ino, status.st_size

    def identity_of(self, handle: int) -> tuple[int, int, int]:
        """Return device, inode and size of an open file."""
        status = os.fstat(handle)
        return status.st_dev, status.st_ino, status.st_size

    def lock(self, handle: int, seconds: float, *, is_shared: bool = False) -> bool:
        """Take the lock, waiting at most `seconds`; say if we have it.

        `is_shared`: with others who take it so.
        """
        deadline = time.monotonic() + seconds
        kind = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
        while True:
            try:
                fcntl.flock(handle, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.002)
            else:
                return True

    def unlock(self, handle: int) -> None:
        """Give the lock back."""
        fcntl.flock(handle, fcntl.LOCK_UN)

    def filesystem(self, folder: Path) -> str:
        """Return the type of the file system `folder` is on, e.g. `ext4`."""
        best, kind = "", ""
        for line in Path("/proc/self/mountinfo").read_text("utf-8").splitlines():
            left, _, right = line.partition(" - ")
            point = left.split()[4].encode().decode("unicode_escape")
            inside = str(folder) == point or str(folder).startswith(
                point.rstrip("/") + "/"
            )
            if inside and len(point) >= len(best):
                best, kind = point, right.split()[0]
        return kind
