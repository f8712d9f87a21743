"""All that reports share when they ask Gemini: one account a process, whatever asks it."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from reelmake.analysis import Analysis
from reelmake.config import GeminiSettings
from reelmake.errors import Kind, ReelmakeError
from reelmake.facts import video_facts
from reelmake.gemini.asking import Asker, Run
from reelmake.gemini.budget import Budget, Estimate
from reelmake.gemini.calling import Bill, Caller, Source
from reelmake.gemini.engine import Report
from reelmake.gemini.projects import Projects
from reelmake.gemini.request import Request
from reelmake.gemini.service import api_keys
from reelmake.gemini.stopping import Stopping
from reelmake.results import Results
from reelmake.targets import Target
from reelmake.templates import load_template

log = logging.getLogger(__name__)

_LOOKED_AT = 32
_AT_ONCE = 16
# Anything else may pass by itself.
_HOPELESS = frozenset([Kind.AUTH, Kind.INVALID_INPUT, Kind.QUOTA])


class Account:
    """Analyses videos for a run. ``run`` is where probing and checking are done.

    Every method raises ReelmakeError.
    """

    def __init__(
        self,
        settings: GeminiSettings,
        results: Results,
        *,
        run: Run,
        budget_usd: float | None = None,
        stopping: Stopping | None = None,
    ) -> None:
        self._settings = settings
        self._results = results
        self._run = run
        self._budget_usd = budget_usd
        self._projects = Projects(settings, api_keys(), results)
        self._caller = Caller(
            settings,
            self._projects,
            results.store,
            budget=Budget(budget_usd),
            stopping=stopping or Stopping(),
        )
        self._asker = Asker(settings, self._caller, results.store, run=run)

    async def __aenter__(self) -> Self:
        await self._projects.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._projects.__aexit__(kind, error, trace)

    @property
    def calls_in_flight(self) -> int:
        """Calls that are being paid for just now."""
        return self._caller.in_flight

    async def analyse(self, target: Target) -> Analysis:
        """Find in the store, or buy, what the report is made of."""
        return await (await self._report(target)).analyse(self._asker)

    async def check(self, targets: Sequence[Target]) -> None:
        """Make sure, before anything is uploaded, that there is an account and money enough.

        Costs nothing, and asks nothing when the store has every answer. Without a budget only the
        first reports are looked at: their videos are read for it, which may take long.
        """
        if self._budget_usd is None:
            targets = targets[:_LOOKED_AT]
        expected_usd = 0.0
        checked = False
        for start in range(0, len(targets), _AT_ONCE):
            some = targets[start : start + _AT_ONCE]
            missing = await asyncio.gather(*(self.missing_calls(target) for target in some))
            expected_usd += sum(call.usd for calls in missing for call in calls)
            if any(missing) and not checked:
                checked = True
                await self._projects.check_quota_store()
                await self._check_projects()
            if checked and self._budget_usd is None:
                return
        if self._budget_usd is not None and expected_usd > self._budget_usd:
            raise ReelmakeError(
                "budget_too_small",
                f"what is to be asked will cost about {expected_usd:.2f} USD, "
                f"which is more than `budget_usd: {self._budget_usd:g}`",
            )

    async def _check_projects(self) -> None:
        try:
            await self._projects.check(self._settings.model)
        except ReelmakeError as error:
            if error.kind in _HOPELESS:
                raise
            log.warning("the account could not be checked: %s", error.message)

    async def missing_calls(self, target: Target) -> list[Estimate]:
        """What would have to be bought for a report, as far as the store can tell."""
        plan = _Plan()
        asker = Asker(self._settings, plan, self._results.store, run=self._run)
        try:
            report = await self._report(target)
            await report.analyse(asker)
        except (_WouldBeAsked, ReelmakeError):
            pass  # a report that can't be made says so itself, when its turn comes
        return plan.calls

    async def _report(self, target: Target) -> Report:
        facts = await self._run(video_facts, target, self._results.checksums)
        template = load_template(target.template)
        return Report(target, template, facts, settings=self._settings)


class _WouldBeAsked(Exception):  # noqa: N818  it is no error
    """The store has no answer to this."""


@dataclass
class _Plan:
    """Stands where a `Caller` does, and buys nothing."""

    calls: list[Estimate] = field(default_factory=list)
    stopping: Stopping = field(default_factory=Stopping)

    async def buy(
        self,
        key: str,  # noqa: ARG002
        request: Request,
        source: Source,
        bill: Bill,  # noqa: ARG002
        *,
        tier: str,
    ) -> None:
        self.calls.append(source.estimate(request, tier=tier))
        raise _WouldBeAsked
