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

from reelmake.gemini.asking import Asker
from reelmake.gemini.calling import Bill
from reelmake.gemini.checked import Checked, InvalidAnswer
from reelmake.gemini.engine import Report
from reelmake.gemini.estimates import fits_one_answer
from reelmake.gemini.places import Turn
from reelmake.gemini.request import Request
from reelmake.gemini.validation import parsed_answer
from reelmake.store import Store
from reelmake.targets import Target
from reelmake.templates import PROJECT, prompt_environment

log = logging.getLogger(__name__)

_Clip = tuple[str, float | None, float | None]


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
        self._groups: dict[_Clip, _Group] = {}

    def expect(self, targets: Sequence[Target]) -> None:
        """Reports that are going to be asked for."""
        for target in targets:
            self._groups.setdefault(_clip(target), _Group()).targets.append(target)

    async def prepare(self, target: Target) -> None:
        """Ask for all reports of this video that the store lacks, if they are several.

        When the answer can't be taken, each of them is left to be asked for alone.
        Raises ReelmakeError.
        """
        group = self._groups.get(_clip(target))
        if group is None or len(group.targets) < 2:
            return
        async with group.lock:
            if not group.done:
                await self._ask(group.targets)
                group.done = True

    async def _ask(self, targets: Sequence[Target]) -> None:
        reports = [await self._report_of(target) for target in targets]
        requests: dict[str, Request] = {}
        for target, report in zip(targets, reports, strict=True):
            request = report.in_one_call
            if request and self._is_missing(request) and _alike([*requests.values(), request]):
                requests.setdefault(target.template, request)
        source = reports[0].source
        whole = _combined(requests) if len(requests) > 1 else None
        if (
            whole is None
            or not fits_one_answer(requests.values(), source.duration_s)
            or self._asker.refused_before(whole)
        ):
            return
        log.info("asking for %s in one call", ", ".join(requests))
        bill = Bill(Turn(max(target.priority for target in targets)))
        try:
            parts = (await self._asker.ask(whole, source, _parts, bill)).content
        except InvalidAnswer as error:
            log.warning("asking for each template alone: %s", error.message)
            return
        stored = bill.answers[whole.key]
        for place, (name, request) in enumerate(requests.items()):
            if isinstance(parts.get(name), dict):
                answer = _part(stored.answer, parts[name], share=len(requests), place=place)
                summary = {**request.summary(), "tier": stored.request["tier"]}
                self._store.put(request.key, answer, request={**summary, "part_of": whole.key})

    def _is_missing(self, request: Request) -> bool:
        key = request.key
        return self._store.get(key) is None and self._store.rejection(key) is None


def _clip(target: Target) -> _Clip:
    return target.video, target.start_s, target.end_s


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
    return Checked(parsed_answer(answer))


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
