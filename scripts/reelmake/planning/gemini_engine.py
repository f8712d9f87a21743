"""What the Gemini engine would do for a report."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from reelmake.analysis import Analysis, VideoFacts
from reelmake.config import GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.budget import Estimate
from reelmake.gemini.combined import calls_together, clip_of
from reelmake.gemini.engine import Report
from reelmake.gemini.missing import Call, missing_calls
from reelmake.gemini.request import Request
from reelmake.planning.reasons import Needs, Reason, changed_settings
from reelmake.results import Results
from reelmake.targets import Target
from reelmake.templates import load_template
from reelmake.translation import translatable

# Fewer reports of a template say little of the next one.
_LEAST_SAMPLES = 2
_WITH_ANOTHER = translatable("asked together with another template")


class GeminiEngine:
    """Learns from the analyses that are there how long answers are, and how long they take."""

    def __init__(
        self,
        settings: GeminiSettings,
        results: Results,
        known: Sequence[tuple[Target, Analysis | None]],
    ) -> None:
        self._settings = settings.model_copy(update={"tier": "standard"})
        self._results = results
        self._clips: dict[object, list[tuple[Target, Analysis | None]]] = defaultdict(list)
        if settings.combine_templates:
            for target, analysis in known:
                self._clips[clip_of(target)].append((target, analysis))
        analyses = [analysis for _, analysis in known if analysis]
        whole = [one for one in analyses if one.engine.name == "gemini" and one.usage.calls == 1]
        of_model = [one for one in whole if one.engine.model == settings.model]
        self._output_factors = _factors(of_model, settings)
        # What the store had, or a batch brought, says nothing of how long a call takes.
        seconds = [one.seconds for one in of_model if one.attempts]
        self.learned_seconds = median(seconds) if len(seconds) >= _LEAST_SAMPLES else None

    async def needs(self, target: Target, facts: VideoFacts, analysis: Analysis | None) -> Needs:
        report = self._report(target, facts)
        first = report.first_requests
        if _answers(analysis, first):
            return Needs(Reason.NONE)
        calls = await missing_calls(
            report, self._settings, self._results.store, run=asyncio.to_thread
        )
        change = self._change(first, facts, analysis)
        if change == Reason.SETTINGS and not calls and analysis and _same(first, analysis):
            return Needs(Reason.NONE)
        together = self._together(target, report, facts) if calls else None
        if together is not None:
            return Needs(change, [call.estimate for call in together], _WITH_ANOTHER)
        return Needs(change, [self._expected(call, report, target.template) for call in calls])

    def _together(self, target: Target, report: Report, facts: VideoFacts) -> list[Call] | None:
        """What is to be bought where reports of a clip are asked for together."""
        clip = self._clips.get(clip_of(target), [])
        reports = [(self._report(each, facts), analysis) for each, analysis in clip]
        needed = [each for each, analysis in reports if not _answers(analysis, each.first_requests)]
        return calls_together(report, needed, self._results.store, tier="standard")

    def _report(self, target: Target, facts: VideoFacts) -> Report:
        template = load_template(target.template)
        return Report(target, template, facts, settings=self._settings)

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
        allowed = {self._settings.model, *self._settings.fallback_models}
        answered = set(analysis.engine.model.split(", "))
        if analysis.engine.name != "gemini" or not answered <= allowed:
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


def _answers(analysis: Analysis | None, first: Sequence[Request]) -> bool:
    return analysis is not None and {each.key for each in first} <= set(analysis.request_digests)


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
