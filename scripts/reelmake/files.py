"""Writing files so that a reader, or a crash, never meets half of one."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


def write_atomically(path: Path, content: str | bytes, *, durable: bool = False) -> None:
    """Write beside ``path`` and rename over it; the folder is made when missing.

    ``durable`` also waits until the disk has it, which what was paid for is worth.
    Raises OSError (disk full, read-only); then nothing is left behind and ``path`` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    # A short name of its own: `path` may already use all 255 bytes that a file name can have.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    _fill_and_rename(descriptor, Path(temporary), path, data, durable=durable)


class Room:
    """Space on the disk that is set aside for a file, which comes when all else may be full."""

    def __init__(self, aside: Path) -> None:
        self._aside = aside

    def fill(self, path: Path, content: bytes) -> None:
        """Write the file, of which ``path`` is the place, durably. Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._aside, os.O_WRONLY)
        _fill_and_rename(descriptor, self._aside, path, content, durable=True)


@contextlib.contextmanager
def room_for(path: Path, size: int, *, aside: Path) -> Iterator[Room]:
    """Set so many bytes aside, in a file ``aside`` until they are filled; given back at the end.

    Raises OSError when there is no room, or no right to write there.
    """
    for folder in {path.parent, aside.parent}:
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with aside.open("wb") as file:
            _allocate(file.fileno(), size)
        yield Room(aside)
    finally:
        aside.unlink(missing_ok=True)


def _allocate(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:  # macOS
        os.write(descriptor, bytes(size))


def _fill_and_rename(
    descriptor: int, written: Path, path: Path, data: bytes, *, durable: bool
) -> None:
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.truncate()
            if durable:
                file.flush()
                os.fsync(file.fileno())
        written.chmod(0o666 & ~_umask())
        written.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            written.unlink()
        raise
    if durable:
        _sync_folder(path.parent)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
