"""The batch tier of a run: reports that are to be asked for come in, batches go out.

Who comes waits here until the batches with its requests have ended, and then goes on as with any
other tier: what it needs is in the store, or is asked by another one.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reelmake.config import GeminiSettings
from reelmake.gemini.batches.dispatch import Batch, Dispatcher
from reelmake.gemini.batches.gathering import Gathering, TargetKey
from reelmake.gemini.batches.packing import Wanted
from reelmake.gemini.batches.records import BatchRecord
from reelmake.gemini.projects import Project
from reelmake.logs import logging_to
from reelmake.targets import Target

log = logging.getLogger(__name__)

LOG = Path("logs/batches.log")
# Of so many batches the requests are in memory, on their way to the service.
_PREPARED_AT_ONCE = 4
_LOOKED_AT_ONCE = 16

Targets = Mapping[TargetKey, Target]


class BatchTier:
    """Asks for many reports at once. ``wanted`` says what is missing for one.

    With another `gemini.tier`, or if it does not gather, all it does is to see to what earlier runs
    have left in batches.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        wanted: Callable[[Target], Awaitable[list[Wanted]]],
        settings: GeminiSettings,
        *,
        gathers: bool,
    ) -> None:
        self._dispatcher = dispatcher
        self._wanted = wanted
        self._is_on = settings.tier == "batch" and gathers
        self._tries = 1 + settings.batch_fallback.count("batch")
        # Who wants another tier wants it now.
        self._limit_s = settings.batch_max_wait_hours * 3600 if settings.tier == "batch" else 0.0
        self._gathering = Gathering(settings.batch_size)
        self._prepared = asyncio.Semaphore(_PREPARED_AT_ONCE)
        self._settled: dict[TargetKey, asyncio.Future[None]] = {}
        self._in_flight: dict[str, Batch] = {}
        self._ended: list[str] = []  # keys of requests, in the order in which their batches ended
        self._hopeless: set[str] = set()
        self._left_over: dict[TargetKey, list[tuple[BatchRecord, Project]]] = defaultdict(list)
        self._ending: dict[str, Batch] = {}
        self._begun: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def expect(self, targets: Iterable[Target]) -> None:
        """Tell which reports this run is going to ask for, so that they go together."""
        self._gathering.expect(targets)

    async def prepare(self, target: Target) -> None:
        """Return when the store has what batches can answer for this report.

        Raises ReelmakeError ``interrupted``, and the ServiceError that leaves a batch open.
        """
        if self._begun is None:
            self._begun = self._spawn(self._begin())
        await asyncio.shield(self._begun)
        if self._is_on:
            settled = self._settling(target.key)
            self._gathering.add(target)
            await asyncio.shield(settled)
        else:
            await self._end_what_was_left(target.key)

    async def aclose(self) -> None:
        """Leave all batches alone: what is at the service goes on there."""
        batches = [*self._in_flight.values(), *self._ending.values()]
        tasks = [*self._tasks, *(batch.task for batch in batches)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _begin(self) -> None:
        for record, project in await self._dispatcher.left_over():
            if self._is_on:
                self._add(self._dispatcher.pick_up(record, project, limit_s=self._limit_s))
            else:
                for report in self._dispatcher.reports(record):
                    self._left_over[report].append((record, project))
        if self._is_on:
            self._spawn(self._gather())

    async def _end_what_was_left(self, report: TargetKey) -> None:
        """What is in a batch would be paid twice if it were asked besides."""
        for record, project in self._left_over.get(report, ()):
            if record.name not in self._ending:
                batch = self._dispatcher.pick_up(record, project, limit_s=self._limit_s)
                self._ending[record.name] = batch
            await asyncio.shield(self._ending[record.name].task)

    async def _gather(self) -> None:
        while True:
            targets = await self._gathering.next()
            await self._prepared.acquire()
            self._spawn(self._serve({target.key: target for target in targets}))

    async def _serve(self, targets: Targets) -> None:
        """Ask in batches as often as may be, whatever is not answered; begins prepared."""
        left = targets
        try:
            for number in range(self._tries):
                if number:
                    await self._prepared.acquire()
                left = await self._ask(left)
                if not left:
                    return
        except BaseException as error:
            self._settle(left, error)
            raise
        self._settle(left)

    async def _ask(self, targets: Targets) -> Targets:
        """Ask once; the reports for which it is worth asking again."""
        try:
            asked = await self._batches(targets)
            batches = {batch for each in asked.values() for batch in each.values()}
            await asyncio.gather(*(batch.sent.wait() for batch in batches))
        finally:
            self._prepared.release()
        again: dict[TargetKey, Target] = {}
        running = {batch.task for batch in batches}
        while asked:
            for report in [r for r, by_key in asked.items() if _have_ended(by_key)]:
                by_key = asked.pop(report)
                error = next((e for batch in by_key.values() if (e := _error(batch))), None)
                if error is None and any(key in b.task.result() for key, b in by_key.items()):
                    again[report] = targets[report]
                else:
                    self._settle([report], error)
            if running:
                _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        return again

    async def _batches(self, targets: Targets) -> dict[TargetKey, dict[str, Batch]]:
        """By report and request, the batch that it is in: a new one, or one that has begun."""
        wanted: dict[TargetKey, dict[str, Wanted]] = {}
        reports = list(targets)
        while reports:
            ended = len(self._ended)
            wanted |= await self._wanted_of(targets, reports)
            # What a batch has brought since they were looked at would be paid for again.
            brought = set(self._ended[ended:])
            reports = [report for report in reports if brought & wanted[report].keys()]
        by_key = {key: one for its in wanted.values() for key, one in its.items()}
        new = [one for key, one in by_key.items() if key not in self._in_flight]
        for batch in self._dispatcher.dispatch(new):
            self._add(batch)
        return {
            report: {key: self._in_flight[key] for key in its} for report, its in wanted.items()
        }

    async def _wanted_of(
        self, targets: Targets, reports: Sequence[TargetKey]
    ) -> dict[TargetKey, dict[str, Wanted]]:
        """By report and request, what the store has no answer for and may yet be answered."""
        wanted = {}
        for some in (
            reports[n : n + _LOOKED_AT_ONCE] for n in range(0, len(reports), _LOOKED_AT_ONCE)
        ):
            found = await asyncio.gather(*(self._wanted(targets[report]) for report in some))
            for report, each in zip(some, found, strict=True):
                wanted[report] = {one.key: one for one in each if one.key not in self._hopeless}
        return wanted

    def _add(self, batch: Batch) -> None:
        self._in_flight |= dict.fromkeys(batch.keys, batch)
        batch.task.add_done_callback(lambda _: self._remove(batch))

    def _remove(self, batch: Batch) -> None:
        self._ended += batch.keys
        for key in batch.keys:
            self._in_flight.pop(key, None)
        if _error(batch) is None:
            self._hopeless |= batch.hopeless

    def _settling(self, report: TargetKey) -> "asyncio.Future[None]":
        if report not in self._settled:
            self._settled[report] = asyncio.get_running_loop().create_future()
            self._settled[report].add_done_callback(_error_of)
        return self._settled[report]

    def _settle(self, reports: Iterable[TargetKey], error: BaseException | None = None) -> None:
        for report in reports:
            settled = self._settling(report)
            if settled.done():
                continue
            if error is None:
                settled.set_result(None)
            elif isinstance(error, asyncio.CancelledError):
                settled.cancel()
            else:
                settled.set_exception(error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Go on with it beside; what it says belongs to no report."""
        with logging_to(LOG):
            task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_error_of)
        return task


def _have_ended(by_key: Mapping[str, Batch]) -> bool:
    return all(batch.task.done() for batch in by_key.values())


def _error(batch: Batch) -> BaseException | None:
    return _error_of(batch.task)


def _error_of(future: "asyncio.Future[Any]") -> BaseException | None:
    """Why it failed; asked of each, or else asyncio complains when nobody waits for it."""
    return asyncio.CancelledError() if future.cancelled() else future.exception()
