"""The plan: every report of the table, why it is to be made, and what that needs."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from reelmake.analysis import Analysis, read_analysis
from reelmake.config import Config
from reelmake.errors import Kind, ReelmakeError
from reelmake.exports.formats import ending, formats_of
from reelmake.facts import video_facts
from reelmake.gemini.budget import Estimate
from reelmake.jobs import Failure, read_failure
from reelmake.planning.local_engine import LocalEngine
from reelmake.planning.reasons import Engine, Planned, Reason
from reelmake.results import Results
from reelmake.targets import Target
from reelmake.templates import load_template
from reelmake.translation import translatable

_AT_ONCE = 16
_NOT_AGAIN = translatable("answer_blocked; not asked again without `retry_blocked`")


class Planner:
    """Looks at the results of a configuration.

    ``laid_out_otherwise`` are the keys of reports whose template or row is another one now.
    """

    def __init__(
        self,
        config: Config,
        targets: Iterable[Target],
        *,
        laid_out_otherwise: Collection[tuple[str, str]],
    ) -> None:
        self._config = config
        self._results = Results(Path(config.results))
        self._targets = list(targets)
        self._laid_out_otherwise = laid_out_otherwise
        self._analyses = {
            target.key: known_analysis(self._results, target) for target in self._targets
        }
        self._engine = engine_of(
            config, [(target, self._analyses[target.key]) for target in self._targets]
        )

    @property
    def learned_seconds(self) -> float | None:
        """How long a call took in the reports that are there; None: nobody knows."""
        return self._engine.learned_seconds

    def plan(self) -> list[Planned]:
        """All reports, in the order of the table. Reads videos that were never read before."""
        return asyncio.run(self._plan())

    async def _plan(self) -> list[Planned]:
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def one(target: Target) -> Planned:
            async with at_once:
                return await self._planned(target)

        return list(await asyncio.gather(*map(one, self._targets)))

    async def _planned(self, target: Target) -> Planned:
        analysis = self._analyses[target.key]
        failure = read_failure(self._results.failure(*target.key))
        there = self._results.report(*target.key).exists()

        def planned(reason: Reason, detail: str = "", calls: Sequence[Estimate] = ()) -> Planned:
            return Planned(target, reason, detail, calls, analysis, failure, there)

        if target.source and not Path(target.video).exists():
            return planned(Reason.NEW, translatable("what it needs is known once it was fetched"))
        try:
            facts = await asyncio.to_thread(video_facts, target, self._results.checksums)
        except ReelmakeError as error:
            return planned(Reason.UNUSABLE, error.message)
        needs = await self._engine.needs(target, facts, analysis)
        if failure:
            return planned(Reason.FAILED, self._of_failure(failure), needs.calls)
        if needs.change != Reason.NONE:
            return planned(needs.change, needs.detail, needs.calls)
        if self._lacks_files(target) or target.key in self._laid_out_otherwise:
            return planned(Reason.LAYOUT)
        return planned(Reason.NONE)

    def _of_failure(self, failure: Failure) -> str:
        if failure.kind == Kind.BLOCKED and not self._config.gemini.retry_blocked:
            return _NOT_AGAIN
        return failure.code

    def _lacks_files(self, target: Target) -> bool:
        report = self._results.report(*target.key)
        formats = formats_of(load_template(target.template), self._config.formats)
        files = [report.with_name(f"{target.name}{ending(one)}") for one in formats]
        if self._config.frames:
            files.append(self._results.pictures(*target.key))
        return not all(file.exists() for file in files)


def known_analysis(results: Results, target: Target) -> Analysis | None:
    """The analysis of a target, if there is one that can be read."""
    try:
        return read_analysis(results.analysis(*target.key))
    except (FileNotFoundError, ValueError):
        return None


def engine_of(config: Config, known: Sequence[tuple[Target, Analysis | None]]) -> Engine:
    """The engine of a configuration, which may learn from the analyses that are there."""
    if config.engine == "local":
        return LocalEngine(config.local)
    # The SDK, which runs without Gemini do without.
    from reelmake.planning.gemini_engine import GeminiEngine  # noqa: PLC0415

    return GeminiEngine(config.gemini, Results(Path(config.results)), known)
