"""One set of requests from here to the answers: by which project, when, and for how much."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
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
from reelmake.meter import Meter
from reelmake.pricing import dollars
from reelmake.results import Results

log = logging.getLogger(__name__)


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


class _OtherwiseError(Exception):
    """It can't go as it is."""


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
        meter: Meter,
    ) -> None:
        self._settings = settings
        self._projects = projects
        self._budget = budget
        self._stopping = stopping
        self._records = BatchRecords(results.batches)
        self._submitter = Submitter(settings, self._records, results.store, stopping=stopping)
        self._watcher = Watcher(
            settings, self._records, results.store, stopping=stopping, meter=meter
        )
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
        async with AsyncExitStack() as stack:
            try:
                submitted = await self._submit(pack, stack)
                parts: list[Pack] = []
            except _OtherwiseError:
                submitted, parts = None, list(self._packs(pack.wanted))
            finally:
                sent.set()
            del pack  # hours pass: its prompts are not kept in memory
            if submitted:
                record, project, keys = submitted
                limit_s = self._submitter.limit_s
                return await self._outcome(record, keys, project, limit_s, hopeless)
        again = await asyncio.gather(*(self._send(part, sent, hopeless) for part in parts))
        return set[str]().union(*again)

    async def _submit(
        self, pack: Pack, stack: AsyncExitStack
    ) -> tuple[BatchRecord, Project, frozenset[str]] | None:
        """Submit what may be; ``stack`` holds its room and its money. None: nothing was.

        Raises _OtherwiseError when it has to be cut, or go to another project.
        """
        project = self._projects.choose(pack.wanted[0].source.identity)
        room = self._rooms.of(project.fingerprint, pack.model)
        pack = self._affordable(pack)
        if not pack.wanted:
            return None
        batch, size = object(), (pack.input_tokens, pack.uploaded_bytes)
        estimate = Estimate(pack.input_tokens, usd=pack.usd, most_usd=pack.usd)
        try:
            async with self._stopping.may_be_given_up():
                await room.enter(batch, *size)
            stack.push_async_callback(room.leave, batch)
            reserved = self._stopping.waiting_for(self._budget.reserved(estimate))
            await stack.enter_async_context(reserved)
            media = await self._submitter.videos(pack, project)
            if not media:
                return None
            record = await self._submitter.submit(pack, media, project, room)
        except TooManyTokensError as error:
            room.learn(pack.input_tokens)
            raise _OtherwiseError from error
        except ServiceError as error:
            self._go_on_without(error, project)
            return None
        room.submitted(batch, *size)
        return record, project, frozenset(media)

    def _go_on_without(self, error: ServiceError, project: Project) -> None:
        """Or raise; whoever waits for what was not submitted asks by another tier."""
        if error.code in MAYBE_SUBMITTED:
            raise error
        # That no more batches are taken today says nothing of single calls.
        if error.code in PROJECT_FAULTS and error.status != HTTPStatus.TOO_MANY_REQUESTS:
            self._projects.set_aside(project, error)
            raise _OtherwiseError from error
        say(f"A batch could not be submitted: {error.message}")

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
            f"{dollars(record.expected_usd)} USD, submitted {record.created[:16]} UTC, "
            f"expected by {record.expected[:16]} UTC."
        )
        answered = await self._watcher.outcome(record, project, limit_s=limit_s)
        say(f"Batch {record.name} has ended: {len(answered.keys)} of {record.requests} answered.")
        per_request = Estimate(0.0, usd=record.expected_usd / record.requests, most_usd=0.0)
        for usd in answered.costs:
            self._budget.bill(usd, per_request)
        for sha256 in answered.unanswered_videos:
            project.uploads.forget(sha256)  # it may have expired in the meantime
        hopeless |= answered.hopeless - answered.keys
        return set(keys) - answered.keys - hopeless
