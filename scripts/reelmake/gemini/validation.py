"""Whether an answer can be trusted: complete, in the shape asked for, within the video.

What is safe to repair is repaired and noticed; what is not is an `InvalidAnswer`.
"""

import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema

from reelmake.analysis import Notice
from reelmake.gemini.checked import Checked, InvalidAnswer, Window
from reelmake.gemini.languages import seems_written_in
from reelmake.gemini.times import read_times, require_coverage
from reelmake.notices import notice

_REPEATS = 4
_LOOP_LENGTH = 2000
_LOOP_COMPRESSION = 12.0

# An object, whatever words or code fence stand around it.
_AROUND = r"[^{}\[\]`]*"
_WRAPPED = re.compile(
    rf"{_AROUND}(?:```(?:json|JSON)?\s*)?(\{{.*\}})\s*(?:```)?{_AROUND}", re.DOTALL
)

_BLOCKING_FINISHES = frozenset(
    {
        *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"),
        *("IMAGE_SAFETY", "IMAGE_RECITATION", "IMAGE_PROHIBITED_CONTENT"),
    }
)


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
    try:
        content = _pruned(_parse(text, notices), schema)
    except RecursionError:
        problem = "the answer is nested without end"
        raise InvalidAnswer("answer_wrong_shape", problem) from None
    _require_no_loops(content)
    _require_shape(content, schema)
    read_times(content, window, notices)
    if "transcript" in content:
        require_coverage(content["transcript"], window)
    _require_language(content, window.language)
    return Checked(content, notices)


def parsed_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The object that a response carries, whatever is in it. Raises InvalidAnswer."""
    return _parse(_finished_text(answer), [])


def _finished_text(answer: Mapping[str, Any]) -> str:
    reason = answer.get("prompt_feedback", {}).get("block_reason")
    if reason and reason != "BLOCK_REASON_UNSPECIFIED":
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
        ended = finish or "no reason"
        raise InvalidAnswer("answer_unfinished", f"the answer ended with {ended}, not STOP")
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
    text = text.removeprefix("\ufeff").strip()
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped and wrapped[1] != text:
        text = wrapped[1]
        notices.append(notice("fences_removed"))
    try:
        content = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except (ValueError, RecursionError) as error:
        raise InvalidAnswer("answer_not_json", f"the answer is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise InvalidAnswer("answer_wrong_shape", "the answer is JSON, but not an object")
    return content


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


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


def _require_language(content: Mapping[str, Any], language: str) -> None:
    text = " ".join(_strings(content))
    if not seems_written_in(text, language):
        raise InvalidAnswer("wrong_language", f"the answer is not written in {language}")
