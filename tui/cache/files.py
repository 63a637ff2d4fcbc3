"""Files as a shared, recorded, half-full machine needs them: private from the first moment, written whole, locked.

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
_DAY = 24 * 60 * 60
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC


class Stamp(NamedTuple):
    """Tells whether a file is still the one that was read."""

    inode: int
    size: int
    modified: int
    """Nanoseconds."""

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        return cls(found.st_ino, found.st_size, found.st_mtime_ns)


class Changed(Exception):
    """The file is not the one that was read."""


class NotOurs(OSError):
    """A file or folder belongs to another user, or is not what it should be."""


def private_folder(path: Path) -> bool:
    """Make `path` a folder that only we can enter; True where its mode had to be repaired.

    Raises:
        NotOurs: it belongs to somebody else, or is no folder.
        OSError: it cannot be made.
    """
    for parent in reversed(path.parents):  # not `parents=True`: that leaves the modes to the umask
        if not parent.exists():
            with suppress(FileExistsError):
                parent.mkdir(mode=0o700)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotOurs(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    if found.st_uid != os.geteuid():
        raise NotOurs(errno.EPERM, os.strerror(errno.EPERM), str(path))
    if stat.S_IMODE(found.st_mode) == 0o700:
        return False
    path.chmod(0o700)
    return bool(found.st_mode & 0o077)


def open_private(path: Path, flags: int) -> int:
    """Open a file of ours, never through a link; a new one gets mode 0600. Raises NotOurs, OSError."""
    fd = os.open(path, flags | _FLAGS, 0o600)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise NotOurs(errno.EPERM, os.strerror(errno.EPERM), str(path))
        if found.st_mode & 0o077:
            os.fchmod(fd, 0o600)
    except BaseException:
        os.close(fd)
        raise
    return fd


def read_from(path: Path, start: int = 0, *, inode: int = 0) -> tuple[bytes, Stamp]:
    """The bytes of a file from `start`, and what it was then; all of them where it no longer is file `inode`."""
    fd = open_private(path, os.O_RDONLY)
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(fd)
        if inode and found.st_ino != inode:
            raise Changed(path)
        file.seek(start)
        data = file.read(max(0, found.st_size - start))
        return data, Stamp(found.st_ino, start + len(data), found.st_mtime_ns)


@contextmanager
def locked(path: Path, flags: int = os.O_RDWR) -> Iterator[int]:
    """Open `path` and hold it alone until the block is left, for as long as one write takes.

    The file stays the one that `path` names: a compaction that puts another in its place waits for the same lock.
    """
    while True:
        fd = open_private(path, flags)
        try:
            lock(fd)
            if is_named(path, fd):
                yield fd
                return
        finally:
            os.close(fd)


def is_named(path: Path, fd: int) -> bool:
    """True while `path` names the open file `fd`."""
    try:
        return os.stat(path, follow_symlinks=False).st_ino == os.fstat(fd).st_ino
    except FileNotFoundError:
        return False


def lock(fd: int, *, wait: bool = True, shared: bool = False) -> bool:
    """Lock an open file; False where another process holds it. True as well where the file system has no locks.

    The kernel lets go of it when the file is closed, however the process ends.
    """
    import fcntl

    operation = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    try:
        fcntl.flock(fd, operation)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


def write_whole(fd: int, data: bytes) -> None:
    """Append all of `data`, in one write, or none of it. The caller holds the lock. Raises OSError."""
    before = os.fstat(fd).st_size
    try:
        written = os.write(fd, data)
        while written < len(data):  # the disk is full, and the next write says so
            written += os.write(fd, data[written:])
    except OSError:
        with suppress(OSError):
            os.ftruncate(fd, before)
        raise


def append(path: Path, data: bytes, *, expected: Stamp | None = None) -> Stamp:
    """Append `data` in one write to a file that is there already; what the file is then.

    Raises:
        Changed: it no longer is what was `expected`.
        OSError: nothing was written.
    """
    with locked(path, os.O_RDWR | os.O_APPEND) as fd:
        found = os.fstat(fd)
        if expected is not None and (found.st_ino, found.st_size) != (expected.inode, expected.size):
            raise Changed(path)
        write_whole(fd, data)
        return Stamp.of(os.fstat(fd))


def create(path: Path, data: bytes) -> Stamp:
    """Write a new file. Raises FileExistsError where there is one, OSError where nothing was written."""
    fd = open_private(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL)
    try:
        write_whole(fd, data)
        return Stamp.of(os.fstat(fd))
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
    finally:
        os.close(fd)


def append_or_create(path: Path, data: bytes, head: bytes) -> Stamp:
    """Append `data`, to a new file that begins with `head` where there is none. Raises OSError: nothing was written."""
    with suppress(FileNotFoundError):
        return append(path, data)
    with suppress(FileExistsError):
        return create(path, head + data)
    return append(path, data)  # another process was quicker


def replace(path: Path, data: bytes) -> Stamp:
    """Put a file with `data` in the place of `path`: at any time either the old or the new one is there, whole."""
    # Not by our process: there may be one of the same number on another machine that has the folder too.
    beside = path.with_name(f".{path.name}.{os.urandom(4).hex()}.new")
    try:
        stamp = create(beside, data)
        sync(beside)
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
    sync_folder(path.parent)
    return stamp


def sweep(folder: Path, now: datetime) -> None:
    """Remove what killed programs left of files that were to be put in the place of others: what is a day old."""
    with suppress(OSError):
        for path in folder.glob(".*.new"):
            if now.timestamp() - path.lstat().st_mtime > _DAY:
                path.unlink()


def sync(path: Path) -> None:
    """Wait until what was written to a file is on the disk. Raises OSError."""
    fd = open_private(path, os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk; some file systems cannot."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            os.fsync(fd)
    finally:
        os.close(fd)


def set_aside(path: Path, now: datetime) -> Path:
    """Give a broken file a second name that says so; the first is free to be replaced. Nothing is overwritten."""
    for number in range(1000):
        suffix = f"-{number}" if number else ""
        aside = path.with_name(f"{path.name}.corrupt-{now:%Y%m%dT%H%M%S}{suffix}")
        try:
            aside.hardlink_to(path)
        except FileExistsError:
            continue
        except OSError:  # a file system without hard links
            if aside.exists():
                continue
            path.rename(aside)
        return aside
    raise OSError(errno.EEXIST, "too many broken files", str(path))
