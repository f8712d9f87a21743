"""One call that is paid for: by which project, when, for how much, and then into the store."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reelmake.config import GeminiSettings
from reelmake.files import Room
from reelmake.gemini.budget import Budget, Estimate
from reelmake.gemini.estimates import estimate
from reelmake.gemini.failures import ServiceError, classify
from reelmake.gemini.places import Places, Turn
from reelmake.gemini.projects import PROJECT_FAULTS, Project, Projects
from reelmake.gemini.request import Media, Request
from reelmake.gemini.retry import with_retries
from reelmake.gemini.stopping import Stopping
from reelmake.gemini.uploads import MIME_TYPES
from reelmake.meter import Meter
from reelmake.pricing import cost_usd
from reelmake.store import Store, StoredAnswer

log = logging.getLogger(__name__)

# How far one answer moves what the next ones are expected to need.
_LEARNING_RATE = 0.2
# The service may have completed what never reached us.
_MAYBE_BILLED = frozenset(["connection_lost", "timed_out"])


@dataclass(frozen=True, slots=True)
class Source:
    """Where a video's bytes are: a file with its checksum, or a URL that the service reads."""

    identity: str
    path: Path | None = None
    sha256: str | None = None
    url: str | None = None
    duration_s: float | None = None
    has_sound: bool = True

    def estimate(self, request: Request, *, tier: str, output_factor: float = 1.0) -> Estimate:
        """What it is expected to cost to ask this of the video."""
        return estimate(
            request,
            self.duration_s,
            has_sound=self.has_sound,
            tier=tier,
            output_factor=output_factor,
        )


@dataclass
class Bill:
    """All answers that a report rests on, and the tries that it took."""

    turn: Turn = field(default_factory=Turn)
    answers: dict[str, StoredAnswer] = field(default_factory=dict)
    attempts: int = 0

    def add(self, key: str, answer: StoredAnswer) -> None:
        """Count an answer once, however often it is read."""
        self.answers[key] = answer


@dataclass(frozen=True, slots=True)
class _Call:
    key: str
    request: Request
    source: Source
    bill: Bill
    project: Project
    tier: str


class Caller:
    """Calls for many reports at once; what they share (keys, quotas, budget) is here."""

    def __init__(
        self,
        settings: GeminiSettings,
        projects: Projects,
        store: Store,
        *,
        budget: Budget,
        stopping: Stopping,
        meter: Meter | None = None,
        places: Places | None = None,
    ) -> None:
        self._places = places or Places(None)
        self._settings = settings
        self._projects = projects
        self._store = store
        self._budget = budget
        self.stopping = stopping
        self.meter = meter or Meter()
        self.in_flight = 0
        self._input_ratios: dict[str, float] = {}

    async def buy(
        self, key: str, request: Request, source: Source, bill: Bill, *, tier: str
    ) -> None:
        """Put the answer into the store, by the project that the video stays with or the next one.

        Raises ServiceError, and ReelmakeError ``interrupted`` or ``budget_reached``.
        """
        while True:
            project = self._projects.choose(source.identity)
            self.meter.asked += 1
            call = _Call(key, request, source, bill, project, tier)
            try:
                await with_retries(
                    partial(_once_more_if_deleted, partial(self._paid_for, call)),
                    attempts=self._settings.max_attempts,
                    stopping=self.stopping,
                )
            except ServiceError as error:
                if error.code not in PROJECT_FAULTS:
                    raise
                self._projects.set_aside(project, error)
            else:
                return

    async def _paid_for(self, call: _Call) -> None:
        call.bill.attempts += 1
        self.meter.tries += 1
        async with self.stopping.may_be_given_up():
            media = await media_of(call.source, call.project) if call.request.clip else None
        expected = self._expected(call)
        async with self.stopping.waiting_for(self._budget.reserved(expected)):
            with ExitStack() as kept:
                answer, room = await self._answer(call, media, expected, kept)
                # Whatever comes next: it is paid for, and it is here.
                said = {**call.request.summary(), "tier": call.tier}
                await _to_the_end(
                    partial(self._store.put, call.key, answer, request=said, room=room)
                )
            self._learn(call, expected, answer)

    async def _answer(
        self, call: _Call, media: Media | None, expected: Estimate, kept: ExitStack
    ) -> tuple[dict[str, Any], Room]:
        """Ask when it is this report's turn; what that takes is given back with the answer.

        But for the room on the disk that the answer is to fill: that is ``kept``.
        """
        model, bill = call.request.model, call.bill
        pace = call.project.pace(model)
        loop = asyncio.get_running_loop()
        async with self.stopping.waiting_for(self._places.taken(bill.turn)):
            began = loop.time()
            async with (
                self.stopping.waiting_for(
                    pace.turn(expected.input_tokens, bill.turn.priority, again=bill.attempts > 1)
                ),
                # While nothing is lost, if there is none.
                _room_kept(kept, self._store.room(call.key)) as room,
                self._counted(call.project, model),
            ):
                self.meter.waited_s += loop.time() - began
                log.info("asking %s (%s)", model, call.project.label)
                try:
                    answer = await call.project.service.generate(
                        call.request, media, tier=call.tier
                    )
                except Exception as error:
                    raise self._fault(call, expected, error) from error
                return answer, room

    def _fault(self, call: _Call, expected: Estimate, error: Exception) -> ServiceError:
        # It may have expired in the meantime; looking again is one cheap call.
        if call.source.sha256:
            call.project.uploads.forget(call.source.sha256)
        fault = classify(error)
        if call.source.url and _is_of_the_address(fault):
            said = getattr(error, "message", None) or fault.message
            fault = ServiceError("address_refused", f"{fault.status}: {said}", status=fault.status)
        self.meter.rate_limited += fault.status == HTTPStatus.TOO_MANY_REQUESTS
        self.meter.overloaded += fault.status == HTTPStatus.SERVICE_UNAVAILABLE
        if fault.code in _MAYBE_BILLED:
            self.meter.lost += 1
            self._budget.bill(None, expected)
        return fault

    @asynccontextmanager
    async def _counted(self, project: Project, model: str) -> AsyncIterator[None]:
        await project.count(model)
        self.in_flight += 1
        try:
            yield
        except ServiceError as error:
            if error.status == HTTPStatus.TOO_MANY_REQUESTS:
                await project.uncount(model)
            raise
        finally:
            self.in_flight -= 1

    def _expected(self, call: _Call) -> Estimate:
        expected = call.source.estimate(call.request, tier=call.tier)
        ratio = self._input_ratios.get(call.request.model, 1.0)
        return replace(expected, input_tokens=expected.input_tokens * ratio)

    def _learn(self, call: _Call, expected: Estimate, answer: Mapping[str, Any]) -> None:
        model, usage = call.request.model, answer.get("usage_metadata", {})
        self.meter.buy(usage)
        self._budget.bill(cost_usd(model, usage, tier=call.tier), expected)
        used = usage.get("prompt_token_count", 0)
        if used and expected.input_tokens:
            before = self._input_ratios.get(model, 1.0)
            change = used / expected.input_tokens
            self._input_ratios[model] = before * (1 + _LEARNING_RATE * (change - 1))


def _is_of_the_address(fault: ServiceError) -> bool:
    """A private video is refused like an account that may not ask, but for the reason.

    Where nothing was uploaded, the file that is not there is what the address leads to.
    """
    if fault.code == "upload_gone":
        return True
    of_account = re.search(r"\b(api|key|project|consumer|billing)\b", fault.message, re.IGNORECASE)
    return fault.code == "permission_denied" and not fault.gives_reason and not of_account


async def _to_the_end(function: Callable[[], None]) -> None:
    """Run it in a thread; who is cancelled meanwhile still waits for its end."""
    running = asyncio.get_running_loop().run_in_executor(None, function)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


@asynccontextmanager
async def _room_kept(kept: ExitStack, room: AbstractContextManager[Room]) -> AsyncIterator[Room]:
    yield kept.enter_context(room)


async def _once_more_if_deleted(call: Callable[[], Awaitable[None]]) -> None:
    """Another run, which has the same video and key, may have deleted what was uploaded."""
    try:
        await call()
    except ServiceError as error:
        if error.code != "upload_gone":
            raise
        log.info("%s: uploading it again", error.message)
        await call()


async def media_of(source: Source, project: Project, *, lasting_s: float = 0.0) -> Media:
    """Where the service finds the video: it is uploaded unless it is there for so many seconds."""
    if source.path and source.sha256:
        return await project.uploads.media(source.path, source.sha256, lasting_s=lasting_s)
    address = source.url or source.identity
    suffix = Path(urlsplit(address).path).suffix.lower()
    return Media(address, MIME_TYPES.get(suffix, "video/mp4"))
