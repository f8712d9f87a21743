"""GenerateContentResponse bodies: the honest one, and what each answer fault makes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .answers import Style, answer, as_text
from .faults import Fault
from .generation import Question
from .media import text_tokens

CHARACTERS_PER_TOKEN = 4
_LOOP = " The speaker says it again and again."


@dataclass(frozen=True)
class Usage:
    """Token counts; `input` is by modality."""

    input: Mapping[str, int]
    candidates: int
    thoughts: int

    @property
    def prompt(self) -> int:
        return sum(self.input.values())

    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = {"promptTokenCount": self.prompt}
        if self.candidates:
            message["candidatesTokenCount"] = self.candidates
        if self.thoughts:
            message["thoughtsTokenCount"] = self.thoughts
        message["totalTokenCount"] = self.prompt + self.candidates + self.thoughts
        message["promptTokensDetails"] = token_details(self.input)
        return message


def token_details(tokens: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"modality": name, "tokenCount": count} for name, count in tokens.items()]


def respond(question: Question, fault: Fault | None, style: Style) -> tuple[dict[str, Any], Usage]:
    """The response body and its usage, with an answer fault if one is due."""
    text, reason = _text(question, fault, style)
    tokens = question.prompt_tokens()
    action = fault.action if fault else ""
    if action == "no_video_tokens":
        tokens.pop("VIDEO", None)
    empty = action in ("finish", "blocked", "no_candidates")
    usage = Usage(
        tokens, 0 if empty else text_tokens(text), 0 if empty else question.thoughts_tokens
    )
    body: dict[str, Any] = {}
    if action == "blocked" and fault:
        body["promptFeedback"] = {"blockReason": fault.reason}
    elif action == "finish" and fault:
        body["candidates"] = [{"finishReason": fault.reason, "index": 0}]
    elif action != "no_candidates":
        content = {"parts": [{"text": text}], "role": "model"}
        body["candidates"] = [{"content": content, "finishReason": reason, "index": 0}]
    rerouted = action == "rerouted" and fault
    body["usageMetadata"] = usage.message()
    if action == "other_kinds":
        body["candidates"][0]["safetyRatings"] = "none"
        body["usageMetadata"] |= {"candidatesTokensDetails": {"TEXT": 1}, "billing": None}
    body["modelVersion"] = fault.model_version if fault and rerouted else question.model
    body["responseId"] = hashlib.sha256(f"{question}".encode()).hexdigest()[:22]
    return body, usage


def _text(question: Question, fault: Fault | None, style: Style) -> tuple[str, str]:
    """The answer's text and its finish reason."""
    room = max(1, question.max_output_tokens - question.thoughts_tokens) * CHARACTERS_PER_TOKEN
    value = answer(question, _restyle(style, fault))
    match fault.action if fault else "":
        case "max_tokens":
            whole = as_text(value)
            return whole[: min(room, max(1, len(whole) // 2))], "MAX_TOKENS"
        case "repetition":
            start = as_text(value)[: room // 2]
            start = start[: max(1, len(start) // 2)]
            return (start + _LOOP * (room // len(_LOOP) + 1))[:room], "MAX_TOKENS"
        case "invalid_json":
            return as_text(value).rstrip("}] \n") + ", oops", "STOP"
        case "fenced_json":
            return f"```json\n{as_text(value)}\n```", "STOP"
        case "missing_property" if isinstance(value, dict):
            required = (question.schema or {}).get("required") or list(value)
            value = {key: item for key, item in value.items() if key != required[0]}
        case "unordered":
            value = _reversed(value)
    text = as_text(value)
    return (text, "STOP") if len(text) <= room else (text[:room], "MAX_TOKENS")


def _restyle(style: Style, fault: Fault | None) -> Style:
    match fault.action if fault else "":
        case "past_end" if fault:
            return replace(style, overshoot=30.0 if fault.seconds is None else fault.seconds)
        case "bad_timestamps":
            return replace(style, bad_timestamps=True)
        case "half_transcript":
            return replace(style, half_transcript=True)
        case "wrong_language":
            return replace(style, wrong_language=True)
        case "repeated_text":
            return replace(style, repeated_text=True)
    return style


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_reversed(item) for item in reversed(value)]
    return value
