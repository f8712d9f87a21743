"""The frame of every job: its arguments, its log, and a record of its failure, no traceback."""

import contextlib
import json
import logging
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, BeforeValidator, ConfigDict, Json

from reelmake.errors import ReelmakeError, of_system
from reelmake.files import write_atomically
from reelmake.logs import go_on_with, logging_to
from reelmake.redaction import redact
from reelmake.results import Results
from reelmake.targets import Target
from reelmake.translation import say_on_terminal

FOLLOWED = "REELMAKE_FOLLOWED"
"""The environment variable that is set where somebody tells of failures by their records."""


BEGINS = "begins:"
"""The word that tells an attempt's lines in a log from those of earlier ones above."""


@dataclass(frozen=True)
class Failure:
    """One row of failures.tsv."""

    video: str
    template: str
    kind: str
    code: str
    message: str
    hint: str
    attempts: int
    log: str


class JobArguments(BaseModel):
    """What a rule tells the job of a report; some of it is only for Snakemake."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    target: Json[Target]
    results: Annotated[Results, BeforeValidator(lambda root: Results(Path(root)))]
    log: Path


@dataclass
class Outcome:
    """How a job ended, and what is to be told on the terminal."""

    message: str = ""
    failed: bool = False
    unrecorded: Failure | None = None
    """A failure of which no record could be left: the disk may be full."""

    def as_reply(self, number: int) -> str:
        """A line of JSON that says how the job of this number ended."""
        return json.dumps([number, asdict(self)])

    @classmethod
    def of_reply(cls, line: str) -> tuple[int, "Outcome"]:
        """Read such a line."""
        number, values = json.loads(line)
        unrecorded = values.pop("unrecorded")
        return number, cls(**values, unrecorded=Failure(**unrecorded) if unrecorded else None)

    def exit(self) -> NoReturn:
        """End this process as the outcome of its one job."""
        untold = self.unrecorded if not self.message else None
        sys.stderr.write(f"{untold.video}: {untold.message}\n" if untold else self.message)
        sys.exit(int(self.failed))


@contextlib.contextmanager
def job(target: Target, results: Results, log: Path, *, beside: bool = False) -> Iterator[Outcome]:
    """Log to ``log``; a failure becomes a `Failure` among the results and an outcome to tell.

    A fault of the user's or the service's is one clear message; an unexpected one leaves its
    traceback in the log alone. A job ``beside`` others of its report, such as one format of it,
    leaves their failures as they are.
    """
    outcome = Outcome()
    record = results.failure(*target.key)
    go_on_with(log)
    with logging_to(log):
        logging.getLogger(__name__).info("%s %s (%s)", BEGINS, target.name, target.template)
        if not (beside and _is_of_another(record, log)):
            with contextlib.suppress(OSError):  # what comes next will say what is wrong there
                record.unlink(missing_ok=True)
        try:
            yield outcome
        except Exception as error:  # noqa: BLE001  whatever it is, its record is left
            failure = _named(error, target)
            logging.getLogger(__name__).error(  # noqa: TRY400  a traceback is for faults of ours
                "%s (%s): %s", failure.code, failure.kind, failure
            )
            outcome.failed = True
            if FOLLOWED not in os.environ:
                told = failure.told(say_on_terminal())
                outcome.message = redact(f"{target.name} ({target.template}): {told}\n")
            if failure.code != "interrupted":  # which says nothing of the video
                try:
                    keep_failure(results, failure, target.key, str(log))
                except OSError:
                    outcome.unrecorded = failure_of(failure, target.key, str(log))


def keep_failure(results: Results, error: ReelmakeError, key: tuple[str, str], log: str) -> Failure:
    """Leave the record of a failed report (template, name), until a run of it succeeds."""
    failure = failure_of(error, key, log)
    text = json.dumps(asdict(failure), ensure_ascii=False, indent=1) + "\n"
    write_atomically(results.failure(*key), text)
    return failure


def failure_of(error: ReelmakeError, key: tuple[str, str], log: str) -> Failure:
    """What the record of a failed report says."""
    template, name = key
    return Failure(
        video=name,
        template=template,
        kind=error.kind,
        code=error.code,
        message=redact(error.message),
        hint=error.hint,
        attempts=error.attempts,
        log=log,
    )


def failed(arguments: Mapping[str, Any], error: ReelmakeError) -> Outcome:
    """A job that ended by what it could not itself notice."""
    if "target" not in arguments:  # one of all reports
        return Outcome(redact(f"{error.told(say_on_terminal())}\n"), failed=True)
    given = JobArguments.model_validate(arguments)
    with job(given.target, given.results, given.log) as outcome:
        raise error
    return outcome


def read_failure(record: Path) -> Failure | None:
    """The record that a failed job left, if there is one."""
    try:
        return Failure(**json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # none, or one that a crash left half


def _is_of_another(record: Path, log: Path) -> bool:
    failure = read_failure(record)
    return failure is not None and failure.log != str(log)


def _named(error: Exception, target: Target) -> ReelmakeError:
    if isinstance(error, ReelmakeError):
        return error
    if isinstance(error, PermissionError) and error.filename == target.video:
        return ReelmakeError("video_forbidden", f"{target.video} may not be read.")
    known = of_system(error) if isinstance(error, OSError) else None
    return known or _crash(error)


def _crash(error: Exception) -> ReelmakeError:
    logging.getLogger(__name__).debug("%s", "".join(traceback.format_exception(error)))
    return ReelmakeError("crashed", f"{type(error).__name__}: {error}")
