"""The frame of every job: its log, and a record of its failure instead of a traceback."""

import contextlib
import json
import logging
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

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


@contextlib.contextmanager
def job(target: Target, results: Results, log: Path) -> Iterator[None]:
    """Log to ``log``; on failure leave a `Failure` among the results and exit with 1.

    A fault of the user's or the service's is one clear message on standard error; an unexpected
    one leaves its traceback in the log alone.
    """
    _log_to(log)
    record = results.failure(*target.key)
    record.unlink(missing_ok=True)
    try:
        yield
    except Exception as error:  # noqa: BLE001  whatever it is, its record is left
        failure = error if isinstance(error, ReelmakeError) else _crash(error)
        logging.getLogger(__name__).error(  # noqa: TRY400  a traceback is for faults of ours
            "%s (%s): %s", failure.code, failure.kind, failure
        )
        row = Failure(
            video=target.name,
            template=target.template,
            kind=failure.kind,
            code=failure.code,
            message=redact(failure.message),
            hint=failure.hint,
            attempts=failure.attempts,
            log=str(log),
        )
        write_atomically(record, json.dumps(asdict(row), ensure_ascii=False, indent=1) + "\n")
        sys.stderr.write(redact(f"{target.name} ({target.template}): {failure}\n"))
        sys.exit(1)


def read_failure(record: Path) -> Failure | None:
    """The record that a failed job left, if there is one."""
    try:
        return Failure(**json.loads(record.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None  # none, or one that a crash left half


def _crash(error: Exception) -> ReelmakeError:
    logging.getLogger(__name__).debug("%s", "".join(traceback.format_exception(error)))
    return ReelmakeError("crashed", f"{type(error).__name__}: {error}")


class _WithoutSecrets(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _log_to(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="a", encoding="utf-8")
    handler.setFormatter(_WithoutSecrets("%(asctime)s %(levelname)s %(message)s"))
    package = logging.getLogger("reelmake")
    package.setLevel(logging.DEBUG)
    package.addHandler(handler)
