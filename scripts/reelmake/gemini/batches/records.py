"""What is known here of each batch: written before it is submitted, so that no crash loses it.

``open/<name>.json``, and what it asks in ``open/<name>.requests``, until its answers are in the
store; then ``ended/<name>.json``. None of them holds an address of the service's files.
"""

import logging
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from reelmake.errors import ReelmakeError
from reelmake.files import write_atomically
from reelmake.gemini.batches.names import name_of_set
from reelmake.results import Results

log = logging.getLogger(__name__)

_EXPECTED_WITHIN = timedelta(hours=24)
"""The service's own target."""


class BatchedRequest(BaseModel):
    """One line of a batch: for which report, and what the store says of it beside the answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    video: str
    template: str
    said: dict[str, Any]

    @property
    def sha256(self) -> str | None:
        """Of the video, when it was uploaded."""
        kind, _, rest = str(self.said["clip"]["identity"]).partition(":")
        return rest if kind == "sha256" else None


Requests = dict[str, BatchedRequest]
_REQUESTS = TypeAdapter(Requests)


class BatchRecord(BaseModel):
    """One batch. ``project`` is the fingerprint of the key that it belongs to.

    ``job`` is the service's name for it; None: it is not known whether it was submitted. ``state``
    is the service's own word once it has said one. Times are ISO 8601, UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    project: str
    model: str
    created: str
    requests: int
    input_tokens: float
    uploaded_bytes: int
    expected_usd: float
    job: str | None = None
    state: str = "SUBMITTING"
    ended: str | None = None
    answered: int = 0

    @property
    def expected(self) -> str:
        """When the answers should be there, at the latest."""
        until = datetime.fromisoformat(self.created) + _EXPECTED_WITHIN
        return until.isoformat(timespec="minutes")

    @property
    def age_s(self) -> float:
        """Seconds since it was submitted, also by an earlier run."""
        return (datetime.now(UTC) - datetime.fromisoformat(self.created)).total_seconds()


def utc_now() -> str:
    """The time, as records tell it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class BatchRecords:
    """The batches of a results folder."""

    def __init__(self, folder: Path) -> None:
        self._open = folder / "open"
        self._ended = folder / "ended"

    def next_name(self, keys: Collection[str]) -> str:
        """What the next batch of these requests is called; the same until one of it has ended."""
        name = name_of_set(keys)
        return f"{name}-{1 + len(list(self._ended.glob(f'{name}-*.json')))}"

    def begin(self, record: BatchRecord, requests: Requests) -> None:
        """Before it is submitted; returns when the disk has it."""
        write_atomically(self._manifest(record), _REQUESTS.dump_json(requests), durable=True)
        self.keep(record)

    def keep(self, record: BatchRecord) -> None:
        """Write down how an open batch stands."""
        text = record.model_dump_json(indent=1) + "\n"
        write_atomically(self._open / f"{record.name}.json", text, durable=True)

    def requests(self, record: BatchRecord) -> Requests:
        """What an open batch asks, by key. Raises ReelmakeError ``store_unreadable``."""
        try:
            return _REQUESTS.validate_json(self._manifest(record).read_bytes())
        except (OSError, ValidationError):
            what = f"what the batch {record.name} asks can't be read back"
            raise ReelmakeError("store_unreadable", what) from None

    def end(self, record: BatchRecord) -> None:
        """Nothing more is expected of it."""
        ended = record.model_copy(update={"ended": utc_now()})
        path = self._ended / f"{record.name}.json"
        write_atomically(path, ended.model_dump_json(indent=1) + "\n", durable=True)
        self.forget(record)

    def has_ended(self, record: BatchRecord) -> bool:
        """Whether this is written down, by this run or another one."""
        return (self._ended / f"{record.name}.json").exists()

    def forget(self, record: BatchRecord) -> None:
        """It was never submitted, or is kept elsewhere."""
        (self._open / f"{record.name}.json").unlink(missing_ok=True)
        self._manifest(record).unlink(missing_ok=True)

    def open(self) -> list[BatchRecord]:
        """Those whose answers are not all here."""
        return list(_read(self._open))

    def all(self) -> list[BatchRecord]:
        """All there ever were, in the order of their submission."""
        return sorted([*_read(self._ended), *_read(self._open)], key=lambda record: record.created)

    def _manifest(self, record: BatchRecord) -> Path:
        return self._open / f"{record.name}.requests"


def list_batches(results: Results) -> list[BatchRecord]:
    """The batches of a results folder as they were last seen; asks nobody."""
    return BatchRecords(results.batches).all()


def _read(folder: Path) -> Iterator[BatchRecord]:
    for path in sorted(folder.glob("*.json")):
        try:
            yield BatchRecord.model_validate_json(path.read_bytes())
        except FileNotFoundError:  # it has just ended
            continue
        except ValidationError as error:
            log.warning("%s can't be read and is left alone: %s", path, error)
