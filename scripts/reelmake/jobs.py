"""The frame of every job: its arguments, its log, and a record of its failure, no traceback."""

import contextlib
import json
import logging
import traceback
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Json

from reelmake.errors import ReelmakeError
from reelmake.files import write_atomically
from reelmake.redaction import redact
from reelmake.results import Results
from reelmake.targets import Target


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
    """What every rule tells its job, as ``--name=value``; an empty value is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Json[Target]
    results: Annotated[Results, BeforeValidator(lambda root: Results(Path(root)))]
    log: Path

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> Self:
        pairs = (argument.removeprefix("--").split("=", maxsplit=1) for argument in arguments)
        return cls.model_validate({name: value for name, value in pairs if value})


@dataclass
class Outcome:
    """How a job ended, and what is to be told on the terminal."""

    message: str = ""
    failed: bool = False

    @property
    def exit_code(self) -> int:
        return int(self.failed)


@contextlib.contextmanager
def job(target: Target, results: Results, log: Path, *, beside: bool = False) -> Iterator[Outcome]:
    """Log to ``log``; a failure becomes a `Failure` among the results and an outcome to tell.

    A fault of the user's or the service's is one clear message; an unexpected one leaves its
    traceback in the log alone. A job ``beside`` others of its report, such as one format of it,
    leaves their failures as they are.
    """
    outcome = Outcome()
    record = results.failure(*target.key)
    with _logging_to(log):
        if not (beside and _is_of_another(record, log)):
            record.unlink(missing_ok=True)
        try:
            yield outcome
        except Exception as error:  # noqa: BLE001  whatever it is, its record is left
            failure = error if isinstance(error, ReelmakeError) else _crash(error)
            logging.getLogger(__name__).error(  # noqa: TRY400  a traceback is for faults of ours
                "%s (%s): %s", failure.code, failure.kind, failure
            )
            outcome.failed = True
            outcome.message = redact(f"{target.name} ({target.template}): {failure}\n")
            if failure.code != "interrupted":  # which says nothing of the video
                row = _row(failure, target, log)
                text = json.dumps(asdict(row), ensure_ascii=False, indent=1)
                write_atomically(record, text + "\n")


def record_killed(target: Target, results: Results, log: Path) -> None:
    """Leave the record of a job that could not do so itself: it was killed, wherever it ran."""
    record = results.failure(*target.key)
    if not record.exists():
        killed = ReelmakeError("job_killed", "its job ended before it could say why")
        row = asdict(_row(killed, target, log))
        write_atomically(record, json.dumps(row, ensure_ascii=False, indent=1) + "\n")


def read_failure(record: Path) -> Failure | None:
    """The record that a failed job left, if there is one."""
    try:
        return Failure(**json.loads(record.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None  # none, or one that a crash left half


def _is_of_another(record: Path, log: Path) -> bool:
    failure = read_failure(record)
    return failure is not None and failure.log != str(log)


def _row(failure: ReelmakeError, target: Target, log: Path) -> Failure:
    return Failure(
        video=target.name,
        template=target.template,
        kind=failure.kind,
        code=failure.code,
        message=redact(failure.message),
        hint=failure.hint,
        attempts=failure.attempts,
        log=str(log),
    )


def _crash(error: Exception) -> ReelmakeError:
    logging.getLogger(__name__).debug("%s", "".join(traceback.format_exception(error)))
    return ReelmakeError("crashed", f"{type(error).__name__}: {error}")


_log_of_this_job: ContextVar[Path | None] = ContextVar("log_of_this_job", default=None)


class _JobLogs(logging.Handler):
    """Writes what a job says into its own log, however many run side by side."""

    def emit(self, record: logging.LogRecord) -> None:
        path = _log_of_this_job.get()
        if path is None:
            return
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(redact(self.format(record)) + "\n")
        except Exception:  # noqa: BLE001  as every handler of the library's does
            self.handleError(record)


_job_logs = _JobLogs()
_job_logs.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))


@contextlib.contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    package = logging.getLogger("reelmake")
    package.setLevel(logging.DEBUG)
    package.addHandler(_job_logs)  # the same again is no other one
    token = _log_of_this_job.set(path)
    try:
        yield
    finally:
        _log_of_this_job.reset(token)
