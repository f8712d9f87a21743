"""Reports that nobody need look at: they are, and all that they are made of is, as a run left them.

What is out of date Snakemake decides, and for that it looks at every file of every report. Of one
that it found to be up to date, or has made, sizes and times tell whether it need look again.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from reelmake.files import write_atomically


class FileState(NamedTuple):
    """Bytes, and the nanosecond in which it was changed last."""

    size: int
    changed_ns: int


class Folders:
    """What the files of folders are like at this time: each folder is listed once."""

    def __init__(self) -> None:
        self._listed: dict[str, dict[str, FileState]] = {}

    def state(self, path: str) -> FileState | None:
        """None where no file is."""
        folder, _, name = path.rpartition("/")
        if folder not in self._listed:
            self._listed[folder] = _listed(folder)
        return self._listed[folder].get(name)


def _listed(folder: str) -> dict[str, FileState]:
    try:
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.stat()) for entry in entries]
    except OSError:
        return {}
    return {name: FileState(status.st_size, status.st_mtime_ns) for name, status in found}


def digest_of_text(text: str) -> str:
    """32 hexadecimal digits."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Made:
    """How a report is made. ``of`` says all that it is made of, besides what a ``video`` holds.

    ``stages`` are its files by the steps that make them, one after the other.
    """

    of: str
    video: FileState | None
    stages: Sequence[Sequence[str]]

    def state(self, folders: Folders) -> str | None:
        """A digest; None where a file is missing, or older than one that it is made of."""
        made_ns = self.video.changed_ns if self.video else 0
        states: list[object] = [self.of, self.video]
        for stage in self.stages:
            files = [state for path in stage if (state := folders.state(path))]
            if len(files) < len(stage) or any(file.changed_ns < made_ns for file in files):
                return None
            made_ns = max((file.changed_ns for file in files), default=made_ns)
            states.append(files)
        return digest_of_text(repr(states))


class Settled:
    """A file with the state in which each report was up to date, by the report's path."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            states = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            states = {}
        self._states: dict[str, str] = states if isinstance(states, dict) else {}

    def holds(self, report: str, state: str) -> bool:
        """Whether the report was up to date in this very state."""
        return self._states.get(report) == state

    def keep(self, states: Mapping[str, str]) -> None:
        """Remember these, too. Where they can't be written, Snakemake looks again."""
        states = {**self._states, **states}
        if states != self._states:
            with contextlib.suppress(OSError):
                write_atomically(self._path, json.dumps(states, ensure_ascii=True, indent=0))
