"""Where everything is below the results folder: the one place that knows, besides the rules."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from reelmake.checksums import Checksums
from reelmake.errors import ReelmakeError
from reelmake.store import Store
from reelmake.targets import VIDEO_SUFFIXES


@dataclass(frozen=True)
class Results:
    """The results folder of a configuration."""

    root: Path

    def check_folders(self, templates: Iterable[str]) -> None:
        """Raise ReelmakeError ``results_unwritable`` where a file stands in the place of a folder.

        Or where a folder has no place, or may not be entered. Snakemake would show a stack.
        """
        below = ["analyses", "reports", "responses", ".reelmake", *self._folders_of(templates)]
        for folder in (self.root, *(self.root / name for name in below)):
            try:
                there = next(place for place in (folder, *folder.parents) if place.exists())
            except OSError as error:  # Linux takes 4095 bytes, and 255 for one name
                raise self._unusable(f"{error.filename}: {error.strerror}") from None
            if not there.is_dir():
                raise self._unusable(f"{there} is a file; expected a folder")
            if there == folder and not os.access(folder, os.R_OK | os.X_OK):
                raise self._unusable(f"{folder}: may not be read")

    def _unusable(self, why: str) -> ReelmakeError:
        return ReelmakeError("results_unwritable", f"`results: {self.root}`: {why}")

    def _folders_of(self, templates: Iterable[str]) -> Iterator[str]:
        for template in templates:
            yield from (f"analyses/{template}", f"reports/{template}")

    @property
    def store(self) -> Store:
        return Store(self.root / "responses")

    @property
    def checksums(self) -> Checksums:
        return Checksums(self._state / "checksums")

    @property
    def probes(self) -> Path:
        """The memory of what each video file is."""
        return self._state / "probes.json"

    @property
    def fetched_folder(self) -> Path:
        return self._state / "fetched"

    def fetched(self, url: str) -> Path:
        """The file that a video of this address is brought to."""
        parts = urlsplit(url)
        suffix = Path(parts.path).suffix.lower()
        known = suffix if suffix in VIDEO_SUFFIXES else ".mp4"
        readable = re.sub(r"[^A-Za-z0-9]+", "-", Path(parts.path).stem)[:40].strip("-") or "video"
        key = hashlib.sha256(url.encode()).hexdigest()[:24]
        kind = "web" if parts.scheme.lower() == "https" else "bucket"
        return self.fetched_folder / kind / f"{readable}-{key}{known}"

    def analysis(self, template: str, name: str) -> Path:
        return self.root / "analyses" / template / f"{name}.json"

    def check_asked(self, paths: Iterable[str], known: Iterable[tuple[str, str]]) -> None:
        """Tell of a file that is asked for, and belongs to none of the ``known`` reports.

        Raises ReelmakeError ``report_unknown``.
        """
        folders = (self.root / "reports", self.root / "analyses")
        asked = [path for path in map(Path, paths) if path.parent.parent in folders]
        if not asked:
            return
        names = set(known)
        for path in asked:
            # A name may have dots, and so may what follows it.
            parts = path.name.split(".")
            stems = (".".join(parts[:count]) for count in range(1, len(parts)))
            if not any((path.parent.name, stem) in names for stem in stems):
                raise ReelmakeError("report_unknown", f"no row of `videos:` makes {path}")

    def report(self, template: str, name: str) -> Path:
        return self.root / "reports" / template / f"{name}.md"

    def page(self, template: str, name: str) -> Path:
        return self.root / "reports" / template / f"{name}.html"

    def pictures(self, template: str, name: str) -> Path:
        """The folder of the frames that a report shows."""
        return self.root / "reports" / template / f"{name}.assets"

    def failure(self, template: str, name: str) -> Path:
        """The record that a failed job leaves, until a run of it succeeds."""
        return self._state / "failures" / template / f"{name}.json"

    def failures(self) -> list[Path]:
        """All such records that there are."""
        return list((self._state / "failures").glob("*/*.json"))

    @property
    def day_quota(self) -> Path:
        """Requests that were made today, by project and model."""
        return self._state / "requests-today.json"

    @property
    def recent_calls(self) -> Path:
        """Calls of the last minute, for the next run to keep the quotas of a minute."""
        return self._state / "recent-calls.jsonl"

    @property
    def plan(self) -> Path:
        """What the last `snakemake plan` said, for programs."""
        return self._state / "plan.json"

    @property
    def runs(self) -> Path:
        """Records of the last runs."""
        return self._state / "runs"

    @property
    def newest_run(self) -> Path:
        return self.root / "run.json"

    @property
    def meter(self) -> Path:
        """What the gateway of the run that goes on, or went last, has counted."""
        return self._state / "meter.json"

    @property
    def uploads(self) -> Path:
        """Names of the files that were sent to the service."""
        return self._state / "uploads"

    @property
    def batches(self) -> Path:
        """What is known of the batches that were sent to the service."""
        return self._state / "batches"

    @property
    def _state(self) -> Path:
        return self.root / ".reelmake"


def missing(paths: Sequence[str]) -> list[str]:
    """Those of the paths where nothing is: by a look at each folder, not at each of thousands."""
    parted = [path.rpartition("/") for path in paths]
    there = {folder: names_in(Path(folder)) for folder in {folder for folder, _, _ in parted}}
    return [
        path
        for path, (folder, _, name) in zip(paths, parted, strict=True)
        if name not in there[folder]
    ]


def names_in(folder: Path) -> frozenset[str]:
    """What a folder has, if it is there and may be read."""
    try:
        return frozenset(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return frozenset()
