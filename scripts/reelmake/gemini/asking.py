"""One request to one valid answer: from the store if it was paid for before, else from Gemini."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reelmake.config import GeminiSettings
from reelmake.errors import Kind, ReelmakeError
from reelmake.gemini.failures import ServiceError
from reelmake.gemini.projects import PROJECT_FAULTS, Project, Projects
from reelmake.gemini.request import Request
from reelmake.gemini.retry import with_retries
from reelmake.gemini.service import Media
from reelmake.gemini.validation import Checked, InvalidAnswer
from reelmake.store import Rejection, Store, StoredAnswer

log = logging.getLogger(__name__)

Check = Callable[[dict[str, Any]], Checked]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a video's bytes are: a file with its checksum, or a URL that the service reads."""

    identity: str
    path: Path | None = None
    sha256: str | None = None
    url: str | None = None


@dataclass
class Bill:
    """All answers that a report rests on, and the tries that it took."""

    answers: dict[str, StoredAnswer] = field(default_factory=dict)
    attempts: int = 0

    def add(self, key: str, answer: StoredAnswer) -> None:
        """Count an answer once, however often it is read."""
        self.answers[key] = answer


class Asker:
    """Asks for many reports at once; what they share (uploads, keys, the store) is here."""

    def __init__(self, settings: GeminiSettings, projects: Projects, store: Store) -> None:
        self._settings = settings
        self._projects = projects
        self._store = store
        self._in_flight = asyncio.Semaphore(settings.max_in_flight)

    async def ask(self, request: Request, source: Source, check: Check, bill: Bill) -> Checked:
        """Find or buy the answer; it is in the store before anything looks at it.

        Raises InvalidAnswer when it can't be taken, ServiceError when there is none.
        """
        try:
            return await self._ask(request, source, check, bill)
        except ServiceError as error:
            if error.code != "overloaded" or not self._settings.fallback_models:
                raise
            overloaded = error
        for model in self._settings.fallback_models:
            log.warning("%s stays overloaded: asking %s", request.model, model)
            other = request.asking(model)
            try:
                checked = await self._ask(other, source, check, bill)
            except ServiceError as error:
                overloaded = error
                continue
            # A rerun asks the first model again, and has its answer.
            stored = bill.answers[other.digest()]
            self._store.put(request.digest(), stored.answer, request=stored.request)
            return checked
        raise overloaded

    def refused_before(self, request: Request) -> Rejection | None:
        """Why the last answer to this very request was not taken."""
        key = request.digest()
        return None if self._store.get(key) else self._store.rejection(key)

    async def _ask(self, request: Request, source: Source, check: Check, bill: Bill) -> Checked:
        key = request.digest()
        with contextlib.ExitStack() as stack:
            # In a thread, since another process may be asking the same just now.
            await asyncio.to_thread(stack.enter_context, self._store.asking(key))
            stored = self._store.get(key)
            if stored is None:
                self._refuse_what_is_blocked(key)
                answer = await self._buy(request, source, bill)
                self._store.put(
                    key, answer, request={**request.summary(), "tier": self._settings.tier}
                )
                stored = self._store.get(key)
            else:
                log.info("answer %s is in the store", key[:12])
            if stored is None:
                raise ReelmakeError("store_unreadable", f"the answer {key[:12]} can't be read back")
            bill.add(key, stored)
            try:
                return check(stored.answer)
            except InvalidAnswer as error:
                invalid = error
            except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
                # Stranger than anything the checks foresee: never kept as good.
                what = f"the answer can't be read ({type(error).__name__})"
                invalid = InvalidAnswer("answer_wrong_shape", what)
            self._store.reject(key, Rejection(invalid.code, invalid.message))
            raise invalid

    def _refuse_what_is_blocked(self, key: str) -> None:
        rejection = self._store.rejection(key)
        if rejection is None or self._settings.retry_blocked:
            return
        error = InvalidAnswer(rejection.code, rejection.message)
        if error.kind == Kind.BLOCKED:
            raise error

    async def _buy(self, request: Request, source: Source, bill: Bill) -> dict[str, Any]:
        """Call the service by the project that the video stays with, or else by the next one."""
        while True:
            project = self._projects.choose(source.identity)
            try:
                return await self._call(request, source, project, bill)
            except ServiceError as error:
                if error.code not in PROJECT_FAULTS:
                    raise
                self._projects.set_aside(project, error)

    async def _call(
        self, request: Request, source: Source, project: Project, bill: Bill
    ) -> dict[str, Any]:
        async def once() -> dict[str, Any]:
            bill.attempts += 1
            media = await _media(source, project) if request.clip else None
            try:
                return await project.service.generate(request, media)
            except Exception:
                # It may have expired in the meantime; looking again is one cheap call.
                if source.sha256:
                    project.uploads.forget(source.sha256)
                raise

        async with self._in_flight:
            log.info("asking %s (%s)", request.model, project.label)
            return await with_retries(once, attempts=self._settings.max_attempts)


async def _media(source: Source, project: Project) -> Media:
    if source.path and source.sha256:
        return await project.uploads.media(source.path, source.sha256)
    return Media(source.url or source.identity, "video/mp4")
