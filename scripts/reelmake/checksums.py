"""sha256 of videos, computed once for a file as it is: terabytes are not read twice."""

import contextlib
import hashlib
import logging
import os
import re
from pathlib import Path

from reelmake.files import write_atomically

log = logging.getLogger(__name__)


class Checksums:
    """A folder that remembers checksums by the file's inode, size and modification time.

    One small file each rather than a database, so that jobs on several nodes can share it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sha256(self, path: Path) -> str:
        """Hexadecimal sha256 of a file. Raises OSError when it can't be read."""
        known = self.known(path)
        if known:
            return known
        with path.open("rb") as file:
            log.info("reading %s for its checksum (%.2f GB)", path.name, path.stat().st_size / 1e9)
            before = os.fstat(file.fileno())
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            after = os.fstat(file.fileno())
        # A file that is still being copied has no checksum worth remembering.
        if _fingerprint(before) == _fingerprint(after):
            write_atomically(self._entry(after), sha256 + "\n")
        return sha256

    def known(self, path: Path) -> str | None:
        """The checksum of a file as it is now, if it is remembered; the file is not read."""
        with contextlib.suppress(OSError, UnicodeError):
            known = self._entry(path.stat()).read_text(encoding="ascii").strip()
            if re.fullmatch(r"[0-9a-f]{64}", known):
                return known
        return None

    def _entry(self, status: os.stat_result) -> Path:
        key = hashlib.sha256(_fingerprint(status).encode()).hexdigest()
        return self.folder / key[:2] / key


def _fingerprint(status: os.stat_result) -> str:
    """Changes whenever a file's content may have; costs one stat."""
    return f"{status.st_dev}-{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"
