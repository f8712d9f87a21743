"""A batch on its way to the service: never twice, whatever happens before, during or after."""

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import TypeVar
from uuid import uuid4

from reelmake.config import GeminiSettings
from reelmake.gemini.batches.lines import request_line
from reelmake.gemini.batches.packing import Pack, Room, Wanted
from reelmake.gemini.batches.records import BatchedRequest, BatchRecord, BatchRecords, utc_now
from reelmake.gemini.calling import media_of
from reelmake.gemini.failures import ServiceError, classify
from reelmake.gemini.projects import PROJECT_FAULTS, Project
from reelmake.gemini.request import Media
from reelmake.gemini.retry import with_retries
from reelmake.gemini.service import BatchJob
from reelmake.gemini.stopping import Stopping
from reelmake.store import Store

log = logging.getLogger(__name__)

Result = TypeVar("Result")

MAYBE_SUBMITTED = frozenset(["connection_lost", "timed_out", "overloaded"])
"""Codes that leave open whether a batch was submitted."""

# Four of them upload; the others look their videos up, or wait until they are processed.
_VIDEOS_AT_ONCE = 16
# An upload is kept for 48 hours: it has to last from here until its turn comes.
_LONGEST_LASTING_S = 40 * 3600.0
_REFUSED_WAIT_S = 30.0
_LONGEST_REFUSED_WAIT_S = 600.0


class TooManyTokensError(Exception):
    """The service takes no batch as large as this, though no other of ours is there."""


class Submitter:
    """Brings packs of requests to the service."""

    def __init__(
        self, settings: GeminiSettings, records: BatchRecords, store: Store, *, stopping: Stopping
    ) -> None:
        self._settings = settings
        self._records = records
        self._store = store
        self._stopping = stopping

    @property
    def limit_s(self) -> float:
        """Seconds until a batch, or the wait for its submission, is given up."""
        return self._settings.batch_max_wait_hours * 3600

    async def videos(self, pack: Pack, project: Project) -> dict[str, Media]:
        """Bring the videos there, by request; one that can't be brought is left out.

        Raises ServiceError when the project is at fault, and ReelmakeError ``interrupted``.
        """
        at_once = asyncio.Semaphore(_VIDEOS_AT_ONCE)
        lasting_s = min(self.limit_s, _LONGEST_LASTING_S)

        async def bring(wanted: Wanted) -> Media | None:
            get = partial(media_of, wanted.source, project, lasting_s=lasting_s)
            try:
                async with at_once, self._stopping.may_be_given_up():
                    return await self._retried(get)
            except ServiceError as error:
                if error.code in PROJECT_FAULTS:
                    raise
                log.warning("%s is left out of the batch: %s", wanted.video, error.message)
                return None

        media = await asyncio.gather(*map(bring, pack.wanted))
        return {each.key: m for each, m in zip(pack.wanted, media, strict=True) if m is not None}

    async def submit(
        self, pack: Pack, media: Mapping[str, Media], project: Project, room: Room
    ) -> BatchRecord:
        """Submit the requests whose video is there, or find them submitted.

        Raises ServiceError: it was not submitted, unless it is one of MAYBE_SUBMITTED;
        TooManyTokensError; ReelmakeError ``interrupted``.
        """
        wanted = [each for each in pack.wanted if each.key in media]
        record = BatchRecord(
            name=self._records.next_name([each.key for each in wanted]),
            project=project.fingerprint,
            model=pack.model,
            created=utc_now(),
            requests=len(wanted),
            input_tokens=sum(each.estimate.input_tokens for each in wanted),
            uploaded_bytes=pack.uploaded_bytes,
            expected_usd=sum(each.estimate.usd for each in wanted),
        )
        self._records.begin(record, {each.key: _batched(each) for each in wanted})
        try:
            async with self._stopping.may_be_given_up():
                requests_file = await self._send(wanted, media, project)
            job = await self._created(record, requests_file, project, room)
        except ServiceError as error:
            # Otherwise the next run finds out whether it was.
            if error.code not in MAYBE_SUBMITTED:
                self._records.forget(record)
            raise
        except TooManyTokensError:
            self._records.forget(record)
            raise
        return self._submitted(record, job)

    async def find(self, record: BatchRecord, project: Project) -> BatchRecord | None:
        """Whether a batch was submitted of which nothing else is known; if not, it is forgotten."""
        job = await self._retried(partial(project.service.find_batch, record.name))
        if job:
            return self._submitted(record, job)
        self._records.forget(record)
        return None

    def _submitted(self, record: BatchRecord, job: BatchJob) -> BatchRecord:
        known = record.model_copy(update={"job": job.name, "state": job.state})
        self._records.keep(known)
        return known

    async def _send(
        self, wanted: list[Wanted], media: Mapping[str, Media], project: Project
    ) -> str:
        # Without a name in any folder: it is full of the addresses of uploads.
        with tempfile.TemporaryFile() as file:
            for each in wanted:
                file.write(request_line(each.key, each.request, media[each.key]))
                await asyncio.sleep(0)  # others go on

            async def upload() -> str:
                file.seek(0)
                return await project.uploads.send_requests(file, uuid4().hex)

            return await self._retried(upload)

    async def _created(
        self, record: BatchRecord, requests_file: str, project: Project, room: Room
    ) -> BatchJob:
        service = project.service

        async def create() -> BatchJob:
            # The answer to a submission may have been lost: so each try looks first.
            try:
                async with self._store.asking_async(record.name):  # not so another run besides
                    return await service.find_batch(record.name) or await service.create_batch(
                        record.model, requests_file, record.name
                    )
            except Exception as error:
                fault = classify(error)
                if fault.status == HTTPStatus.TOO_MANY_REQUESTS:
                    raise _FullError(fault) from error
                raise fault from error

        wait_s, waited_s = _REFUSED_WAIT_S, 0.0
        while True:
            try:
                return await self._retried(create)
            except _FullError as error:
                full = error.fault
            log.warning("the service takes no more batches now: %s", full.message)
            if not room.has_submitted and record.requests > 1 and "job" not in full.message.lower():
                raise TooManyTokensError
            if waited_s > self.limit_s:
                raise full
            async with self._stopping.may_be_given_up():
                waited_s += await room.wait_for_change(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_REFUSED_WAIT_S)

    async def _retried(self, call: Callable[[], Awaitable[Result]]) -> Result:
        attempts = self._settings.max_attempts
        return await with_retries(call, attempts=attempts, stopping=self._stopping)


class _FullError(Exception):
    def __init__(self, fault: ServiceError) -> None:
        super().__init__(fault.message)
        self.fault = fault


def _batched(wanted: Wanted) -> BatchedRequest:
    said = {**wanted.request.summary(), "tier": "batch"}
    return BatchedRequest(video=wanted.video, template=wanted.template, said=said)
