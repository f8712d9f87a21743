"""Where videos are on disk: what a folder or a glob holds, and what is left out."""

import os
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from glob import glob
from pathlib import Path

from reelmake.targets import VIDEO_SUFFIXES

# Names of what browsers, editors and yt-dlp are still writing, or have left behind.
_TEMPORARY_PREFIXES = (".", "~$", "~")
_TEMPORARY_ENDING = re.compile(
    r"\.(part|partial|crdownload|download|temp|tmp)\.\w+$", re.IGNORECASE
)


# Folders of the file system itself, which nobody but it may enter.
_OF_SYSTEM = {"lost+found", "System Volume Information"}


def videos_in_folder(folder: str, exclude: Sequence[str]) -> tuple[list[str], list[str]]:
    """All videos in a folder and below, and the folders there that may not be read; both sorted.

    Links are followed, each folder is entered once.
    """
    closed: list[str] = []
    found = list(_walk(folder, closed))
    videos, unread = (
        sorted(path for path in paths if not is_excluded(path, exclude, folder=folder))
        for paths in (found, closed)
    )
    return videos, unread


def videos_of_glob(pattern: str, exclude: Sequence[str]) -> list[str]:
    """The videos that a glob finds, sorted; one that links lead to in a circle comes once."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(glob(pattern, recursive=True), key=lambda path: (path.count("/"), path)):
        folder, name = os.path.split(path)
        if is_video_name(name) and os.path.isfile(path) and not is_excluded(path, exclude):
            found.setdefault((os.path.realpath(folder), name), path)
    return sorted(found.values())


def is_video_name(name: str) -> bool:
    """Whether a file of this name is a finished video that should be found."""
    return (
        os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES
        and not name.startswith(_TEMPORARY_PREFIXES)
        and not _TEMPORARY_ENDING.search(name)
    )


def is_excluded(path: str, patterns: Sequence[str], *, folder: str = "") -> bool:
    """Whether a pattern of ``exclude:`` matches the path, a folder above it, or its name.

    ``*`` matches ``/`` too. Paths below ``folder`` are matched relative to it as well.
    """
    if not patterns:
        return False
    forms = [path]
    if folder:
        relative = os.path.relpath(path, folder)
        parents = (str(parent) for parent in Path(relative).parents)
        forms += [relative, *parents]
    forms.append(os.path.basename(path))
    composed = [unicodedata.normalize("NFC", form) for form in forms]
    wanted = (unicodedata.normalize("NFC", pattern).rstrip("/") for pattern in patterns)
    return any(fnmatchcase(form, pattern) for pattern in wanted for form in composed)


def _walk(folder: str, closed: list[str]) -> Iterator[str]:
    # Real folders before linked ones: what is reached both ways keeps its own path.
    waiting, linked = deque([folder]), deque[str]()
    entered: set[tuple[int, int]] = set()
    while waiting or linked:
        here = waiting.popleft() if waiting else linked.popleft()
        try:
            status = os.stat(here)
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(here) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if entry.name.startswith(".") or entry.name in _OF_SYSTEM:
                        continue
                    if _is(entry.is_dir):
                        (linked if entry.is_symlink() else waiting).append(entry.path)
                    elif is_video_name(entry.name) and _is(entry.is_file):
                        yield entry.path
        except OSError as error:
            if here == folder:
                raise
            if isinstance(error, PermissionError):
                closed.append(here)


def _is(kind: Callable[[], bool]) -> bool:
    try:
        return kind()
    except OSError:  # a link that leads to itself
        return False
