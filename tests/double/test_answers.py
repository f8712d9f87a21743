"""From an upload to an answer, by the real SDK, over real HTTP."""

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
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import types

from double.conftest import MODEL, answer_of, ask, client_of, refusal, seconds, small_video, upload
from gemini_double import (
    PRICES,
    TEST_KEY,
    TEST_PROJECT,
    GeminiDouble,
    Price,
    Settings,
)


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
