"""The real SDK, over real HTTP, against the double's batches."""

import io
import json
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from gemini_double import Fault, GeminiDouble
from gemini_double.faults import BATCH, LINE

MODEL = "gemini-3.5-flash-lite"
KEYS = ["one", "two", "three", "four"]


def submit(client: genai.Client, keys: list[str] = KEYS, name: str = "mine") -> types.BatchJob:
    lines = [
        {"key": key, "request": {"contents": [{"parts": [{"text": f"About {key}."}]}]}}
        for key in keys
    ]
    data = "\n".join(map(json.dumps, lines)).encode()
    config = types.UploadFileConfig(mime_type="jsonl")
    file = client.files.upload(file=io.BytesIO(data), config=config)
    assert file.name
    settings = types.CreateBatchJobConfig(display_name=name)
    return client.batches.create(model=MODEL, src=file.name, config=settings)


def look(client: genai.Client, job: types.BatchJob) -> tuple[str, list[dict[str, Any]]]:
    """The state of a batch, and the lines that can be read of its answers."""
    now = client.batches.get(name=str(job.name))
    assert now.state
    if not (now.dest and now.dest.file_name):
        return now.state.value, []
    lines = []
    for text in client.files.download(file=now.dest.file_name).splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            lines.append({"damaged": True})
    return now.state.value, lines


def test_a_batch_is_answered_at_half_the_price(double: GeminiDouble, client: genai.Client) -> None:
    state, lines = look(client, submit(client))
    assert (state, [line["key"] for line in lines]) == ("JOB_STATE_SUCCEEDED", KEYS)
    assert lines[0]["response"]["candidates"][0]["finishReason"] == "STOP"
    half = double.ledger.usd()
    for key in KEYS:
        client.models.generate_content(model=MODEL, contents=f"About {key}.")
    assert double.ledger.usd() == pytest.approx(3 * half)


def test_a_batch_takes_its_time(double: GeminiDouble, client: genai.Client) -> None:
    double.settings.update({"batch_seconds": 60.0})
    job = submit(client)
    assert look(client, job) == ("JOB_STATE_PENDING", [])
    (held,) = double.batches
    held.seconds = 0.0
    assert look(client, job)[0] == "JOB_STATE_SUCCEEDED"


def test_batches_are_listed_in_pages_the_newest_first(client: genai.Client) -> None:
    assert list(client.batches.list()) == []
    for number in range(5):
        submit(client, name=f"batch {number}")
    listed = client.batches.list(config={"page_size": 2})
    assert [job.display_name for job in listed] == [f"batch {n}" for n in (4, 3, 2, 1, 0)]


def test_the_service_minds_no_name_that_is_used_twice(
    double: GeminiDouble, client: genai.Client
) -> None:
    submit(client)
    submit(client)
    assert len(list(double.batches)) == 2


def test_a_cancelled_or_deleted_batch_is_none(double: GeminiDouble, client: genai.Client) -> None:
    double.settings.update({"batch_seconds": 60.0})
    job = submit(client)
    client.batches.cancel(name=str(job.name))
    assert look(client, job) == ("JOB_STATE_CANCELLED", [])
    client.batches.delete(name=str(job.name))
    with pytest.raises(errors.ClientError, match="404"):
        look(client, job)


def test_limits_are_told_with_429(double: GeminiDouble, client: genai.Client) -> None:
    double.settings.update({"batch_seconds": 60.0, "batch_jobs": 1})
    submit(client)
    with pytest.raises(errors.ClientError, match="concurrent_batch_jobs"):
        submit(client)
    double.settings.update({"batch_jobs": 100, "batch_enqueued_tokens": 20})
    with pytest.raises(errors.ClientError, match="batch_enqueued_tokens"):
        submit(client)


@pytest.mark.parametrize(
    "batch",
    [
        {"inputConfig": {"fileName": "files/none"}},
        {"displayName": "x", "inputConfig": {"file": "files/none"}},
        {"displayName": "x", "inputConfig": {"fileName": "files/none"}},
    ],
)
def test_what_the_service_would_not_take_is_refused(
    client: genai.Client, batch: dict[str, Any]
) -> None:
    path = f"models/{MODEL}:batchGenerateContent"
    with pytest.raises(errors.ClientError):
        client._api_client.request("post", path, {"batch": batch})


FAULTS: dict[str, tuple[str, list[str | None]]] = {
    "batch_failed": ("JOB_STATE_FAILED", []),
    "batch_expired": ("JOB_STATE_EXPIRED", []),
    "batch_cancelled": ("JOB_STATE_CANCELLED", ["one", "two"]),
    "batch_partial": ("JOB_STATE_PARTIALLY_SUCCEEDED", ["one", "two"]),
    "batch_stuck": ("JOB_STATE_PENDING", []),
    "batch_shuffled": ("JOB_STATE_SUCCEEDED", []),
    "batch_cut": ("JOB_STATE_SUCCEEDED", []),
    "line_missing": ("JOB_STATE_SUCCEEDED", ["one", "three", "four"]),
    "line_doubled": ("JOB_STATE_SUCCEEDED", ["one", "two", "two", "three", "four"]),
    "line_keyless": ("JOB_STATE_SUCCEEDED", ["one", None, "three", "four"]),
    "line_swapped": ("JOB_STATE_SUCCEEDED", ["one", "three", "four"]),
    "line_failed": ("JOB_STATE_SUCCEEDED", ["one", "two", "three", "four"]),
}


@pytest.mark.parametrize("action", [*BATCH, *LINE])
def test_each_fault_does_what_it_says(
    double: GeminiDouble, client: genai.Client, action: str
) -> None:
    double.faults.add(Fault(action, nth=1 if action in BATCH else 2, times=1))
    state, lines = look(client, submit(client))
    whole = [line for line in lines if "damaged" not in line]
    keys = [line.get("key") for line in whole]
    expected_state, expected = FAULTS[action]
    assert state == expected_state
    if action == "batch_shuffled":
        assert keys != KEYS
        assert sorted(map(str, keys)) == sorted(KEYS)
    elif action == "batch_cut":
        assert keys == KEYS[: len(keys)]
        assert 0 < len(keys) < 4
    else:
        assert keys == expected
    failed = [line["key"] for line in whole if "error" in line]
    assert failed == (["two"] if action == "line_failed" else [])


def test_an_answer_under_another_key_is_the_other_requests(
    double: GeminiDouble, client: genai.Client
) -> None:
    _, honest = look(client, submit(client))
    double.faults.add(Fault("line_swapped", nth=2, times=1))
    _, swapped = look(client, submit(client))
    assert swapped[0]["key"] == "one"
    assert swapped[0]["response"] == honest[1]["response"]
