"""From a video and a template to its analysis: what is asked, in which pieces, and put together."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from reelmake import analysis as record
from reelmake.config import GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.asking import Asker
from reelmake.gemini.assembling import analysis_of
from reelmake.gemini.calling import Bill, Source
from reelmake.gemini.checked import Checked, InvalidAnswer, Window
from reelmake.gemini.places import Turn
from reelmake.gemini.request import Clip, Request
from reelmake.gemini.segments import LOCATED_PARTS, Span, cut, merge
from reelmake.gemini.times import TIME_KEYS
from reelmake.gemini.validation import check_answer
from reelmake.notices import notice
from reelmake.targets import Target
from reelmake.templates import Segment, Template
from reelmake.timestamps import format_clock

log = logging.getLogger(__name__)

# Shorter pieces would not be worth another try.
_LEAST_SPLIT_S = 20.0
# What the segments have settled; all else is asked again for the whole.
_MERGED_PARTS = ("chapters", "transcript", "terms")
# What the overview is made from, whether the report shows it or not.
_FOR_THE_OVERVIEW = ("chapters", "key_points")


class Report:
    """What is asked for one report."""

    def __init__(
        self,
        target: Target,
        template: Template,
        facts: record.VideoFacts,
        *,
        settings: GeminiSettings,
        turn: Turn | None = None,
    ) -> None:
        self._target = target
        self._template = template
        self._settings = settings
        self._language = target.language or template.language
        self._schema = template.answer_schema()
        self._bill = Bill(turn or Turn(target.priority))
        self._facts = facts
        self.source = _source(facts)

    @property
    def template(self) -> str:
        return self._template.name

    @property
    def in_one_call(self) -> Request | None:
        """What is asked when one call is enough; None for a long video."""
        return None if self._spans() else self._request(self._schema)

    async def analyse(self, asker: Asker) -> record.Analysis:
        """Ask in one call, or in segments when the video is long or one call was not enough."""
        began = time.monotonic()
        spans = self._spans()
        if spans:
            checked = await self._in_segments(asker, spans, may_halve=True)
        else:
            checked = await self._at_once(asker)
        return analysis_of(
            self._target,
            self._template,
            self._facts,
            checked,
            self._bill,
            model=self._settings.model,
            seconds=time.monotonic() - began,
        )

    @property
    def first_requests(self) -> list[Request]:
        """What is asked before anything is known: one call, or one for each segment."""
        spans = self._spans()
        if not spans:
            return [self._request(self._schema)]
        schema = self._segment_schema()
        return [self._request(schema, segment) for segment in _segments(spans)]

    @property
    def overview_to_expect(self) -> Request | None:
        """For a long video, what is asked in the end; its notes are only as long as expected."""
        if not self._spans():
            return None
        estimates = (self.source.estimate(it, tier="standard") for it in self.first_requests)
        notes = "note " * round(sum(estimate.output_tokens for estimate in estimates))
        return self._overview_request(notes)

    def _spans(self) -> list[Span]:
        """The segments that a long video is asked about in."""
        start_s, end_s = self._facts.start_s or 0.0, self._facts.end_s
        segment_s = self._settings.segment_minutes * 60
        if end_s is None or end_s - start_s <= segment_s:
            return []
        overlap_s = self._settings.segment_overlap_s
        return cut(start_s, end_s, segment_s=segment_s, overlap_s=overlap_s)

    async def _at_once(self, asker: Asker) -> Checked:
        request = self._request(self._schema)
        window = self._window(self._facts.start_s or 0.0, self._facts.end_s)
        try:
            return await self._ask(asker, request, window, may_halve=True)
        except InvalidAnswer as error:
            halves, notice = self._halves(window, error)
            checked = await self._in_segments(asker, halves, may_halve=False)
            return replace(checked, notices=[notice, *checked.notices])

    async def _in_segments(
        self, asker: Asker, spans: Sequence[Span], *, may_halve: bool
    ) -> Checked:
        """Ask for each segment, merge, and then ask for what belongs to the whole."""
        located = await self._located(asker, spans, may_halve=may_halve)
        whole = await self._overview(asker, located.content)
        content = {part: located.content[part] for part in self._used(LOCATED_PARTS)}
        return Checked(content | whole.content, [*located.notices, *whole.notices])

    async def _located(self, asker: Asker, spans: Sequence[Span], *, may_halve: bool) -> Checked:
        segments = _segments(spans)
        # All of them are waited for: what one answers is paid for, whatever happens to another.
        outcomes = await asyncio.gather(
            *(self._segment(asker, segment, may_halve=may_halve) for segment in segments),
            return_exceptions=True,
        )
        pieces = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            pieces.append(outcome)
        notices = [notice for piece in pieces for notice in piece.notices]
        return Checked(merge([piece.content for piece in pieces], spans), notices)

    async def _segment(self, asker: Asker, segment: Segment, *, may_halve: bool) -> Checked:
        request = self._request(self._segment_schema(), segment)
        window = self._window(segment.start_s, segment.end_s)
        try:
            return await self._ask(asker, request, window, may_halve=may_halve)
        except InvalidAnswer as error:
            if not may_halve:
                raise
            halves, notice = self._halves(window, error)
            checked = await self._located(asker, halves, may_halve=False)
            return replace(checked, notices=[notice, *checked.notices])

    async def _overview(self, asker: Asker, located: dict[str, Any]) -> Checked:
        """Ask for title, overview and the template's own fields, from the segments' text alone."""
        request = self._overview_request(_notes(located))
        window = self._window(self._facts.start_s or 0.0, self._facts.end_s)
        return await self._ask(asker, request, window, may_halve=False)

    def _overview_request(self, notes: str) -> Request:
        parts = [part for part in self._schema["properties"] if part not in _MERGED_PARTS]
        prompt = self._template.render_overview_prompt(
            language=self._language,
            duration_s=self._facts.duration_s,
            parameters=self._target.parameters,
            notes=notes,
        )
        return replace(self._request(_only(self._schema, parts)), clip=None, prompt=prompt)

    async def _ask(
        self, asker: Asker, request: Request, window: Window, *, may_halve: bool
    ) -> Checked:
        before = asker.refused_before(request)
        if before is not None and may_halve and _can_be_halved(window):
            error = InvalidAnswer(before.code, before.message)
            # Known to be too much for one answer: it is not paid for again to hear the same.
            if error.smaller_segments_may_help:
                raise error
        check = partial(
            check_answer,
            schema=request.schema,
            window=window,
            with_video=request.clip is not None,
        )
        return await asker.ask(request, self.source, check, self._bill)

    def _halves(self, window: Window, error: InvalidAnswer) -> tuple[list[Span], record.Notice]:
        """Cut a window in two. Raises the error again when that would not help."""
        if not (error.smaller_segments_may_help and _can_be_halved(window)):
            raise error
        length_s = (window.end_s or 0.0) - window.start_s
        # No warning: a plan, which asks nobody, comes by here too.
        log.info("%s: asking for two halves instead", error.message)
        overlap_s = min(self._settings.segment_overlap_s, length_s / 8)
        end_s = window.start_s + length_s
        spans = cut(window.start_s, end_s, segment_s=length_s / 2, overlap_s=overlap_s)
        start, end = format_clock(window.start_s), format_clock(end_s)
        return spans, notice("asked_in_halves", start=start, end=end, why=error.message)

    def _window(self, start_s: float, end_s: float | None) -> Window:
        if self.source.path is None:
            return Window(self._language, start_s, end_s)
        return Window(self._language, start_s, end_s, partial(_is_silent, self.source.path))

    def _request(self, schema: dict[str, Any], segment: Segment | None = None) -> Request:
        return Request(
            model=self._settings.model,
            prompt=self._template.render_prompt(
                language=self._language,
                duration_s=self._facts.duration_s,
                parameters=self._target.parameters,
                segment=segment or self._stretch,
            ),
            schema=schema,
            clip=Clip(
                identity=self.source.identity,
                fps=self._settings.fps,
                media_resolution=self._settings.media_resolution,
                start_s=segment.start_s if segment else self._target.start_s,
                end_s=segment.end_s if segment else self._target.end_s,
            ),
            generation=self._template.generation,
        )

    @property
    def _stretch(self) -> Segment | None:
        """What ``start`` and ``end`` leave of the video: the model can't see that it is a part."""
        if self._target.start_s is None and self._target.end_s is None:
            return None
        return Segment(1, 1, self._target.start_s or 0.0, self._facts.end_s)

    def _segment_schema(self) -> dict[str, Any]:
        return self._template.answer_schema([*self._used(LOCATED_PARTS), *_FOR_THE_OVERVIEW])

    def _used(self, parts: Sequence[str]) -> list[str]:
        return [part for part in parts if part in self._schema["properties"]]


def _is_silent(path: Path, start_s: float, end_s: float) -> bool:
    from reelmake.media import is_silent  # noqa: PLC0415  FFmpeg is loaded only by the workers

    try:
        return is_silent(path, start_s, end_s)
    except ReelmakeError:  # sound that can't be decoded is not known to be silent
        return False


def _can_be_halved(window: Window) -> bool:
    return window.end_s is not None and window.end_s - window.start_s >= _LEAST_SPLIT_S


def _segments(spans: Sequence[Span]) -> list[Segment]:
    return [
        Segment(index=number, count=len(spans), start_s=start_s, end_s=end_s)
        for number, (start_s, end_s) in enumerate(spans, start=1)
    ]


def _source(facts: record.VideoFacts) -> Source:
    if facts.sha256 is None:
        return Source(identity=facts.source, url=facts.source)
    return Source(
        f"sha256:{facts.sha256}",
        path=Path(facts.source),
        sha256=facts.sha256,
        duration_s=facts.duration_s,
        has_sound=facts.audio_codec is not None,
    )


def _only(schema: dict[str, Any], parts: Sequence[str]) -> dict[str, Any]:
    properties = {key: part for key, part in schema["properties"].items() if key in parts}
    required = [key for key in schema["required"] if key in properties]
    return {**schema, "properties": properties, "required": required}


def _notes(located: dict[str, Any]) -> str:
    """What was found in the segments, as text for the model."""
    lines = []
    for part in LOCATED_PARTS:
        for item in located.get(part, ()):
            moment = item.get("start", item.get("time"))
            clock = f"[{format_clock(moment)}] " if moment is not None else ""
            words = [str(item[key]) for key in item if key not in TIME_KEYS and item[key]]
            lines.append(f"{part}: {clock}{' | '.join(words)}")
    return "\n".join(lines)
