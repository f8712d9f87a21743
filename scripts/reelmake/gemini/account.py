"""All that reports share when they ask Gemini: one account a process, whatever asks it."""

import asyncio
import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from reelmake.analysis import Analysis
from reelmake.config import GeminiSettings
from reelmake.digests import Summary
from reelmake.errors import Kind, ReelmakeError
from reelmake.facts import video_facts
from reelmake.gemini.asking import Asker, Run
from reelmake.gemini.batches.dispatch import Dispatcher
from reelmake.gemini.batches.packing import Wanted
from reelmake.gemini.batches.tier import BatchTier
from reelmake.gemini.budget import Budget
from reelmake.gemini.calling import Caller
from reelmake.gemini.combined import Combining
from reelmake.gemini.engine import Report
from reelmake.gemini.group_summary import summarise
from reelmake.gemini.keys import api_keys
from reelmake.gemini.missing import missing_calls
from reelmake.gemini.places import Places, Turn
from reelmake.gemini.projects import Projects
from reelmake.gemini.stopping import Stopping
from reelmake.gemini.tidying import Tidying
from reelmake.meter import Meter, read_meter
from reelmake.pricing import dollars
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
        keep_uploads: bool = False,
        alone: bool = False,
        at_once: int | None = None,
    ) -> None:
        """``alone``: it is asked for one report, which is no batch.

        ``at_once`` reports have calls in flight, at most; None: as many as are asked for.
        """
        self._settings = settings
        self._results = results
        self._run = run
        self._budget_usd = budget_usd
        self._projects = Projects(settings, api_keys(), results)
        # After a crash it goes on where its predecessor in this run ended.
        before = read_meter(results.meter)
        self._budget = Budget(budget_usd)
        self._budget.spent_usd = before.usd
        self._limit_changes_before = before.limit_changes
        stopping = stopping or Stopping()
        self._places = Places(at_once)
        self._caller = Caller(
            settings,
            self._projects,
            results.store,
            budget=self._budget,
            stopping=stopping,
            meter=before,
            places=self._places,
        )
        self._asker = Asker(settings, self._caller, results.store, run=run)
        self._combining = (
            Combining(self._asker, results.store, report_of=self._report)
            if settings.combine_templates
            else None
        )
        # Alone it can't know who else needs a video.
        self._tidying = Tidying(self._projects, keep=keep_uploads or alone)
        dispatcher = Dispatcher(
            settings,
            self._projects,
            results,
            budget=self._budget,
            stopping=stopping,
            meter=before,
        )
        self.batches = BatchTier(dispatcher, self._wanted, settings, gathers=not alone)

    async def __aenter__(self) -> Self:
        await self._projects.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.batches.aclose()
        await self._tidying.aclose()
        await self._projects.__aexit__(kind, error, trace)

    @property
    def calls_in_flight(self) -> int:
        """Calls that are being paid for just now."""
        return self._caller.in_flight

    def meter(self) -> Meter:
        """What this run has asked until now, and how things stand."""
        paces = self._projects.paces
        return self._caller.meter.model_copy(
            update={
                "usd": self._budget.spent_usd,
                "limit": sum(pace.limit for pace in paces),
                "lowest_limit": sum(pace.lowest_limit for pace in paces),
                "limit_changes": self._limit_changes_before
                + sum(pace.limit_changes for pace in paces),
                "in_flight": self._caller.in_flight,
                "waiting": sum(pace.waiting for pace in paces),
            }
        )

    async def analyse(self, target: Target) -> Analysis:
        """Find in the store, or buy, what the report is made of."""
        turn = Turn(target.priority)
        with self._places.getting_ready(turn):
            await self.batches.prepare(target)
            if self._combining:
                await self._combining.prepare(target)
            report = await self._report(target, turn)
            with self._tidying.needed(target, report.source.sha256):
                return await report.analyse(self._asker)

    def expect(self, targets: Sequence[Target], *, again: bool = False) -> None:
        """What is going to be analysed: some of it may be asked together.

        ``again``: some of it is there already, made by a gateway that died. What it had bought for
        several templates is found by who knows of all of them.
        """
        if self._combining:
            self._combining.expect(targets)
        if not again:
            self._tidying.expect(targets)
            self.batches.expect(targets)

    async def summarise(self, title: str, analyses: Sequence[Analysis], language: str) -> Summary:
        """Find in the store, or buy, what is to be said of a group of reports."""
        return await summarise(
            title, analyses, language, asker=self._asker, settings=self._settings
        )

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
            missing = await asyncio.gather(*(self._missing_usd(target) for target in some))
            expected_usd += sum(filter(None, missing))
            if any(usd is not None for usd in missing) and not checked:
                checked = True
                await self._projects.check_quota_store()
                await self._check_projects()
            if checked and self._budget_usd is None:
                return
        if self._budget_usd is not None and expected_usd > self._budget_usd:
            raise ReelmakeError(
                "budget_too_small",
                f"what is to be asked will cost about {dollars(expected_usd)} USD, "
                f"which is more than `budget_usd: {self._budget_usd:g}`",
            )

    async def _check_projects(self) -> None:
        try:
            await self._projects.check(self._settings.model, *self._settings.fallback_models)
        except ReelmakeError as error:
            # A minute's quota is there again when the first call is made.
            if error.kind in _HOPELESS and error.code != "quota_per_minute":
                raise
            log.warning("the account could not be checked: %s", error.message)

    async def _missing_usd(self, target: Target) -> float | None:
        """What the calls for a report will cost that the store has no answers for; None: none."""
        try:
            report = await self._report(target)
        except ReelmakeError:
            return None  # it says so itself, when its turn comes
        store = self._results.store
        calls = await missing_calls(report, self._settings, store, run=self._run)
        if not calls:
            return None
        if self._combining:
            together = await self._combining.calls(target, tier=self._settings.tier)
            calls = calls if together is None else together
        return sum(call.estimate.usd for call in calls)

    async def _wanted(self, target: Target) -> list[Wanted]:
        """Of the video; what is asked of text alone needs other answers first, and costs little."""
        try:
            report = await self._report(target)
        except ReelmakeError:
            return []
        calls = await missing_calls(report, self._settings, self._results.store, run=self._run)
        return [
            Wanted(call.request.key, call.request, report.source, call.estimate, *target.key)
            for call in calls
            if call.request.clip
        ]

    async def _report(self, target: Target, turn: Turn | None = None) -> Report:
        facts = await self._run(video_facts, target, self._results.checksums)
        template = load_template(target.template)
        return Report(target, template, facts, settings=self._settings, turn=turn)
