"""What the Gemini engine would do for a report."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from reelmake.analysis import Analysis, VideoFacts
from reelmake.config import GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.budget import Estimate
from reelmake.gemini.engine import Report
from reelmake.gemini.missing import Call, missing_calls
from reelmake.gemini.request import Request
from reelmake.planning.reasons import Needs, Reason, changed_settings
from reelmake.results import Results
from reelmake.targets import Target
from reelmake.templates import load_template

# Fewer reports of a template say little of the next one.
_LEAST_SAMPLES = 2


class GeminiEngine:
    """Learns from the analyses that are there how long answers are, and how long they take."""

    def __init__(
        self, settings: GeminiSettings, results: Results, analyses: Iterable[Analysis]
    ) -> None:
        self._settings = settings.model_copy(update={"tier": "standard"})
        self._results = results
        known = [one for one in analyses if one.engine.name == "gemini" and one.usage.calls == 1]
        of_model = [one for one in known if one.engine.model == settings.model]
        self._output_factors = _factors(of_model, settings)
        # What the store had, or a batch brought, says nothing of how long a call takes.
        seconds = [one.seconds for one in of_model if one.attempts]
        self.learned_seconds = median(seconds) if len(seconds) >= _LEAST_SAMPLES else None

    async def needs(self, target: Target, facts: VideoFacts, analysis: Analysis | None) -> Needs:
        template = load_template(target.template)
        report = Report(target, template, facts, settings=self._settings)
        first = report.first_requests
        if analysis and {request.key for request in first} <= set(analysis.request_digests):
            return Needs(Reason.NONE)
        calls = await missing_calls(
            report, self._settings, self._results.store, run=asyncio.to_thread
        )
        change = self._change(first, facts, analysis)
        if change == Reason.SETTINGS and not calls and analysis and _same(first, analysis):
            return Needs(Reason.NONE)
        return Needs(change, [self._expected(call, report, target.template) for call in calls])

    def _expected(self, call: Call, report: Report, template: str) -> Estimate:
        estimate = report.source.estimate(
            call.request, tier="standard", output_factor=self._output_factors.get(template, 1.0)
        )
        seconds = self.learned_seconds or estimate.seconds
        return replace(estimate, seconds=seconds)

    def _change(
        self, first: Sequence[Request], facts: VideoFacts, analysis: Analysis | None
    ) -> Reason:
        if analysis is None:
            return Reason.NEW
        if (facts.sha256, facts.sha256 or facts.source) != (
            analysis.video.sha256,
            analysis.video.sha256 or analysis.video.source,
        ):
            return Reason.VIDEO
        if analysis.engine.name != "gemini" or analysis.engine.model != self._settings.model:
            return Reason.MODEL
        old = self._old_requests(analysis)
        for request in first:
            new = request.summary()
            for summary in old:
                if summary.get("clip") == new["clip"]:
                    return changed_settings(new, summary)
        return Reason.SETTINGS

    def _old_requests(self, analysis: Analysis) -> list[dict[str, Any]]:
        found = (self._results.store.get(key) for key in analysis.request_digests)
        return [stored.request for stored in found if stored]


def _same(first: Sequence[Request], analysis: Analysis) -> bool:
    """One call that was not enough was answered in halves: nothing of it is another one."""
    return len(analysis.request_digests) > 1 and len(first) == 1


def _factors(analyses: Sequence[Analysis], settings: GeminiSettings) -> dict[str, float]:
    """By template: output tokens billed, by those expected."""
    ratios: dict[str, list[float]] = defaultdict(list)
    for analysis in analyses:
        if analysis.video.duration_s is None:
            continue
        target = Target(name="", video=analysis.video.source, template=analysis.template)
        try:
            template = load_template(analysis.template)
        except ReelmakeError:
            continue  # it is not there any more
        report = Report(target, template, analysis.video, settings=settings)
        request = report.in_one_call
        if request is None:
            continue
        expected = report.source.estimate(request, tier="standard").output_tokens
        used = analysis.usage.output_tokens + analysis.usage.thought_tokens
        ratios[analysis.template].append(used / expected)
    return {name: median(some) for name, some in ratios.items() if len(some) >= _LEAST_SAMPLES}
