"""What is said of a job goes into its own log, and what matters to all into the log of the run."""

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from reelmake.errors import ReelmakeError, of_system
from reelmake.files import room_for
from reelmake.redaction import redact

RUN_LOG = "REELMAKE_RUN_LOG"
"""The environment variable that tells all processes of a run where its log is."""

# What these say at INFO concerns the whole run; of all others, what is a WARNING does.
_OF_THE_RUN = ("reelmake.runs.", "reelmake.gateway.", "reelmake.gemini.pacing")

_ROOM_BYTES = 64 * 1024
"""What Snakemake needs at least to say what it is about."""

_log_of_this_job: ContextVar[Path | None] = ContextVar("log_of_this_job", default=None)


class _Lines(logging.Handler):
    """Appends lines to files, each at once: several processes may write to the same one."""

    def path(self, record: logging.LogRecord) -> Path | None:
        raise NotImplementedError

    def emit(self, record: logging.LogRecord) -> None:
        try:
            path = self.path(record)
            if path is not None:
                # Names of files need not be text.
                with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                    file.write(self.format(record) + "\n")
        except OSError:
            pass  # a full disk, which whoever has something to keep will tell
        except Exception:  # noqa: BLE001  as every handler of the library's does
            self.handleError(record)


class _JobLogs(_Lines):
    """One log a job, however many run side by side."""

    def path(self, record: logging.LogRecord) -> Path | None:  # noqa: ARG002
        return _log_of_this_job.get()

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _RunLog(_Lines):
    """One log a run; there is none where nobody began one."""

    def path(self, record: logging.LogRecord) -> Path | None:
        known = os.environ.get(RUN_LOG)
        matters = record.levelno >= logging.WARNING or record.name.startswith(_OF_THE_RUN)
        return Path(known) if known and matters else None

    def format(self, record: logging.LogRecord) -> str:
        # Before it becomes JSON, which would not survive it.
        message, job = redact(record.getMessage()), _log_of_this_job.get()
        if os.environ[RUN_LOG].endswith(".jsonl"):
            line = {
                "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds"),
                "level": record.levelname,
                "log": str(job) if job else None,
                "message": message,
            }
            return json.dumps(line, ensure_ascii=False)
        time = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="seconds")
        of_job = f"{job}: " if job else ""
        return f"{time} {record.levelname} {of_job}{message}"


class _Warnings(logging.StreamHandler):  # type: ignore[type-arg]
    """Shows what no job's log tells, since it concerns all of them: a key that is left aside."""

    def emit(self, record: logging.LogRecord) -> None:
        if _log_of_this_job.get() is None:
            super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        return redact(record.getMessage())


_job_logs = _JobLogs()
_job_logs.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
_run_log = _RunLog(logging.INFO)


def begin_run_log(form: Literal["text", "json"]) -> None:
    """Have this process, and those that it starts, write a log of this run: ``logs/run-….log``.

    Raises ReelmakeError ``disk_full`` or ``project_unwritable``, before Snakemake writes anything
    of this run.
    """
    time = datetime.now().astimezone().strftime("%Y-%m-%d-%H%M%S")
    path = Path("logs", f"run-{time}{'.jsonl' if form == 'json' else '.log'}")
    try:
        with room_for(path, _ROOM_BYTES, aside=path.parent / f".room-{os.getpid()}"):
            pass
    except OSError as error:
        # Nor can Snakemake write its own log, which it would say with a stack for every line.
        logging.raiseExceptions = False
        what = f"nothing can be written to {path.parent.absolute()} ({error.strerror})"
        known = of_system(error)
        full = known is not None and known.code == "disk_full"
        raise ReelmakeError("disk_full" if full else "project_unwritable", what) from error
    os.environ[RUN_LOG] = str(path.absolute())
    write_run_log()


def write_run_log() -> None:
    """Write what this process says of the run, if there is a log of it."""
    if RUN_LOG in os.environ:
        _package().addHandler(_run_log)  # the same again is no other one


def show_warnings() -> None:
    """Show on the terminal what this process warns of outside of jobs."""
    handler = _Warnings()
    handler.setLevel(logging.WARNING)
    _package().addHandler(handler)


@contextlib.contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Have what is said from here on, and in tasks that begin here, written to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _package().addHandler(_job_logs)
    write_run_log()
    token = _log_of_this_job.set(path)
    try:
        yield
    finally:
        _log_of_this_job.reset(token)


def go_on_with(path: Path) -> None:
    """Bring back what earlier attempts have said: Snakemake deletes a job's log before each.

    A second link to the same file, in a hidden folder beside it, is what it does not know of.
    """
    kept = path.parent / ".kept" / path.name
    with contextlib.suppress(OSError):  # without links they are lost, and nothing else is
        kept.parent.mkdir(parents=True, exist_ok=True)
        if kept.exists() and not path.exists():
            os.link(kept, path)
            return
        path.touch()
        if not (kept.exists() and kept.samefile(path)):
            kept.unlink(missing_ok=True)
            os.link(path, kept)


def _package() -> logging.Logger:
    package = logging.getLogger("reelmake")
    package.setLevel(logging.DEBUG)
    return package
