"""What the double does on request: errors, bad answers, bad files, limits."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pydantic
import pytest
from google import genai
from google.genai import errors, types

from double.conftest import answer_of, ask, client_of, refusal, upload
from gemini_double import (
    ACTIONS,
    Fault,
    GeminiDouble,
)
from gemini_double.faults import BATCH, LINE

ERRORS: list[tuple[Fault, int | type[Exception], str]] = [
    (Fault("http_error", code=500), 500, "internal error"),
    (Fault("http_error", code=504, message="late", retry_delay=7), 504, "'retryDelay': '7s'"),
    (Fault("overloaded"), 503, "UNAVAILABLE"),
    (Fault("rate_limited", retry_delay=44), 429, "'retryDelay': '44s'"),
    (Fault("day_spent"), 429, "GenerateRequestsPerDayPerProjectPerModel"),
    (Fault("redirect", location="http://127.0.0.1:9/x"), 302, "Found"),
    (Fault("file_vanished"), 403, "or it may not exist"),
    (Fault("reset"), httpx2.ReadError, "reset by peer"),
    (Fault("lost_answer"), httpx2.ReadError, "reset by peer"),
    (Fault("stall", seconds=0.1), httpx2.ReadError, "reset by peer"),
    (Fault("truncated_body"), httpx2.RemoteProtocolError, "without sending complete message body"),
]


@pytest.mark.parametrize(
    ("fault", "seen", "text"), ERRORS, ids=lambda value: getattr(value, "action", "")
)
def test_errors_as_the_sdk_shows_them(
    double: GeminiDouble, client: genai.Client, fault: Fault, seen: Any, text: str
) -> None:
    file = upload(client)
    double.faults.add(fault)
    with pytest.raises(errors.APIError if isinstance(seen, int) else seen, match=text) as caught:
        ask(client, file)
    if isinstance(caught.value, errors.APIError):
        assert caught.value.code == seen
    (record,) = double.ledger.records("generate")
    assert record.fault == fault.action
    assert record.billed == (fault.action in ("lost_answer", "truncated_body"))
    assert not record.answered or isinstance(seen, int)


def test_client_timeout_is_still_billed(double: GeminiDouble) -> None:
    double.faults.add(Fault("latency", seconds=0.4))
    with client_of(double, timeout=100) as client, pytest.raises(httpx2.ReadTimeout):
        ask(client)
    deadline = time.monotonic() + 10
    while not double.ledger.billed() and time.monotonic() < deadline:
        time.sleep(0.02)
    (record,) = double.ledger.billed()
    assert not record.answered


def _same(answer: Any) -> bool:
    return len({item["text"] for item in answer["transcript"]}) == 1


ANSWERS: list[tuple[Fault, Callable[[Any], Any]]] = [
    (Fault("invalid_json"), lambda r: r.parsed is None and "oops" in r.text),
    (Fault("fenced_json"), lambda r: r.parsed is None and r.text.startswith("```json\n")),
    (Fault("missing_property"), lambda r: "title" not in answer_of(r)),
    (Fault("repeated_text"), lambda r: _same(answer_of(r))),
    (
        Fault("past_end", seconds=90),
        lambda r: answer_of(r)["transcript"][-1]["end"] == "02:30",
    ),
    (
        Fault("unordered"),
        lambda r: answer_of(r)["transcript"][0]["end"] == "01:00",
    ),
    (Fault("bad_timestamps"), lambda r: answer_of(r)["transcript"][0]["end"] == "10.0 sec"),
    (Fault("half_transcript"), lambda r: answer_of(r)["transcript"][-1]["end"] == "00:30"),
    (Fault("wrong_language"), lambda r: "（" in answer_of(r)["title"]),
    (
        Fault("no_video_tokens"),
        lambda r: (
            [d.modality.value for d in r.usage_metadata.prompt_tokens_details] == ["TEXT", "AUDIO"]
        ),
    ),
    (Fault("rerouted", model_version="gemini-9"), lambda r: r.model_version == "gemini-9"),
    (
        Fault("max_tokens"),
        lambda r: r.candidates[0].finish_reason.value == "MAX_TOKENS" and r.parsed is None,
    ),
    (
        Fault("repetition"),
        lambda r: (
            r.candidates[0].finish_reason.value == "MAX_TOKENS"
            and r.usage_metadata.candidates_token_count == 2000
            and r.text.count("again and again") > 100
        ),
    ),
    (
        Fault("finish", reason="RECITATION"),
        lambda r: r.text is None and r.candidates[0].finish_reason.value == "RECITATION",
    ),
    (
        Fault("blocked", reason="PROHIBITED_CONTENT"),
        lambda r: (
            r.candidates is None and r.prompt_feedback.block_reason.value == "PROHIBITED_CONTENT"
        ),
    ),
    (Fault("no_candidates"), lambda r: r.candidates is None and r.prompt_feedback is None),
]


@pytest.mark.parametrize(
    ("fault", "holds"), ANSWERS, ids=lambda value: getattr(value, "action", "")
)
def test_bad_answers(
    double: GeminiDouble, client: genai.Client, fault: Fault, holds: Callable[[Any], bool]
) -> None:
    file = upload(client)
    honest = ask(client, file, max_output_tokens=2000)
    assert honest.parsed is not None
    assert not holds(honest)
    double.faults.add(fault)
    assert holds(ask(client, file, max_output_tokens=2000))
    assert len(double.ledger.billed()) == 2


def test_an_answer_with_fields_of_other_kinds(double: GeminiDouble, client: genai.Client) -> None:
    double.faults.add(Fault("other_kinds"))
    with pytest.raises(pydantic.ValidationError):
        ask(client)
    assert len(double.ledger.billed()) == 1


def test_upload_faults(double: GeminiDouble, client: genai.Client) -> None:
    double.faults.add(Fault("upload_reset", file="lecture", times=1))
    with pytest.raises(httpx2.TransportError):
        upload(client, b"x" * 4_000_000, name="lecture")
    double.faults.add(Fault("http_error", kind="upload_chunk", code=503, times=1))
    assert refusal(lambda: upload(client, name="lecture")).code == 503
    double.faults.add(
        Fault("file_failed", video=hashlib.sha256(b"bad").hexdigest(), message="codec")
    )
    failed = upload(client, b"bad")
    assert failed.state == types.FileState.FAILED
    assert failed.error
    assert failed.error.message == "codec"
    assert upload(client, name="lecture").state == types.FileState.ACTIVE
    assert len(double.ledger.uploads()) == 2


def test_every_action_is_tried() -> None:
    tried = {fault.action for fault, *_ in ERRORS} | {fault.action for fault, _ in ANSWERS}
    tried |= {"latency", "slow_body", "other_kinds", "upload_reset", "file_failed"}
    assert tried | set(BATCH) | set(LINE) == set(ACTIONS)  # theirs: test_batches.py


def test_a_slow_body_is_whole_in_the_end(double: GeminiDouble, client: genai.Client) -> None:
    double.faults.add(Fault("slow_body", seconds=0.0001))
    assert ask(client).text
    assert double.faults.fired("slow_body") == 1


def test_matching_and_budgets(double: GeminiDouble, client: genai.Client) -> None:
    double.faults.add(
        Fault("overloaded", prompt="first", times=2),
        Fault("http_error", nth=2, code=500, prompt="second"),
        Fault("http_error", code=418, start_offset=30.0),
        Fault("http_error", code=419, model="gemini-3.8-flash"),
        Fault("http_error", code=420, video="https://youtu.be/"),
    )

    def code(**question: Any) -> int:
        try:
            ask(client, **question)
        except errors.APIError as error:
            return error.code
        return 200

    clip = types.VideoMetadata(start_offset="30s")
    assert [code(prompt="first") for _ in range(3)] == [503, 503, 200]
    assert [code(prompt="second") for _ in range(3)] == [200, 500, 500]
    assert code(file=upload(client), metadata=clip) == 418
    assert code(model="gemini-3.8-flash") == 419
    assert code(file="https://youtu.be/x") == 420
    assert double.faults.fired("overloaded") == 2
    with pytest.raises(ValueError, match="unknown action"):
        Fault("explode")


@pytest.mark.parametrize(
    ("limits", "quota_id"),
    [
        ({"rpm": 1}, "GenerateRequestsPerMinutePerProjectPerModel"),
        ({"tpm": 10}, "GenerateContentPaidTierInputTokensPerModelPerMinute"),
        ({"rpd": 1}, "GenerateRequestsPerDayPerProjectPerModel"),
    ],
)
def test_rate_limits(
    double: GeminiDouble, client: genai.Client, limits: dict[str, int], quota_id: str
) -> None:
    double.settings.update(limits)
    ask(client)
    error = refusal(lambda: ask(client))
    quota, _help, retry = error.details["error"]["details"]
    assert quota["violations"][0]["quotaId"] == quota_id
    assert retry["retryDelay"].endswith("s")
    assert ask(client, model="gemini-3.8-flash").text if "tpm" not in limits else True
    assert double.ledger.peak_requests() == 2
