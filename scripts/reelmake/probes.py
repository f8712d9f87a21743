"""What a video file is, and the memory of it: each is opened once, however often it is asked."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reelmake.files import write_atomically

# A changed video leaves its old entry behind; the oldest go when there are more than these.
_MOST_ENTRIES = 200_000
_PATH = "\0"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a video is, as a player would show it."""

    duration_s: float
    container: str
    size_bytes: int
    width: int
    height: int
    frames_per_second: float | None
    video_codec: str
    audio_codec: str | None
    rotation: int
    title: str | None


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a file can't be used: a code of failures.yaml and what was found."""

    code: str
    message: str


class ProbeCache:
    """One JSON file: thousands of entries are read in a few hundredths of a second.

    It is replaced as a whole, so a crash leaves the one before; of two runs that write at the same
    time, what one found may be lost and is found again. An unreadable file is an empty memory.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._entries = self._read()

    def get(self, path: str, status: os.stat_result) -> Probe | Unusable | None:
        """What is remembered of the file as it is now; None when it has to be probed."""
        entry = self._entries.get(_fingerprint(status))
        if entry is None:
            return None
        try:
            if "problem" not in entry:
                return Probe(**entry)
            # What changes rights or repairs a disk shows in this time, and not in the other.
            if entry["changed"] != status.st_ctime_ns:
                return None
            return Unusable(entry["problem"], entry["message"].replace(_PATH, path))
        except (KeyError, TypeError):
            return None

    def add(self, found: Iterable[tuple[str, os.stat_result, Probe | Unusable]]) -> None:
        """Remember these as well, and write all. Raises OSError when that is not possible."""
        fresh: dict[str, Any] = {}
        for path, status, result in found:
            if isinstance(result, Probe):
                fresh[_fingerprint(status)] = asdict(result)
            else:
                message = result.message.replace(path, _PATH)
                fresh[_fingerprint(status)] = {
                    "problem": result.code,
                    "message": message,
                    "changed": status.st_ctime_ns,
                }
        together = {**self._read(), **self._entries, **fresh}
        self._entries = dict(list(together.items())[-_MOST_ENTRIES:])
        write_atomically(self._file, json.dumps(self._entries, ensure_ascii=False, indent=0))

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        if not isinstance(content, dict):
            return {}
        return {key: entry for key, entry in content.items() if isinstance(entry, Mapping)}


def _fingerprint(status: os.stat_result) -> str:
    """Changes whenever a file's content may have."""
    return f"{status.st_dev}-{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"
