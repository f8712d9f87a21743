"""One set of requests from here to the answers: by which project, when, and for how much."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus

from reelmake.config import GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.batches.packing import Pack, Room, Rooms, Wanted, packs
from reelmake.gemini.batches.records import BatchRecord, BatchRecords
from reelmake.gemini.batches.submitting import MAYBE_SUBMITTED, Submitter, TooManyTokensError
from reelmake.gemini.batches.watching import Watcher, say
from reelmake.gemini.budget import Budget, Estimate
from reelmake.gemini.failures import ServiceError
from reelmake.gemini.projects import PROJECT_FAULTS, Project, Projects
from reelmake.gemini.stopping import Stopping
from reelmake.results import Results

log = logging.getLogger(__name__)

_DELETED_AT_ONCE = 16


@dataclass(eq=False)
class Batch:
    """Requests that are being asked. ``task`` tells which it is worth asking again in a batch.

    ``sent``: they have left this process, or have ended. ``hopeless`` are those which the service
    has refused for what they are.
    """

    keys: frozenset[str]
    task: "asyncio.Task[set[str]]"
    sent: asyncio.Event
    hopeless: set[str]


class Dispatcher:
    """Asks by batches, for all reports of a run."""

    def __init__(
        self,
        settings: GeminiSettings,
        projects: Projects,
        results: Results,
        *,
        budget: Budget,
        stopping: Stopping,
        keep_uploads: bool,
    ) -> None:
        self._settings = settings
        self._projects = projects
        self._budget = budget
        self._stopping = stopping
        self._keep_uploads = keep_uploads
        self._records = BatchRecords(results.batches)
        self._submitter = Submitter(settings, self._records, results.store, stopping=stopping)
        self._watcher = Watcher(settings, self._records, results.store, stopping=stopping)
        self._rooms = Rooms(settings.batch_enqueued_tokens)

    def dispatch(self, wanted: Sequence[Wanted]) -> list[Batch]:
        """Begin to ask; raises ServiceError when there is no project to ask."""
        return [self._batch(pack) for pack in self._packs(wanted)]

    def reports(self, record: BatchRecord) -> set[tuple[str, str]]:
        """Template and name of those that an open batch has requests of."""
        requests = self._records.requests(record).values()
        return {(each.template, each.video) for each in requests}

    async def left_over(self) -> list[tuple[BatchRecord, Project]]:
        """Batches of earlier runs whose answers are not all here."""
        found = []
        for record in self._records.open():
            project = self._projects.by_fingerprint(record.project)
            if project is None:
                say(f"The batch {record.name} belongs to a key that is not given: it is left.")
                continue
            known = record if record.job else await self._submitter.find(record, project)
            if known and self._can_be_joined(known):
                found.append((known, project))
        return found

    def _can_be_joined(self, record: BatchRecord) -> bool:
        try:
            self._records.requests(record)
        except ReelmakeError as error:
            say(f"{error.message}: its requests are asked again.")
            self._records.end(record.model_copy(update={"state": "UNREADABLE"}))
            return False
        return True

    def pick_up(self, record: BatchRecord, project: Project, *, limit_s: float) -> Batch:
        """Go on with a batch that is at the service."""
        keys = frozenset(self._records.requests(record))
        room = self._rooms.of(project.fingerprint, record.model)
        room.submitted(record.name, record.input_tokens, record.uploaded_bytes)
        hopeless: set[str] = set()

        async def outcome() -> set[str]:
            try:
                return await self._outcome(record, keys, project, limit_s, hopeless)
            finally:
                await room.leave(record.name)

        batch = Batch(keys, asyncio.create_task(outcome()), asyncio.Event(), hopeless)
        batch.sent.set()
        return batch

    def _packs(self, wanted: Sequence[Wanted]) -> Iterator[Pack]:
        def room_of(each: Wanted) -> Room:
            project = self._projects.choose(each.source.identity)
            return self._rooms.of(project.fingerprint, each.request.model)

        return packs(wanted, room_of, most=self._settings.batch_size)

    def _batch(self, pack: Pack) -> Batch:
        sent, hopeless = asyncio.Event(), set[str]()
        keys = frozenset(each.key for each in pack.wanted)
        return Batch(keys, asyncio.create_task(self._send(pack, sent, hopeless)), sent, hopeless)

    async def _send(self, pack: Pack, sent: asyncio.Event, hopeless: set[str]) -> set[str]:
        """Ask by one batch, or by several when it turns out that one will not do."""
        project = self._projects.choose(pack.wanted[0].source.identity)
        room = self._rooms.of(project.fingerprint, pack.model)
        try:
            return await self._send_to(project, room, pack, sent, hopeless)
        except TooManyTokensError:
            room.learn(pack.input_tokens)
        except ServiceError as error:
            if error.code not in PROJECT_FAULTS:
                raise
            self._projects.set_aside(project, error)
        finally:
            sent.set()
        parts = self._packs(pack.wanted)
        again = await asyncio.gather(*(self._send(part, sent, hopeless) for part in parts))
        return set[str]().union(*again)

    async def _send_to(
        self, project: Project, room: Room, pack: Pack, sent: asyncio.Event, hopeless: set[str]
    ) -> set[str]:
        batch = object()
        pack = self._affordable(pack)
        if not pack.wanted:
            return set()
        estimate = Estimate(pack.input_tokens, usd=pack.usd, most_usd=pack.usd)
        keys = {each.key for each in pack.wanted}
        size = pack.input_tokens, pack.uploaded_bytes
        async with AsyncExitStack() as stack:
            try:
                async with self._stopping.may_be_given_up():
                    await room.enter(batch, *size)
                stack.push_async_callback(room.leave, batch)
                await stack.enter_async_context(self._budget.reserved(estimate))
                media = await self._submitter.videos(pack, project)
                if not media:
                    return set()
                record = await self._submitter.submit(pack, media, project, room)
            except ServiceError as error:
                return self._not_submitted(error)
            room.submitted(batch, *size)
            del pack  # hours pass: its prompts are not kept in memory
            sent.set()
            limit_s = self._submitter.limit_s
            keys &= media.keys()
            return await self._outcome(record, frozenset(keys), project, limit_s, hopeless)

    def _not_submitted(self, error: ServiceError) -> set[str]:
        """Whether to go on without it: whoever waits for it then asks by another tier."""
        # That no more batches are taken today says nothing of single calls.
        refused = error.status == HTTPStatus.TOO_MANY_REQUESTS
        if error.code in MAYBE_SUBMITTED or (error.code in PROJECT_FAULTS and not refused):
            raise error
        say(f"A batch could not be submitted: {error.message}")
        return set()

    def _affordable(self, pack: Pack) -> Pack:
        """What of it the budget allows; the rest finds that out when it is asked by itself."""
        left_usd, wanted = self._budget.left_usd, []
        for each in pack.wanted:
            left_usd -= each.estimate.usd
            if left_usd < 0:
                break
            wanted.append(each)
        return pack if len(wanted) == len(pack.wanted) else Pack(wanted)

    async def _outcome(
        self,
        record: BatchRecord,
        keys: frozenset[str],
        project: Project,
        limit_s: float,
        hopeless: set[str],
    ) -> set[str]:
        say(
            f"Batch {record.name}: {record.requests} requests, about "
            f"{record.expected_usd:.2f} USD, submitted {record.created[:16]} UTC, "
            f"expected by {record.expected[:16]} UTC."
        )
        answered = await self._watcher.outcome(record, project, limit_s=limit_s)
        say(f"Batch {record.name} has ended: {len(answered.keys)} of {record.requests} answered.")
        per_request = Estimate(0.0, usd=record.expected_usd / record.requests, most_usd=0.0)
        for usd in answered.costs:
            self._budget.bill(usd, per_request)
        if not self._keep_uploads:
            await self._delete(answered.videos, project)
        for sha256 in answered.unanswered_videos:
            project.uploads.forget(sha256)  # it may have expired in the meantime
        hopeless |= answered.hopeless - answered.keys
        return set(keys) - answered.keys - hopeless

    async def _delete(self, videos: Iterable[str], project: Project) -> None:
        """Make room for the videos of other batches; the service would keep them for two days."""
        at_once = asyncio.Semaphore(_DELETED_AT_ONCE)

        async def delete(sha256: str) -> None:
            try:
                async with at_once, self._stopping.may_be_given_up():
                    await project.uploads.delete(sha256)
            except Exception as error:  # noqa: BLE001  it expires by itself
                log.info("an upload could not be deleted: %s", type(error).__name__)

        await asyncio.gather(*map(delete, videos))
