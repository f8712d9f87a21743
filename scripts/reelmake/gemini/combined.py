"""Several templates on one video in one call, so that the video's tokens are paid for once.

What comes back is taken apart, and each part is put into the store as the answer to the request of
its own template. From there on everything is as if that had been asked alone.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reelmake.errors import ReelmakeError
from reelmake.gemini.asking import Asker
from reelmake.gemini.calling import Bill, Source
from reelmake.gemini.checked import Checked, InvalidAnswer
from reelmake.gemini.engine import Report
from reelmake.gemini.estimates import fits_one_answer
from reelmake.gemini.missing import Call
from reelmake.gemini.places import Turn
from reelmake.gemini.request import Request
from reelmake.gemini.validation import parsed_answer
from reelmake.store import Store
from reelmake.targets import Target
from reelmake.templates import PROJECT, prompt_environment

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Whole:
    """One call for several templates; ``parts`` are their own requests, by template."""

    request: Request
    parts: Mapping[str, Request]
    source: Source


def whole_of(reports: Sequence[Report], store: Store) -> Whole | None:
    """What is to be asked together for reports of one clip; None when each is to be asked alone."""
    asked = [(report.template, _in_one_call(report)) for report in reports]
    requests = [(name, request) for name, request in asked if request]
    missing = [(name, request) for name, request in requests if not store.get(request.key)]
    if not missing:
        return None
    source = reports[0].source
    bought = _whole(requests, source)
    if bought and store.get(bought.request.key):  # a crash left it whole, or half taken apart
        return bought
    unrefused = [(name, request) for name, request in missing if not _is_refused(request, store)]
    whole = _whole(unrefused, source)
    if (
        whole is None
        or _is_refused(whole.request, store)
        or not fits_one_answer(whole.parts.values(), source.duration_s)
    ):
        return None
    return whole


def _whole(requests: Sequence[tuple[str, Request]], source: Source) -> Whole | None:
    """One for the first of each template, as far as they can be asked in one call."""
    parts: dict[str, Request] = {}
    for name, request in requests:
        if _alike([*parts.values(), request]):
            parts.setdefault(name, request)
    return Whole(_combined(parts), parts, source) if len(parts) > 1 else None


def calls_together(
    report: Report, reports: Sequence[Report], store: Store, *, tier: str
) -> list[Call] | None:
    """What is to be bought for one of the reports of a clip, when they are asked for together.

    The first has the call, the others none; None: it is asked for alone.
    """
    whole = whole_of(reports, store)
    if whole is None or whole.parts.get(report.template) != _in_one_call(report):
        return None
    if stored := store.get(whole.request.key):
        return [] if report.template in _parts_in(stored.answer) else None
    if report.template != next(iter(whole.parts)):
        return []
    return [Call(whole.request, whole.source.estimate(whole.request, tier=tier))]


@dataclass
class _Group:
    targets: list[Target] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    done: bool = False


class Combining:
    """Knows which reports of this run are of the same video."""

    def __init__(
        self, asker: Asker, store: Store, *, report_of: Callable[[Target], Awaitable[Report]]
    ) -> None:
        self._asker = asker
        self._store = store
        self._report_of = report_of
        self._groups: dict[tuple[str, float | None, float | None], _Group] = {}

    def expect(self, targets: Sequence[Target]) -> None:
        """Reports that are going to be asked for."""
        for target in targets:
            self._groups.setdefault(clip_of(target), _Group()).targets.append(target)

    async def calls(self, target: Target, *, tier: str) -> list[Call] | None:
        """As `calls_together` has them. Raises ReelmakeError."""
        group = self._groups.get(clip_of(target), _Group())
        if len(group.targets) < 2:
            return None
        reports = [await self._report_of(each) for each in group.targets]
        return calls_together(await self._report_of(target), reports, self._store, tier=tier)

    async def prepare(self, target: Target) -> None:
        """Ask for all reports of this video that the store lacks, if they are several.

        When the answer can't be taken, each of them is left to be asked for alone.
        Raises ReelmakeError.
        """
        group = self._groups.get(clip_of(target))
        if group is None or len(group.targets) < 2:
            return
        async with group.lock:
            if not group.done:
                await self._ask(group.targets)
                group.done = True

    async def _ask(self, targets: Sequence[Target]) -> None:
        reports = [await self._report_of(target) for target in targets]
        whole = whole_of(reports, self._store)
        if whole is None:
            return
        log.info("asking for %s in one call", ", ".join(whole.parts))
        bill = Bill(Turn(max(target.priority for target in targets)))
        try:
            parts = (await self._asker.ask(whole.request, whole.source, _parts, bill)).content
        except InvalidAnswer as error:
            log.warning("asking for each template alone: %s", error.message)
            return
        key = whole.request.key
        stored = bill.answers[key]
        for place, (name, request) in enumerate(whole.parts.items()):
            if name in parts and not self._store.get(request.key):
                answer = _part(stored.answer, parts[name], share=len(whole.parts), place=place)
                summary = {**request.summary(), "tier": stored.request["tier"]}
                self._store.put(request.key, answer, request={**summary, "part_of": key})


def clip_of(target: Target) -> tuple[str, float | None, float | None]:
    """What reports that are asked for together have in common."""
    return target.video, target.start_s, target.end_s


def _in_one_call(report: Report) -> Request | None:
    try:
        return report.in_one_call
    except ReelmakeError:
        return None  # its own job says why, and keeps no other from being asked


def _is_refused(request: Request, store: Store) -> bool:
    return store.get(request.key) is None and store.rejection(request.key) is not None


def _alike(requests: Sequence[Request]) -> bool:
    """Whether they can be asked in one call: same model, video and settings."""
    first = requests[0]
    return all(
        (request.model, request.clip, request.generation)
        == (first.model, first.clip, first.generation)
        for request in requests
    )


def _combined(requests: Mapping[str, Request]) -> Request:
    first = next(iter(requests.values()))
    template = prompt_environment((PROJECT / "templates" / "_prompt",)).get_template(
        "combined.md.j2"
    )
    tasks = {name: requests[name].prompt.strip() for name in sorted(requests)}
    return Request(
        model=first.model,
        prompt=template.render(tasks=tasks).strip() + "\n",
        schema={
            "type": "object",
            "properties": {name: requests[name].schema for name in tasks},
            "required": list(tasks),
        },
        clip=first.clip,
        generation=first.generation,
    )


def _parts(answer: Mapping[str, Any]) -> Checked:
    content = parsed_answer(answer)
    return Checked({name: part for name, part in content.items() if isinstance(part, dict)})


def _parts_in(answer: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return _parts(answer).content
    except InvalidAnswer:
        return {}


def _part(answer: Mapping[str, Any], content: Any, *, share: int, place: int) -> dict[str, Any]:
    """An answer with this content alone, and its share of the tokens."""
    text = json.dumps(content, ensure_ascii=False)
    candidate = {
        **answer["candidates"][0],
        "content": {"role": "model", "parts": [{"text": text}]},
    }
    usage = _shared(answer.get("usage_metadata", {}), share, place)
    return {**answer, "candidates": [candidate], "usage_metadata": usage}


def _shared(value: Any, share: int, place: int) -> Any:
    """Numbers divided so that all shares together are the whole."""
    if isinstance(value, bool) or not isinstance(value, (int, dict, list)):
        return value
    if isinstance(value, int):
        return value // share + (place < value % share)
    if isinstance(value, dict):
        return {key: _shared(item, share, place) for key, item in value.items()}
    return [_shared(item, share, place) for item in value]
