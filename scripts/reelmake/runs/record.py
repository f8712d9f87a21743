"""The record of each run: what was asked for, what came of it, how fast and for how much."""

import contextlib
import json
import platform
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reelmake import __version__
from reelmake.config import Config
from reelmake.errors import ReelmakeError, of_system
from reelmake.files import write_atomically
from reelmake.jobs import Failure
from reelmake.meter import Meter, read_meter
from reelmake.results import Results
from reelmake.translation import Say

KEPT = 50
"""So many records of runs are kept."""

# What explains a run's speed and price. Never `notify` or `videos`: addresses may hold secrets.
_SETTINGS = {"engine", "template", "language", "frames", "formats", "budget_usd"}
_GEMINI_SETTINGS = {"vertex", "api_version", "segment_overlap_s", "retry_blocked"}

Ending = Literal["running", "complete", "failures", "interrupted", "refused", "vanished"]


class Reports(BaseModel):
    """How many reports there are of each kind; the last four make up the first."""

    asked: int = 0
    up_to_date: int = 0
    done: int = 0
    failed: int = 0
    unfinished: int = 0
    """Neither done nor failed when the run ended."""


class RunRecord(BaseModel):
    """``run.json``."""

    model_config = ConfigDict(extra="ignore")

    started: str
    """ISO 8601 with the offset from UTC."""
    ended: str | None = None
    ending: Ending = "running"
    """``refused``: the account or the budget would not do; ``vanished``: it never said how."""
    stopped_by: str | None = None
    """The code of the failure that kept all further calls from being made."""
    seconds: float = 0.0
    jobs: int | None = None
    """How many at a time (``-j``)."""
    versions: dict[str, str] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)
    makes_reports: bool = True
    """False when it was told to end before them, as by ``--until``: then done is what was asked."""
    reports: Reports = Reports()
    failures: dict[str, int] = Field(default_factory=dict)
    """How many reports failed, by kind."""
    other_failures: list[str] = Field(default_factory=list)
    """Rules that belong to no single report and failed."""
    reports_per_minute: float | None = None
    gemini: Meter | None = None
    """None where Gemini is not asked."""

    def end(
        self,
        reports: Reports,
        failures: Iterable[Failure],
        gemini: Meter | None,
        *,
        ending: Ending | None = None,
    ) -> None:
        """Fill in what came of it; without ``ending``, that follows from the reports."""
        now = _now()
        self.ended = now.isoformat(timespec="seconds")
        self.seconds = round((now - datetime.fromisoformat(self.started)).total_seconds(), 1)
        self.reports = reports
        self.failures = dict(Counter(str(failure.kind) for failure in failures))
        self.gemini = gemini
        if reports.done:
            self.reports_per_minute = round(60 * reports.done / max(self.seconds, 0.1), 1)
        self.ending = ending or self._ending()

    def _ending(self) -> Ending:
        if self.reports.unfinished and not self.stopped_by:
            return "interrupted"
        failed = self.reports.failed or self.reports.unfinished or self.other_failures
        return "failures" if failed else "complete"


def begin_run(config: Config, *, jobs: int | None, makes_reports: bool = True) -> RunRecord:
    """Start a run's record, and forget what the last one has counted.

    Nothing of a run is written before. Raises ReelmakeError ``results_unwritable``, ``disk_full``.
    """
    results = Results(Path(config.results))
    with contextlib.suppress(OSError):
        results.meter.unlink(missing_ok=True)
    settings = config.model_dump(include=_SETTINGS)
    if config.engine == "gemini":
        settings["gemini"] = config.gemini.model_dump(exclude=_GEMINI_SETTINGS)
    else:
        settings["local"] = config.local.model_dump()
    record = RunRecord(
        started=_now().isoformat(timespec="milliseconds"),
        jobs=jobs,
        versions=_versions(),
        settings=settings,
        makes_reports=makes_reports,
    )
    try:
        write_run(results, record)
    except OSError as error:
        what = f"`results: {config.results}` can't be written to ({error.strerror})"
        known = of_system(error)
        raise ReelmakeError(known.code if known else "results_unwritable", what) from error
    return record


def write_run(results: Results, record: RunRecord) -> None:
    """Write it among the last runs and as the newest; the oldest ones beyond `KEPT` go."""
    text = json.dumps(record.model_dump(), ensure_ascii=False, indent=1) + "\n"
    # Sortable, and a name on every file system.
    name = "".join(sign for sign in record.started[:19] if sign not in ":-")
    write_atomically(results.runs / f"{name}.json", text)
    write_atomically(results.newest_run, text)
    for old in sorted(results.runs.glob("*.json"))[:-KEPT]:
        old.unlink(missing_ok=True)


def read_runs(results: Results) -> list[RunRecord]:
    """Read all records that are kept, the oldest first; what can't be read is left out."""
    records = []
    for path in sorted(results.runs.glob("*.json")):
        with contextlib.suppress(OSError, ValueError):
            records.append(RunRecord.model_validate_json(path.read_bytes()))
    return records


def mark_vanished(results: Results) -> RunRecord | None:
    """Close the record of a last run that was killed before it could; None when it did.

    Called while no other run works with these results, before `begin_run`.
    """
    records = read_runs(results)
    if not records or records[-1].ending != "running":
        return None
    record = records[-1]
    record.ending = "vanished"
    record.gemini = read_meter(results.meter) if results.meter.exists() else None
    write_run(results, record)
    return record


def told_of_vanished(record: RunRecord, say: Say) -> str:
    """What to say of it."""
    started = datetime.fromisoformat(record.started)
    said = say(
        "The run of {started:%Y-%m-%d %H:%M} ended without saying how (killed?).", started=started
    )
    if not record.gemini or not record.gemini.bought:
        return said
    return said + say(" {count:,} answers that it bought are kept.", count=record.gemini.bought)


def _now() -> datetime:
    return datetime.now().astimezone()


def _versions() -> dict[str, str]:
    found = {"reelmake": __version__, "python": platform.python_version()}
    for name in ("snakemake", "google-genai"):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
