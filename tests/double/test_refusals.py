"""What the double refuses, as the service does."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import types

from double.conftest import MODEL, ask, client_of, refusal, upload
from gemini_double import (
    TEST_KEY,
    GeminiDouble,
    Settings,
)


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
