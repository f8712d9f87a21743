"""Whether an answer can be trusted: complete, in the shape asked for, within the video.

What is safe to repair is repaired and noticed; what is not is an `InvalidAnswer`.
"""

import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jsonschema

from reelmake.analysis import Notice
from reelmake.errors import ReelmakeError
from reelmake.gemini.languages import seems_written_in
from reelmake.timestamps import format_clock, parse_clock

TIME_KEYS = ("time", "start", "end")

# A moment this far outside is a rounding of the model's; further out it is an invention.
_CLAMP_S = 2.0
# Prompts ask for a passage such as [music] where nobody speaks, so longer gaps are omissions,
# unless the recording is silent there.
_LONGEST_GAP_S = 30.0
_LONGEST_GAP_SHARE = 0.1
_REPEATS = 4
_LOOP_LENGTH = 2000
_LOOP_COMPRESSION = 12.0

_BLOCKING_FINISHES = frozenset(
    ["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"]
)


class InvalidAnswer(ReelmakeError):  # noqa: N818  an answer is what it is
    """An answer that was paid for and can't be taken: kept as evidence, never as a result."""

    @property
    def smaller_segments_may_help(self) -> bool:
        return self.code in {
            "answer_truncated",
            "answer_not_json",
            "answer_repeats_itself",
            "transcript_incomplete",
        }


def _never(start_s: float, end_s: float) -> bool:  # noqa: ARG001
    return False


@dataclass(frozen=True, slots=True)
class Window:
    """What was asked about: seconds of the video (``end_s`` None: unknown), and the language.

    ``is_silent`` listens to the recording between two moments.
    """

    language: str
    start_s: float = 0.0
    end_s: float | None = None
    is_silent: Callable[[float, float], bool] = _never


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer that holds: all its times are seconds from the beginning of the video."""

    content: dict[str, Any]
    notices: list[Notice] = field(default_factory=list)


def check_answer(
    answer: Mapping[str, Any], schema: Mapping[str, Any], window: Window, *, with_video: bool
) -> Checked:
    """Parse and check a response of the service.

    Raises InvalidAnswer.
    """
    notices: list[Notice] = []
    text = _finished_text(answer)
    if with_video:
        _require_video_tokens(answer)
    content = _parse(text, notices)
    content = _pruned(content, schema)
    _require_no_loops(content)
    _require_shape(content, schema)
    _read_times(content, window, notices)
    if "transcript" in content:
        _require_coverage(content["transcript"], window)
    _require_language(content, window.language)
    return Checked(content, notices)


def parsed_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The object that a response carries, whatever is in it. Raises InvalidAnswer."""
    return _parse(_finished_text(answer), [])


def _finished_text(answer: Mapping[str, Any]) -> str:
    reason = answer.get("prompt_feedback", {}).get("block_reason")
    if reason:
        raise InvalidAnswer("answer_blocked", f"the service blocked the request: {reason}")
    candidates = answer.get("candidates") or []
    if not candidates:
        raise InvalidAnswer("answer_empty", "the service answered without a candidate")
    finish = candidates[0].get("finish_reason")
    if finish in _BLOCKING_FINISHES:
        raise InvalidAnswer("answer_blocked", f"the service stopped the answer: {finish}")
    if finish == "MAX_TOKENS":
        raise InvalidAnswer("answer_truncated", "the answer was cut off at the token limit")
    if finish != "STOP":
        raise InvalidAnswer("answer_unfinished", f"the answer ended with {finish}, not STOP")
    parts = candidates[0].get("content", {}).get("parts") or []
    text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    if not text.strip():
        raise InvalidAnswer("answer_empty", "the service answered with no text")
    return text


def _require_video_tokens(answer: Mapping[str, Any]) -> None:
    details = answer.get("usage_metadata", {}).get("prompt_tokens_details")
    seen = [detail for detail in details or () if detail.get("modality") == "VIDEO"]
    if details and not any(detail.get("token_count") for detail in seen):
        raise InvalidAnswer("video_not_seen", "the model was given no frame of the video")


def _parse(text: str, notices: list[Notice]) -> dict[str, Any]:
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", text, re.DOTALL)
    if fenced:
        notices.append(Notice(code="fences_removed", message="The answer came in a code fence."))
    try:
        content = json.loads(fenced[1] if fenced else text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswer("answer_not_json", f"the answer is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise InvalidAnswer("answer_wrong_shape", "the answer is JSON, but not an object")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _pruned(value: Any, schema: Mapping[str, Any]) -> Any:
    """Leave out what was not asked for, and half characters, so that what is left is safe."""
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return {key: _pruned(value[key], known[key]) for key in known if key in value}
    if isinstance(value, list):
        return [_pruned(item, schema.get("items", {})) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return value


def _require_shape(content: dict[str, Any], schema: Mapping[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(_json_schema(schema))
    problems = [
        f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(content)
    ]
    problems += [
        f"$.{key}: it is empty"
        for key in ("title", "overview")
        if key in content and not str(content[key]).strip()
    ]
    if problems:
        raise InvalidAnswer("answer_wrong_shape", "; ".join(problems[:5]))


def _json_schema(schema: Any) -> Any:
    """Gemini's schemas are JSON schemas, but for ``nullable`` and types in capitals."""
    if isinstance(schema, list):
        return [_json_schema(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    converted = {key: _json_schema(part) for key, part in schema.items() if key != "nullable"}
    if isinstance(converted.get("type"), str):
        kind = converted["type"].lower()
        converted["type"] = [kind, "null"] if schema.get("nullable") is True else kind
    return converted


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for child in value.values():
            yield from _strings(child)
    elif isinstance(value, list):
        for child in value:
            yield from _strings(child)


def _require_no_loops(content: Mapping[str, Any]) -> None:
    said = [str(item.get("text")) for item in _items(content, "transcript")]
    spoken = [text for text in said if not text.startswith(("[", "（", "("))]
    repeats = any(
        len(set(spoken[start : start + _REPEATS])) == 1
        for start in range(len(spoken) - _REPEATS + 1)
    )
    if repeats or any(_is_loop(text) for text in (*_strings(content), "\n".join(spoken))):
        raise InvalidAnswer("answer_repeats_itself", "the answer says the same over and over")


def _is_loop(text: str) -> bool:
    """Prose in any language compresses two- to fivefold, a loop far more."""
    data = text.encode()
    return len(data) > _LOOP_LENGTH and len(data) > _LOOP_COMPRESSION * len(zlib.compress(data))


def _items(content: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = content.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _read_times(content: dict[str, Any], window: Window, notices: list[Notice]) -> None:
    """Turn clocks into seconds, in place: absolute, within the window, in order."""
    records = list(_timed_records(content))
    for record in records:
        for key in record.keys() & set(TIME_KEYS):
            record[key] = _parse_time(record[key])
    times = [record[key] for record in records for key in record.keys() & set(TIME_KEYS)]
    if _counts_from_the_clip(times, window):
        _change_times(records, lambda time_s: time_s + window.start_s)
    _require_within(records, window, notices)
    _put_in_order(content, records, notices)


def _timed_records(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if any(isinstance(value.get(key), str) for key in TIME_KEYS):
            yield value
        for child in value.values():
            yield from _timed_records(child)
    elif isinstance(value, list):
        for child in value:
            yield from _timed_records(child)


def _parse_time(text: Any) -> float:
    try:
        return parse_clock(str(text))
    except (ValueError, OverflowError) as error:
        raise InvalidAnswer("times_invalid", f"a time can't be read: {error}") from None


def _counts_from_the_clip(times: Sequence[float], window: Window) -> bool:
    """Which base the model used for a segment: the one that more of its times fit."""
    if not times or window.start_s <= 0 or window.end_s is None:
        return False
    length_s = window.end_s - window.start_s
    as_absolute = sum(
        window.start_s - _CLAMP_S <= time_s <= window.end_s + _CLAMP_S for time_s in times
    )
    as_relative = sum(time_s <= length_s + _CLAMP_S for time_s in times)
    return as_relative > as_absolute


def _change_times(records: Sequence[dict[str, Any]], change: Callable[[float], float]) -> None:
    for record in records:
        for key in record.keys() & set(TIME_KEYS):
            record[key] = change(record[key])


def _require_within(
    records: Sequence[dict[str, Any]], window: Window, notices: list[Notice]
) -> None:
    if window.end_s is None:
        return
    first_s, last_s = window.start_s, window.end_s
    outside = 0
    for record in records:
        for key in record.keys() & set(TIME_KEYS):
            clamped = min(max(record[key], first_s), last_s)
            if abs(record[key] - clamped) > _CLAMP_S:
                raise InvalidAnswer(
                    "times_invalid",
                    f"{format_clock(record[key])} is not within {format_clock(first_s)} "
                    f"to {format_clock(last_s)}",
                )
            outside += record[key] != clamped and int(record[key]) != int(clamped)
            record[key] = clamped
    if outside:
        message = f"{outside} times were just outside the video and were moved to its edge."
        notices.append(Notice(code="times_clamped", message=message))


def _put_in_order(
    content: Mapping[str, Any], records: Sequence[dict[str, Any]], notices: list[Notice]
) -> None:
    moved = 0
    for record in records:
        if "start" in record and "end" in record and record["end"] < record["start"]:
            record["end"] = record["start"]
            moved += 1
    for items in _lists(content):
        if all(isinstance(item, dict) and _time_of(item) is not None for item in items):
            ordered = sorted(items, key=lambda item: _time_of(item) or 0.0)
            moved += ordered != items
            items[:] = ordered
    if moved:
        message = "Times that were not in order were put in order."
        notices.append(Notice(code="times_reordered", message=message))


def _lists(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list):
        yield value
    for child in value.values() if isinstance(value, Mapping) else value:
        if isinstance(child, (Mapping, list)):
            yield from _lists(child)


def _time_of(item: Mapping[str, Any]) -> float | None:
    value = item.get("start", item.get("time"))
    return value if isinstance(value, float) else None


def _require_coverage(transcript: Sequence[Mapping[str, Any]], window: Window) -> None:
    if window.end_s is None:
        return
    longest_s = max(_LONGEST_GAP_S, _LONGEST_GAP_SHARE * (window.end_s - window.start_s))
    heard_until_s = window.start_s
    for start_s, end_s in [
        *((passage["start"], passage["end"]) for passage in transcript),
        (window.end_s, window.end_s),
    ]:
        if start_s - heard_until_s > longest_s and not window.is_silent(heard_until_s, start_s):
            raise InvalidAnswer(
                "transcript_incomplete",
                f"nothing is transcribed from {format_clock(heard_until_s)} "
                f"to {format_clock(start_s)}",
            )
        heard_until_s = max(heard_until_s, end_s)


def _require_language(content: Mapping[str, Any], language: str) -> None:
    text = " ".join(_strings(content))
    if not seems_written_in(text, language):
        raise InvalidAnswer("wrong_language", f"the answer is not written in {language}")
