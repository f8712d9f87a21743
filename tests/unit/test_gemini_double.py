"""The real SDK, over real HTTP, against the double."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import errors, types

from gemini_double import (
    ACTIONS,
    PRICES,
    TEST_KEY,
    TEST_PROJECT,
    Fault,
    GeminiDouble,
    Price,
    Settings,
)
from gemini_double.faults import BATCH, LINE

MODEL = "gemini-3.5-flash-lite"
TRANSCRIPT = {
    "type": "OBJECT",
    "required": ["title", "transcript"],
    "properties": {
        "title": {"type": "STRING"},
        "mood": {"type": "STRING", "enum": ["calm", "lively"]},
        "transcript": {
            "type": "ARRAY",
            "items": {
                "type": "OBJECT",
                "required": ["start", "end", "text"],
                "properties": {
                    "start": {"type": "STRING"},
                    "end": {"type": "STRING"},
                    "text": {"type": "STRING"},
                },
            },
        },
        "chapters": {
            "type": "ARRAY",
            "minItems": 4,
            "items": {
                "type": "OBJECT",
                "properties": {
                    "start_time": {"type": "STRING"},
                    "points": {"type": "ARRAY", "items": {"type": "STRING"}},
                },
            },
        },
    },
}


@contextmanager
def client_of(
    double: GeminiDouble, key: str = TEST_KEY, version: str = "v1beta", timeout: int = 10_000
) -> Iterator[genai.Client]:
    options = types.HttpOptions(
        base_url=double.url,
        api_version=version,
        timeout=timeout,
        client_args={"follow_redirects": False, "trust_env": False},
        async_client_args={"follow_redirects": False, "trust_env": False},
    )
    client = genai.Client(api_key=key, http_options=options)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def double() -> Iterator[GeminiDouble]:
    with GeminiDouble() as running:
        yield running


@pytest.fixture
def client(double: GeminiDouble) -> Iterator[genai.Client]:
    with client_of(double) as opened:
        yield opened


def upload(client: genai.Client, data: bytes = b"not really a video", **config: Any) -> types.File:
    config = {"mime_type": "video/mp4", **config}
    return client.files.upload(file=io.BytesIO(data), config=types.UploadFileConfig(**config))


def ask(
    client: genai.Client,
    file: types.File | str | None = None,
    prompt: str = "Transcribe in English.",
    metadata: types.VideoMetadata | None = None,
    **config: Any,
) -> types.GenerateContentResponse:
    parts = [types.Part(text=prompt)]
    if file is not None:
        uri = file if isinstance(file, str) else file.uri
        data = types.FileData(file_uri=uri, mime_type="video/mp4")
        parts.insert(0, types.Part(file_data=data, video_metadata=metadata))
    config = {"response_mime_type": "application/json", "response_schema": TRANSCRIPT, **config}
    return client.models.generate_content(
        model=config.pop("model", MODEL),
        contents=types.Content(role="user", parts=parts),
        config=types.GenerateContentConfig(**config),
    )


def answer_of(response: types.GenerateContentResponse) -> Any:
    assert response.text is not None
    return json.loads(response.text)


def seconds(clock: str) -> int:
    total = 0
    for part in clock.split(":"):
        total = total * 60 + int(part)
    return total


def small_video(length: int = 3) -> bytes:
    import av  # noqa: PLC0415 - only the tests that need a decodable video pay for it
    import numpy as np  # noqa: PLC0415

    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 32
        for index in range(length * 5):
            pixels = np.full((32, 32, 3), index, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return target.getvalue()


# --- the way through


def test_upload_to_answer(double: GeminiDouble, client: genai.Client) -> None:
    double.settings.processing_polls = 2
    data = small_video()
    file = upload(client, data, name="lecture-1", display_name="Lecture 1")
    assert (file.name, file.display_name, file.size_bytes) == (
        "files/lecture-1",
        "Lecture 1",
        len(data),
    )
    states = [client.files.get(name="files/lecture-1").state for _ in range(3)]
    assert states == [
        types.FileState.PROCESSING,
        types.FileState.PROCESSING,
        types.FileState.ACTIVE,
    ]
    file = client.files.get(name="files/lecture-1")
    sha256 = hashlib.sha256(data).hexdigest()
    assert base64.b64decode(file.sha256_hash or "").decode() == sha256
    assert file.video_metadata == {"videoDuration": "3s"}
    assert file.expiration_time
    assert file.create_time
    assert (file.expiration_time - file.create_time).total_seconds() == 48 * 3600

    response = ask(client, file, service_tier="flex", store=False)
    answer = answer_of(response)
    assert response.parsed == answer
    assert answer["mood"] == "calm"
    assert len(answer["chapters"]) == 4
    assert sha256[:8] in answer["transcript"][0]["text"]
    assert response.model_version == MODEL
    assert response.candidates
    assert response.candidates[0].finish_reason == types.FinishReason.STOP

    usage = response.usage_metadata
    assert usage
    assert usage.prompt_tokens_details
    details = {
        str(d.modality and d.modality.value): d.token_count for d in usage.prompt_tokens_details
    }
    assert details == {"TEXT": 6, "VIDEO": 210}  # three frames, and the video is silent
    assert usage.prompt_token_count == 216
    total = 216 + (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    assert usage.total_token_count == total

    (record,) = double.ledger.billed(video=sha256)
    assert (record.project, record.service_tier, record.store) == (TEST_PROJECT, "flex", False)
    assert record.prompt == hashlib.sha256(b"Transcribe in English.").hexdigest()
    price = PRICES[MODEL]
    expected = (216 * price.input + record.output_tokens * price.output) / 2e6
    assert record.usd == pytest.approx(expected)
    assert double.ledger.usd() == pytest.approx(expected)
    assert record.answered
    assert [r.kind for r in double.ledger][:3] == ["upload_start", "upload_chunk", "file_get"]
    assert len(double.ledger.uploads()) == 1
    client.files.delete(name="files/lecture-1")
    assert len(double.files) == 0


def test_chunked_upload(client: genai.Client, double: GeminiDouble) -> None:
    data = bytes(range(256)) * (9 * 4096)  # 9 MB: the SDK sends 8 MB, then the rest
    file = upload(client, data)
    assert file.size_bytes == len(data)
    assert double.ledger.count("upload_chunk") == 2
    assert double.ledger.uploads()[0].video == hashlib.sha256(data).hexdigest()


def test_transcript_covers_the_clip_and_repeats_nothing(
    double: GeminiDouble, client: genai.Client
) -> None:
    double.settings.default_duration = 4000
    file = upload(client)
    clip = types.VideoMetadata(start_offset="3500.5s", end_offset="3900s", fps=0.5)
    answer = answer_of(ask(client, file, "用简体中文转写", metadata=clip))
    spans = [(seconds(item["start"]), seconds(item["end"])) for item in answer["transcript"]]
    assert spans[0][0] == 3501
    assert spans[-1][1] == 3900
    assert len(spans) == 40
    assert all(left[1] == right[0] for left, right in pairwise(spans))
    assert answer["transcript"][-1]["start"].startswith("1:04:")
    texts = [item["text"] for item in answer["transcript"]]
    assert len(set(texts)) == len(texts)
    assert all(re.search("[\u4e00-\u9fff]", text) for text in texts)
    (record,) = double.ledger.records("generate")
    assert (record.start_offset, record.end_offset) == (3500.5, 3900)

    double.settings.timestamps = "relative"
    relative = answer_of(ask(client, file, "用简体中文转写", metadata=clip))
    assert relative["transcript"][0]["start"] == "00:00"
    assert seconds(relative["transcript"][-1]["end"]) == 399


def test_answers_depend_on_content_only(double: GeminiDouble, client: genai.Client) -> None:
    one, copy, other = upload(client, b"one"), upload(client, b"one"), upload(client, b"other")
    assert ask(client, one).text == ask(client, copy).text
    assert ask(client, one).text != ask(client, other).text
    assert ask(client, one).text != ask(client, one, "Summarise.").text
    assert len(double.ledger.paid_twice()) == 1


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_text_only_and_urls(double: GeminiDouble, version: str) -> None:
    url = "https://www.youtube.com/watch?v=abc"
    double.settings.url_durations[url] = 120
    with client_of(double, version=version) as client:
        plain = client.models.generate_content(model=MODEL, contents="Say something.")
        assert plain.text
        assert len(answer_of(ask(client, url))["transcript"]) == 12
        json_schema = {"type": "object", "properties": {"n": {"type": ["integer", "null"]}}}
        as_json = ask(client, response_schema=None, response_json_schema=json_schema)
        assert isinstance(answer_of(as_json)["n"], int)
        tokens = client.models.count_tokens(model=MODEL, contents="12345678").total_tokens
        assert tokens == 2
        assert client.models.get(model=MODEL).input_token_limit == 1_048_576
        assert {model.name for model in client.models.list()} == {f"models/{m}" for m in PRICES}
    assert double.ledger.records("generate")[1].video == url


async def _ask_async(client: genai.Client) -> types.GenerateContentResponse:
    try:
        file = await client.aio.files.upload(
            file=io.BytesIO(b"async"), config=types.UploadFileConfig(mime_type="video/mp4")
        )
        video = types.Part.from_uri(file_uri=file.uri or "", mime_type="video/mp4")
        content = types.Content(role="user", parts=[video, types.Part(text="Describe.")])
        return await client.aio.models.generate_content(model=MODEL, contents=content)
    finally:
        await client.aio.aclose()


def test_async_client(client: genai.Client) -> None:
    import asyncio  # noqa: PLC0415 - this test only

    assert asyncio.run(_ask_async(client)).text


# --- refusals


def refusal(call: Callable[[], Any]) -> errors.APIError:
    with pytest.raises(errors.APIError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize(
    ("key", "code", "status"),
    [("wrong-key", 400, "INVALID_ARGUMENT"), ("", 403, "PERMISSION_DENIED")],
)
def test_keys(double: GeminiDouble, key: str, code: int, status: str) -> None:
    with client_of(double, key=key or "x") as client:
        if not key:
            client._api_client._http_options.headers.pop("x-goog-api-key")  # type: ignore[union-attr]
        error = refusal(lambda: client.files.get(name="x"))
    assert (error.code, error.status) == (code, status)
    if key:
        assert error.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    assert double.ledger.records()[0].project is None
    assert "wrong-key" not in str(double.ledger.records())


def test_key_in_url_is_refused(double: GeminiDouble) -> None:
    answer = httpx2.get(f"{double.url}/v1beta/files?key={TEST_KEY}", trust_env=False)
    assert answer.status_code == 403


def test_files_belong_to_projects() -> None:
    with (
        GeminiDouble(Settings(keys={"key-a": "a", "key-b": "b"})) as double,
        client_of(double, "key-a") as mine,
        client_of(double, "key-b") as theirs,
    ):
        file = upload(mine, name="mine")
        assert [each.name for each in mine.files.list()] == ["files/mine"]
        assert list(theirs.files.list()) == []
        for call in (lambda: theirs.files.get(name="mine"), lambda: ask(theirs, file)):
            error = refusal(call)
            assert (error.code, error.status) == (403, "PERMISSION_DENIED")
            assert "or it may not exist" in str(error.message)
        double.files.expire("files/mine")
        assert refusal(lambda: mine.files.get(name="mine")).code == 403


@pytest.mark.parametrize(
    ("config", "code", "message"),
    [
        ({"name": "Bad_Name"}, 400, "lowercase"),
        ({"name": "n" * 41}, 400, "lowercase"),
        ({"mime_type": "video/strange"}, 400, "MIME type"),
        ({"name": "taken"}, 409, "already exists"),
    ],
)
def test_uploads_refused(client: genai.Client, config: Any, code: int, message: str) -> None:
    upload(client, name="taken")
    error = refusal(lambda: upload(client, **config))
    assert error.code == code
    assert message in str(error.message)


def test_upload_protocol_checks_offsets(double: GeminiDouble) -> None:
    with httpx2.Client(base_url=double.url, trust_env=False) as http:
        start = http.post(
            "/upload/v1beta/files",
            json={"file": {}},
            headers={
                "x-goog-api-key": TEST_KEY,
                "X-Goog-Upload-Protocol": "resumable",
                "X-Goog-Upload-Command": "start",
                "X-Goog-Upload-Header-Content-Length": "300000",
                "X-Goog-Upload-Header-Content-Type": "video/mp4",
            },
        )
        url = start.headers["X-Goog-Upload-URL"]
        assert any(upload_id in url for upload_id in double.files.upload_ids())

        def send(command: str, offset: int, body: bytes) -> httpx2.Response:
            headers = {"X-Goog-Upload-Command": command, "X-Goog-Upload-Offset": str(offset)}
            return http.post(url, content=body, headers=headers)

        first = send("upload", 0, b"x" * 262144)
        assert first.headers["X-Goog-Upload-Status"] == "active"
        query = send("query", 0, b"")
        assert query.headers["X-Goog-Upload-Size-Received"] == "262144"
        assert send("upload, finalize", 0, b"x").status_code == 400
        assert send("upload, finalize", 262144, b"x" * 37856).json()["file"]["state"] == "ACTIVE"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, 'Unknown name "extra": Cannot find field.'),
        ({"generationConfig": {"fps": 1}}, "Unknown name \"fps\" at 'generation_config'"),
        (
            {"contents": [{"parts": [{"text": "x", "speed": 1}]}]},
            "Unknown name \"speed\" at 'contents[0].parts[0]'",
        ),
        (
            {
                "generationConfig": {
                    "responseMimeType": "application/json",
                    "responseSchema": {
                        "type": "OBJECT",
                        "properties": {"a": {"type": "STRING", "additionalProperties": False}},
                    },
                }
            },
            'Unknown name "additionalProperties" at '
            "'generation_config.response_schema.properties[0].value'",
        ),
        ({"generationConfig": {"temperature": "hot"}}, "Invalid value at"),
        ({"serviceTier": "cheap"}, "Invalid value at 'service_tier'"),
        ({"contents": []}, "contents is not specified"),
        ({"generationConfig": {"maxOutputTokens": 70_000}}, "maxOutputTokens"),
    ],
)
def test_strict_bodies(double: GeminiDouble, change: dict[str, Any], message: str) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}], **change}
    answer = httpx2.post(
        f"{double.url}/v1beta/models/{MODEL}:generateContent",
        json=body,
        headers={"x-goog-api-key": TEST_KEY},
        trust_env=False,
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
    assert message in error["message"]
    assert not double.ledger.billed()


@pytest.mark.parametrize(
    ("metadata", "config", "message"),
    [
        ({"fps": 25.0}, {}, "fps"),
        ({"start_offset": "10s", "end_offset": "5s"}, {}, "before"),
        ({"end_offset": "99s"}, {}, "beyond the end"),
        ({"end_offset": "0:05"}, {}, "Duration"),
        ({}, {"model": "gemini-1.0-gone"}, "is not found for API version v1beta"),
        ({}, {"response_schema": {"type": "OBJECT", "properties": {}}}, "non-empty"),
        ({}, {"response_schema": {"type": "ARRAY"}}, "items: missing field"),
        ({}, {"response_mime_type": None}, "application/json"),
    ],
)
def test_questions_refused(client: genai.Client, metadata: Any, config: Any, message: str) -> None:
    file = upload(client)
    video = types.VideoMetadata(**metadata) if metadata else None
    error = refusal(lambda: ask(client, file, metadata=video, **config))
    assert error.code in (400, 404)
    assert message in str(error.message)


def test_processing_file_is_refused(double: GeminiDouble, client: genai.Client) -> None:
    double.settings.processing_seconds = 60
    error = refusal(lambda: ask(client, upload(client)))
    assert (error.code, error.status) == (400, "FAILED_PRECONDITION")


# --- faults

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
    tried |= {"latency", "upload_reset", "file_failed"}
    assert tried | set(BATCH) | set(LINE) == set(ACTIONS)  # theirs: test_gemini_double_batches


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


# --- many at once, and from another process


def test_concurrent_calls(double: GeminiDouble, client: genai.Client) -> None:
    double.settings.latency = 0.5
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda n: ask(client, prompt=f"Question {n}"), range(50)))
    assert all(answer.text for answer in answers)
    assert len(double.ledger.billed()) == 50
    assert all(record.answered for record in double.ledger)
    assert double.ledger.peak_in_flight() > 10


def test_own_prices_and_closing_with_calls_open() -> None:
    with (
        GeminiDouble(Settings(prices={"tiny": Price(1.0, 2.0)})) as double,
        client_of(double) as client,
    ):
        ask(client, model="tiny")
        assert double.ledger.usd() > 0
        double.settings.latency = 60
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ask, client, model="tiny")
            time.sleep(0.2)
            double.stop()
            with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
                waiting.result(timeout=10)


def test_as_a_process(tmp_path: Path) -> None:
    config = tmp_path / "double.json"
    ledger = tmp_path / "ledger.jsonl"
    config.write_text(
        json.dumps({"latency": 0.01, "faults": [{"action": "overloaded", "times": 1}]})
    )
    command = [
        sys.executable,
        "-m",
        "gemini_double",
        "--config",
        str(config),
        "--ledger",
        str(ledger),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()

        def control(method: str, path: str, body: Any = None) -> Any:
            data = None if body is None else json.dumps(body).encode()
            request = urllib.request.Request(f"{url}/_control/{path}", data, method=method)  # noqa: S310
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                request
            ) as answer:
                return json.load(answer)

        remote = GeminiDouble(port=int(url.rsplit(":", 1)[1]))
        with client_of(remote) as client:
            assert refusal(lambda: ask(client)).code == 503
            assert ask(client).text
            control("POST", "faults", {"action": "blocked", "reason": "OTHER"})
            assert ask(client).prompt_feedback
            control("DELETE", "faults")
            control("POST", "settings", {"default_duration": 20})
            file = upload(client)
            assert len(answer_of(ask(client, file))["transcript"]) == 2
            assert len(control("GET", "upload_ids")["upload_ids"]) == 1
            assert control("POST", "expire", {}) == {"expired": 1}
            assert refusal(lambda: ask(client, file)).code == 403
        records = control("GET", "ledger")["records"]
        process.terminate()
        assert process.wait(10) == 0
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert [line["status"] for line in lines] == [503, 200, 200, 200, 200, 200, 403]
    assert lines == records
    assert TEST_KEY not in ledger.read_text()
    assert "upload_id" not in ledger.read_text()
