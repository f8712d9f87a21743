"""Answers made from what was asked: the same video, prompt and offsets give the same bytes.

The generator knows nothing of reelmake's templates. It follows any response schema, and gives
meaning to a few property names: a string whose last word is time, start, end or timestamp becomes
a timestamp inside the analysed range; an array named transcript gets an item about every 10 s.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import prose
from .generation import Question

TITLE_WORDS = frozenset({"title", "name", "heading", "topic", "term", "label", "tag", "keyword"})
SECONDS_PER_TRANSCRIPT_ITEM = 10
ITEMS = 3
MAX_DEPTH = 12
TIME_WORDS = frozenset({"time", "start", "end", "timestamp", "starttime", "endtime"})


@dataclass(frozen=True)
class Style:
    """How an answer is written; the departures from the default are what faults ask for."""

    relative: bool = False
    """Times count from the start of the clip, not of the video."""
    overshoot: float = 0.0
    """Seconds by which the times run past the end."""
    bad_timestamps: bool = False
    half_transcript: bool = False
    wrong_language: bool = False
    repeated_text: bool = False


Slot = tuple[int, int]
"""Whole seconds that a value is about: times in it lie within, inclusive."""


def is_chinese(prompt: str) -> bool:
    return bool(re.search(r"\bzh\b|zh[-_]|chinese|中文|简体", prompt, re.IGNORECASE))


def answer(question: Question, style: Style) -> Any:
    """The value that fits the question's schema; a plain text without one."""
    writer = _Writer(question, style)
    schema = question.schema
    if schema is None:
        text = writer.text("text")
        return {"text": text} if question.wants_json else text
    return writer.value(schema, "", writer.whole, 0)


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def clock(second: float) -> str:
    minutes, rest = divmod(int(second), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def last_moment(prompt: str) -> float:
    """Without a video its length is only in the text: the latest clock that is named there."""
    clocks = re.findall(r"\b(?:(\d+):)?(\d{2}):(\d{2})\b", prompt)
    seconds = [int(h or 0) * 3600 + int(m) * 60 + int(s) for h, m, s in clocks]
    return float(max(seconds, default=60)) or 60.0


class _Writer:
    def __init__(self, question: Question, style: Style) -> None:
        clip = question.clip
        identity = clip.video.identity if clip else "no video"
        start, end = (clip.start, clip.end) if clip else (0.0, last_moment(question.prompt))
        seed = hashlib.sha256(f"{identity}\n{question.prompt}\n{start}\n{end}".encode()).hexdigest()
        if style.relative:
            start, end = 0.0, end - start
        self.whole: Slot = _whole_seconds(start, end + style.overshoot)
        self.random = random.Random(seed)  # noqa: S311 - reproducible on purpose
        self.token = identity[:8] if clip and "/" not in identity else seed[:8]
        self.style = style
        self.chinese = is_chinese(question.prompt) != style.wrong_language
        self.definitions: dict[str, Any] = {}
        self.written = 0
        schema = question.schema or {}
        self.definitions = schema.get("$defs") or schema.get("definitions") or {}

    def value(self, schema: Mapping[str, Any], name: str, slot: Slot, depth: int) -> Any:
        if "$ref" in schema:
            schema = self.definitions.get(str(schema["$ref"]).rsplit("/", 1)[-1], {})
        branches = schema.get("anyOf") or schema.get("oneOf") or ()
        for branch in branches:
            if _kind(branch) != "NULL":
                return self.value(branch, name, slot, depth + 1)
        if depth > MAX_DEPTH:  # a schema that refers to itself
            return None
        if "const" in schema or schema.get("enum"):
            first = schema["const"] if "const" in schema else schema["enum"][0]
            return int(first) if _kind(schema) == "INTEGER" else first
        return self._by_kind(schema, name, slot, depth)

    def _by_kind(self, schema: Mapping[str, Any], name: str, slot: Slot, depth: int) -> Any:
        value: Any = None
        match _kind(schema):
            case "OBJECT":
                value = self._object(schema, slot, depth)
            case "ARRAY":
                value = self._array(schema, name, slot, depth)
            case "STRING":
                value = self._string(schema, name, slot)
            case "INTEGER" | "NUMBER" as kind:
                value = self._number(schema, name, slot, kind)
            case "BOOLEAN":
                value = self.random.random() < 0.5
        return value

    def _object(self, schema: Mapping[str, Any], slot: Slot, depth: int) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        order = [*(schema.get("propertyOrdering") or ()), *properties]
        return {
            name: self.value(properties[name], name, slot, depth + 1)
            for name in dict.fromkeys(order)
        }

    def _array(self, schema: Mapping[str, Any], name: str, slot: Slot, depth: int) -> list[Any]:
        start, end = slot
        items: Mapping[str, Any] = schema.get("items") or {"type": "STRING"}
        if name.lower() == "transcript":
            if self.style.half_transcript:
                end = start + (end - start) // 2
            count = max(1, round((end - start) / SECONDS_PER_TRANSCRIPT_ITEM))
        else:
            count = min(ITEMS, max(1, end - start))
        most = schema.get("maxItems")
        count = max(count if most is None else min(count, most), schema.get("minItems") or 0)
        edges = [start + (end - start) * index // max(1, count) for index in range(count + 1)]
        singular = name.removesuffix("s")
        return [
            self.value(items, singular, (edges[index], edges[index + 1]), depth + 1)
            for index in range(count)
        ]

    def _string(self, schema: Mapping[str, Any], name: str, slot: Slot) -> str:
        words = _words(name)
        if words and words[-1] in TIME_WORDS:
            second = slot[1] if words[-1].startswith("end") or "end" in words[:-1] else slot[0]
            return f"{second}.0 sec" if self.style.bad_timestamps else clock(second)
        if schema.get("format") == "date-time":
            return "2026-01-01T00:00:00Z"
        text = self.text(name)
        while len(text) < (schema.get("minLength") or 0):
            text += " " + self.text(name)
        most = schema.get("maxLength")
        return text if most is None else text[:most]

    def _number(self, schema: Mapping[str, Any], name: str, slot: Slot, kind: str) -> int | float:
        low, high = schema.get("minimum"), schema.get("maximum")
        words = _words(name)
        if words and words[-1] in TIME_WORDS:
            number = float(slot[1] if words[-1].startswith("end") else slot[0])
        else:
            number = (low or 0) + 1.0 if high is None else ((low or 0) + high) / 2
        if low is not None:
            number = max(number, math.ceil(low) if kind == "INTEGER" else low)
        if high is not None:
            number = min(number, high)
        return int(number) if kind == "INTEGER" else number

    def text(self, name: str) -> str:
        """A sentence, or a name or title where the property asks for one; never the same twice."""
        words = _words(name)
        last = words[-1] if words else ""
        if last in ("language", "lang"):
            return "zh-CN" if self.chinese else "en"
        if last == "speaker":
            return "讲者甲" if self.chinese else "Speaker A"
        number = 1 if self.style.repeated_text else self.written + 1
        self.written += 1
        mark = f"{self.token}-{number}"
        chooser = self.random
        if self.style.repeated_text:
            chooser = random.Random(mark)  # noqa: S311 - the same words each time
        if last in TITLE_WORDS:
            return prose.title(chooser, mark, chinese=self.chinese)
        return prose.sentence(chooser, mark, chinese=self.chinese)


def _whole_seconds(start: float, end: float) -> Slot:
    """The whole seconds within a range; its first one when the range holds none."""
    low, high = math.ceil(start), math.floor(end)
    return (low, high) if low <= high else (int(start), int(start))


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if not kind and "properties" in schema:
        return "OBJECT"
    return str(kind).upper()


def _words(name: str) -> list[str]:
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower().replace("-", "_").split("_")
