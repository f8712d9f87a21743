"""Faults: rules that make the double misbehave as the service has been seen to.

A fault is a match (which requests), a budget (from the `nth` match on, `times` times) and an
action. Every matching `latency` applies; of the other matching faults, the first.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from .errors import OVERLOADED, ServiceError, quota_exceeded

# Actions, by the moment they act; each name says what the client gets.
BEFORE = {
    "latency": "wait `seconds`, then go on",
    "http_error": "an error of `code`, `status`, `message`, with RetryInfo if `retry_delay`",
    "overloaded": "503 UNAVAILABLE",
    "rate_limited": "429 per minute, RetryInfo of `retry_delay`",
    "day_spent": "429 per day; its retryDelay is misleadingly short",
    "reset": "connection reset; nothing was done, nothing is billed",
    "stall": "silence for `seconds` (None: for ever), then a reset; not billed",
    "redirect": "302 to `location`",
    "file_vanished": "403 as for a file that is gone; it is deleted",
    "upload_reset": "connection reset in the middle of an upload's chunk",
    "file_failed": "an upload ends as FAILED, with `message`",
}
AFTER = {
    "lost_answer": "completed and billed, but the connection is reset instead of the answer",
    "truncated_body": "the body breaks off half-way",
    "slow_body": "the body arrives, a byte each 0.1 s (or `seconds`)",
}
ANSWER = {
    "max_tokens": "JSON cut in the middle, finishReason MAX_TOKENS",
    "finish": "no content, finishReason `reason` (SAFETY, RECITATION, …)",
    "blocked": "no candidates, promptFeedback.blockReason `reason`",
    "no_candidates": "no candidates and no reason",
    "invalid_json": "text that is not JSON, finishReason STOP",
    "fenced_json": "the JSON inside a ```json fence",
    "missing_property": "the first required property is left out",
    "repetition": "one sentence repeated to the token limit, finishReason MAX_TOKENS",
    "repeated_text": "well-formed, but every text is the same, finishReason STOP",
    "past_end": "timestamps up to `seconds` past the end",
    "unordered": "arrays of timed items in reverse order",
    "bad_timestamps": "timestamps like `83.0 sec`",
    "half_transcript": "a transcript of the first half only",
    "wrong_language": "English for Chinese and the reverse",
    "no_video_tokens": "no VIDEO tokens in the usage (the clip was too short)",
    "other_kinds": "fields that nobody needs are of other kinds than the SDK knows",
    "rerouted": "modelVersion is `model_version`",
}
# Of a whole batch (kind `batch`, matched by its display name as `file`), as it is created.
BATCH = {
    "batch_failed": "ends as FAILED, with nothing answered",
    "batch_expired": "ends as EXPIRED, with nothing answered",
    "batch_cancelled": "ends as CANCELLED, with half of it answered",
    "batch_partial": "ends as PARTIALLY_SUCCEEDED, with half of it answered",
    "batch_stuck": "stays PENDING until it is cancelled",
    "batch_shuffled": "answers in another order",
    "batch_cut": "the file of answers ends in the middle of one",
}
# Of one line of a batch (kind `batch_line`).
LINE = {
    "line_missing": "answered and billed, but not in the file",
    "line_doubled": "twice in the file",
    "line_keyless": "without its key",
    "line_failed": "an error of `code` and `message` instead of an answer; not billed",
    "line_swapped": "under the key of the line before it, which is lost",
}
ACTIONS: Mapping[str, str] = {**BEFORE, **AFTER, **ANSWER, **BATCH, **LINE}
_KINDS = {
    **dict.fromkeys(("upload_reset", "file_failed"), "upload_chunk"),
    **dict.fromkeys(BATCH, "batch"),
    **dict.fromkeys(LINE, "batch_line"),
}


@dataclass(frozen=True)
class Fault:
    action: str
    # Which requests; every condition given must hold.
    kind: str | None = None
    """Ledger kind, `*` allowed; by default `generate`, or what the action is about."""
    video: str | None = None
    """Start of the sha256, or part of the URL."""
    file: str | None = None
    """Part of the file's name or display name."""
    prompt: str | None = None
    """Part of the request's text."""
    model: str | None = None
    project: str | None = None
    start_offset: float | None = None
    nth: int = 1
    times: int | None = None
    # What the action needs.
    seconds: float | None = None
    code: int = 500
    status: str | None = None
    message: str | None = None
    retry_delay: float | None = None
    quota_id: str | None = None
    reason: str = "SAFETY"
    location: str = "https://elsewhere.invalid/"
    model_version: str = "gemini-9-rerouted"
    bare: bool = False
    """On an upload's chunk: an error without X-Goog-Upload-Status, as a proxy sends it."""

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"unknown action {self.action!r}; known: {', '.join(ACTIONS)}")

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Fault:
        """From JSON; unknown keys are refused."""
        unknown = set(value) - {each.name for each in fields(cls)}
        if unknown:
            raise ValueError(f"unknown fault keys: {', '.join(sorted(unknown))}")
        return cls(**value)

    def matches(self, target: Target) -> bool:
        by_default = _KINDS.get(self.action, "generate")
        video = target.video or ""
        return (
            fnmatchcase(target.kind, self.kind or by_default)
            and (self.video is None or video.startswith(self.video) or self._in_url(video))
            and (self.file is None or self.file in target.file)
            and (self.prompt is None or self.prompt in target.prompt)
            and self.model in (None, target.model)
            and self.project in (None, target.project)
            and self.start_offset in (None, target.start_offset)
        )

    def error(self, model: str) -> ServiceError:
        """The error answer of an action that is one."""
        match self.action:
            case "overloaded":
                return ServiceError(503, self.message or OVERLOADED)
            case "rate_limited":
                return quota_exceeded(
                    self.quota_id or "GenerateRequestsPerMinutePerProjectPerModel",
                    "generate_content_paid_tier_requests",
                    1000,
                    model,
                    _or(self.retry_delay, 1.0),
                )
            case "day_spent":
                return quota_exceeded(
                    self.quota_id or "GenerateRequestsPerDayPerProjectPerModel",
                    "generate_content_paid_tier_requests",
                    10000,
                    model,
                    _or(self.retry_delay, 1.0),
                )
        details = []
        if self.retry_delay is not None:
            kind = "type.googleapis.com/google.rpc.RetryInfo"
            details.append({"@type": kind, "retryDelay": f"{self.retry_delay:g}s"})
        message = self.message or "An internal error has occurred. Please retry."
        return ServiceError(self.code, message, self.status, details)

    def _in_url(self, video: str) -> bool:
        return "/" in video and self.video is not None and self.video in video


@dataclass(frozen=True)
class Target:
    """What a request offers to be matched on."""

    kind: str
    project: str | None = None
    model: str | None = None
    video: str | None = None
    file: str = ""
    prompt: str = ""
    start_offset: float | None = None


class FaultBoard:
    """The faults in force, and how often each has matched and fired."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self.add(*faults)

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._rules += [_Rule(fault) for fault in faults]

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def fired(self, action: str | None = None) -> int:
        return sum(r.fired for r in self._rules if action in (None, r.fault.action))

    def select(self, target: Target, actions: Iterable[str]) -> list[Fault]:
        """The faults among `actions` that fire for this request, using up their budgets."""
        wanted = frozenset(actions)
        chosen: list[Fault] = []
        decided = False
        with self._lock:
            for rule in self._rules:
                fault = rule.fault
                if fault.action not in wanted or not fault.matches(target):
                    continue
                if decided and fault.action != "latency":
                    continue
                rule.matched += 1
                if rule.matched < fault.nth:
                    continue
                if fault.times is not None and rule.fired >= fault.times:
                    continue
                rule.fired += 1
                chosen.append(fault)
                decided = decided or fault.action != "latency"
        return chosen


@dataclass
class _Rule:
    fault: Fault
    matched: int = 0
    fired: int = 0


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
