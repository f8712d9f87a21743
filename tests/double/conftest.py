"""What the tests of the double share: the real SDK, over real HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from gemini_double import (
    TEST_KEY,
    GeminiDouble,
)

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


def refusal(call: Callable[[], Any]) -> errors.APIError:
    with pytest.raises(errors.APIError) as caught:
        call()
    return caught.value
