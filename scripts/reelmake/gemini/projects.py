"""API keys: each is a project with quotas and files of its own, and a video stays with one."""

import hashlib
import logging
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from datetime import date
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reelmake.config import GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.day_quota import DayQuota
from reelmake.gemini.failures import ServiceError, classify
from reelmake.gemini.keys import fingerprint_of
from reelmake.gemini.pacific import pacific_now
from reelmake.gemini.pacing import Pace
from reelmake.gemini.quota_store import QuotaStore
from reelmake.gemini.recent_calls import RecentCalls
from reelmake.gemini.uploads import Uploads
from reelmake.results import Results

if TYPE_CHECKING:  # else it brings the SDK
    from reelmake.gemini.service import Service

log = logging.getLogger(__name__)

# Codes that say that the project, not the video, is at fault.
PROJECT_FAULTS = frozenset(
    ["key_invalid", "credentials_unusable", "permission_denied", "quota_per_day"]
)


class Project:
    """One key's access, with its quotas and files.

    ``label`` is what may be said of it: its place among the keys. ``fingerprint`` tells it from
    others in files.
    """

    def __init__(
        self,
        label: str,
        service: "Service",
        *,
        settings: GeminiSettings,
        results: Results,
        key: str,
        quota_store: QuotaStore | None = None,
    ) -> None:
        self.label = label
        self.service = service
        self.fingerprint = fingerprint_of(key)
        self._fault: tuple[ServiceError, date] | None = None
        self.uploads = Uploads(service, results, self.fingerprint)
        self._recent = RecentCalls(results.recent_calls)
        self._day = DayQuota(results.day_quota, settings.rpd)
        self._quota_store = quota_store
        self._settings = settings
        self._paces: dict[str, Pace] = {}

    def pace(self, model: str) -> Pace:
        """When calls to this model may begin: quotas are each model's own."""
        if model not in self._paces:
            store, settings = self._quota_store, self._settings
            paced_here = store is None and (settings.rpm or settings.tpm)
            self._paces[model] = Pace(
                f"{model}, {self.label}",
                rpm=None if store else settings.rpm,
                tpm=None if store else settings.tpm,
                max_in_flight=settings.max_in_flight,
                shared=partial(store.wait_for_minute, self.fingerprint, model) if store else None,
                earlier=self._recent.of(self.fingerprint, model) if paced_here else (),
                begins=partial(self._recent.add, self.fingerprint, model) if paced_here else None,
            )
        return self._paces[model]

    @property
    def paces(self) -> Collection[Pace]:
        """Those of the models that were asked."""
        return self._paces.values()

    def leave_aside(self, fault: ServiceError) -> None:
        """Until there is a new quota, if that is what it lacks; else for this run."""
        self._fault = fault, pacific_now().date()

    @property
    def fault(self) -> ServiceError | None:
        """Why it is left aside, if it is."""
        if self._fault is None:
            return None
        fault, day = self._fault
        renewed = fault.code == "quota_per_day" and pacific_now().date() != day
        return None if renewed else fault

    async def count(self, model: str) -> None:
        """Count one request of today. Raises ServiceError ``quota_per_day`` when none is left.

        Of a project that was left aside meanwhile it raises the reason: who waited need not ask.
        """
        if self.fault:
            raise self.fault
        if self._quota_store:
            await self._quota_store.take_of_day(self.fingerprint, model)
        else:
            self._day.take(self.fingerprint, model)

    async def uncount(self, model: str) -> None:
        """The service refused the request, and so did not count it."""
        if self._quota_store:
            await self._quota_store.give_back_of_day(self.fingerprint, model)
        else:
            self._day.give_back(self.fingerprint, model)

    def rank(self, identity: str) -> str:
        """Order the projects for a video; which keys there are besides is without effect."""
        return hashlib.sha256(f"{self.fingerprint} {identity}".encode()).hexdigest()


class Projects:
    """All that the environment gives; those that turn out useless are left aside."""

    def __init__(self, settings: GeminiSettings, keys: Sequence[str], results: Results) -> None:
        from reelmake.gemini.service import Service  # noqa: PLC0415  likewise

        self._quota_store = _quota_store(settings)
        projects = [
            Project(
                f"key {number} of {len(keys)}",
                Service(settings, api_key=key),
                settings=settings,
                results=results,
                key=key,
                quota_store=self._quota_store,
            )
            for number, key in enumerate(keys, start=1)
            if not settings.vertex
        ]
        if settings.vertex:
            service = Service(settings)
            projects = [
                Project(
                    "Vertex AI",
                    service,
                    settings=settings,
                    results=results,
                    # Quotas are those of its cloud project.
                    key=f"vertex {settings.vertex.project}",
                    quota_store=self._quota_store,
                )
            ]
        self.all = tuple(projects)
        self._last_fault: ServiceError | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for project in self.all:
            await self._stack.enter_async_context(project.service)
        if self._quota_store:
            self._stack.push_async_callback(self._quota_store.aclose)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @property
    def paces(self) -> list[Pace]:
        """Those of all projects and models that were asked."""
        return [pace for project in self.all for pace in project.paces]

    @property
    def _usable(self) -> list[Project]:
        return [project for project in self.all if project.fault is None]

    def choose(self, identity: str) -> Project:
        """The project that a video stays with, as long as it is usable.

        Raises the last ServiceError that left a project aside when none is left, and
        ReelmakeError ``key_missing`` when there never was one.
        """
        if usable := self._usable:
            return min(usable, key=lambda project: project.rank(identity))
        if self._last_fault is None:
            raise ReelmakeError("key_missing", "no API key in the environment")
        raise self._last_fault

    def by_fingerprint(self, fingerprint: str) -> Project | None:
        """The project that a file of ours speaks of, if its key is still given."""
        return next((each for each in self._usable if each.fingerprint == fingerprint), None)

    def set_aside(self, project: Project, fault: ServiceError) -> None:
        """Use this project no more, and say so."""
        if project.fault is None:
            project.leave_aside(fault)
            if self._usable:  # else the fault itself is told, as the end of it
                log.warning("%s is left aside: %s", project.label, fault.message)
        self._last_fault = fault

    async def check_quota_store(self) -> None:
        """Fails when processes are to share quotas, and the place to do so is not there."""
        if self._quota_store:
            await self._quota_store.check()

    async def check(self, *models: str) -> None:
        """A free call for each model and project: fails without a valid key or such a model."""
        for project in self._usable:
            try:
                for model in models:
                    await project.service.check_model(model)
            except Exception as error:
                fault = classify(error)
                if fault.code not in PROJECT_FAULTS:
                    raise fault from error
                self.set_aside(project, fault)
        self.choose("")


def _quota_store(settings: GeminiSettings) -> QuotaStore | None:
    where = settings.quota_store
    if where is None:
        return None
    return QuotaStore(where, rpm=settings.rpm, tpm=settings.tpm, rpd=settings.rpd)
