"""A batch at the service: waited for, given up when it takes too long, and its answers kept."""

import asyncio
import io
import logging
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from reelmake.config import GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.batches.lines import CutOffError, Line, read_lines
from reelmake.gemini.batches.records import BatchRecord, BatchRecords, Requests
from reelmake.gemini.failures import ServiceError
from reelmake.gemini.projects import Project
from reelmake.gemini.retry import with_retries
from reelmake.gemini.service import BatchJob
from reelmake.gemini.stopping import Stopping
from reelmake.meter import Meter
from reelmake.pricing import cost_usd
from reelmake.store import Store

log = logging.getLogger(__name__)

Result = TypeVar("Result")

# The SDK's own `BatchJob.done` forgets one of them.
_ENDED = frozenset(["SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"])
_POLL_S = 1.0
_LONGEST_POLL_S = 60.0
# A cancelled batch may still have answers; for so long they are waited for.
_CANCELLING_S = 300.0


@dataclass
class Answered:
    """What came of a batch: keys that are in the store, and those it is no use to ask again.

    ``costs`` are USD, None of a model without a price; ``unanswered_videos`` checksums.
    """

    keys: set[str] = field(default_factory=set)
    hopeless: set[str] = field(default_factory=set)
    costs: list[float | None] = field(default_factory=list)
    unanswered_videos: set[str] = field(default_factory=set)
    whole: bool = True


class Watcher:
    """Waits for batches of any project."""

    def __init__(
        self,
        settings: GeminiSettings,
        records: BatchRecords,
        store: Store,
        *,
        stopping: Stopping,
        meter: Meter,
    ) -> None:
        self._settings = settings
        self._records = records
        self._store = store
        self._stopping = stopping
        self._meter = meter

    async def outcome(self, record: BatchRecord, project: Project, *, limit_s: float) -> Answered:
        """Wait for the end of a batch, at most until it is so old, and keep what it answered.

        Raises ReelmakeError ``interrupted``, and ServiceError when the service does not say how it
        stands: the next run asks again.
        """
        job = await self._ended(record, project, limit_s)
        if job is None:
            log.warning("the batch %s is cancelled and does not end: it is left there", record.name)
            return Answered()
        answered = Answered()
        if self._records.has_ended(record):
            return answered  # another run was quicker
        requests = self._records.requests(record)
        if job.results:
            await self._keep_all(record, project, job.results, requests, answered)
        of = {key: each.sha256 for key, each in requests.items() if each.sha256}
        answered.unanswered_videos = {of[key] for key in of.keys() - answered.keys}
        self._records.end(
            record.model_copy(update={"state": job.state, "answered": len(answered.keys)})
        )
        return answered

    async def _ended(
        self, record: BatchRecord, project: Project, limit_s: float
    ) -> BatchJob | None:
        loop = asyncio.get_running_loop()
        wait_s, cancelled_at = _POLL_S, None
        while True:
            job = await self._look(record, project)
            if job and job.state in _ENDED:
                return job
            if job and job.state != record.state:
                record = record.model_copy(update={"state": job.state})
                self._records.keep(record)
            if cancelled_at is None and record.age_s > limit_s:
                why = "takes too long" if limit_s else "is of another tier than this run"
                log.warning("the batch %s %s: it is cancelled", record.name, why)
                await self._cancel(record, project)
                cancelled_at, wait_s = loop.time(), _POLL_S
            if cancelled_at is not None and loop.time() - cancelled_at > _CANCELLING_S:
                return None
            await self._sleep(record, wait_s)
            wait_s = min(wait_s * 1.5, _LONGEST_POLL_S)

    async def _look(self, record: BatchRecord, project: Project) -> BatchJob | None:
        """How it stands; None: that can't be told now."""
        try:
            return await self._retried(partial(project.service.batch, str(record.job)))
        except ServiceError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                log.warning("the service knows no batch %s any more", record.name)
                return BatchJob(str(record.job), record.name, "FAILED", None)
            if not error.may_pass:
                raise
            return None

    async def _cancel(self, record: BatchRecord, project: Project) -> None:
        try:
            await self._retried(partial(project.service.cancel_batch, str(record.job)))
        except ServiceError as error:  # it may have ended at this very moment
            log.warning("the batch %s can't be cancelled: %s", record.name, error.message)

    async def _sleep(self, record: BatchRecord, seconds: float) -> None:
        try:
            async with self._stopping.may_be_given_up():
                await asyncio.sleep(seconds)
        except ReelmakeError:
            say(f"Batch {record.name} goes on at Google; the next run picks it up.")
            raise

    async def _keep_all(
        self,
        record: BatchRecord,
        project: Project,
        results: str,
        requests: Requests,
        answered: Answered,
    ) -> None:
        for _ in range(self._settings.max_attempts):
            with tempfile.TemporaryFile() as file:
                whole = await self._downloaded(project, results, file)
                file.seek(0)
                await asyncio.to_thread(self._keep, file, requests, answered)
            if whole and answered.whole:
                break
            log.warning("the answers of the batch %s are cut off", record.name)

    async def _downloaded(self, project: Project, results: str, file: io.IOBase) -> bool:
        """Whether all of it came. Raises ServiceError when nothing did."""

        async def download() -> None:
            file.seek(0)
            file.truncate()
            await project.service.download(results, file)

        try:
            await self._retried(download)
        except ServiceError as error:
            if error.code == "upload_gone" or error.status == HTTPStatus.NOT_FOUND:
                log.warning("the answers are not at the service any more")
                return True
            if file.tell() == 0:
                raise
            return False
        return True

    def _keep(self, file: io.IOBase, requests: Requests, answered: Answered) -> None:
        answered.whole = True
        try:
            for line in read_lines(file, requests):
                self._keep_line(line, requests, answered)
        except CutOffError:
            answered.whole = False

    def _keep_line(self, line: Line, requests: Requests, answered: Answered) -> None:
        if line.answer is None:
            log.warning("request %s was not answered: %s", line.key[:12], line.refusal)
            if line.hopeless:
                answered.hopeless.add(line.key)
            return
        if line.key in answered.keys:
            return  # it came twice
        said = requests[line.key].said
        if self._store.get(line.key) is None:
            self._store.put(line.key, line.answer, request=said)
            usage = _usage(line.answer)
            answered.costs.append(_usd(said["model"], usage))
            self._meter.bring(line.key, usage)
        answered.keys.add(line.key)

    async def _retried(self, call: Callable[[], Awaitable[Result]]) -> Result:
        attempts = self._settings.max_attempts
        return await with_retries(call, attempts=attempts, stopping=self._stopping)


def say(text: str) -> None:
    """Tell it on the terminal: hours may pass until the next word."""
    log.info("%s", text)
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _usage(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    usage = answer.get("usage_metadata")
    return usage if isinstance(usage, dict) else {}


def _usd(model: str, usage: Mapping[str, Any]) -> float | None:
    try:
        return cost_usd(model, usage, tier="batch")
    except (TypeError, AttributeError):
        return None  # stranger than any answer of the service was seen to be
