"""How batches are cut, and how the lines of their answers are read."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gemini_double.validation import check
from reelmake.config import GeminiSettings
from reelmake.gemini.batches.lines import CutOffError, Line, read_lines, request_line
from reelmake.gemini.batches.names import ECHO_FIELD, echo_of, name_of_set
from reelmake.gemini.batches.packing import Pack, Room, Wanted, packs
from reelmake.gemini.budget import Estimate
from reelmake.gemini.calling import Source
from reelmake.gemini.request import Clip, Media, Request
from reelmake.gemini.service import Service
from reelmake.templates import load_template

GB = 10**9
ONE, OTHER, FOREIGN = "a" * 64, "b" * 64, "c" * 64


def wanted(
    number: int, *, tokens: float = 1.0, video: int | None = None, prompt: str = "p"
) -> Wanted:
    identity = f"https://example.org/{number if video is None else video}"
    request = Request("model", prompt, {"properties": {}}, Clip(identity, 1.0, "default"))
    estimate = Estimate(tokens, usd=0.01, most_usd=0.01)
    return Wanted(f"{number:064}", request, Source(identity), estimate, "template", str(number))


def sizes(
    requests: Sequence[Wanted], *, most: int = 1000, most_tokens: float | None = None
) -> list[int]:
    room = Room(most_tokens)
    cut = list(packs(requests, lambda each: room, most=most))
    assert [each.key for pack in cut for each in pack.wanted] == [each.key for each in requests]
    return [len(pack.wanted) for pack in cut]


def test_a_batch_has_at_most_so_many_requests() -> None:
    assert sizes([wanted(number) for number in range(10)], most=4) == [2, 3, 2, 3]


def test_a_batch_has_at_most_so_many_tokens_but_for_a_single_request() -> None:
    requests = [wanted(number, tokens=30) for number in range(4)]
    assert sizes(requests, most_tokens=60) == [2, 2]
    assert sizes(requests, most_tokens=20) == [1, 1, 1, 1]


def test_the_file_of_a_batch_stays_below_two_gigabytes() -> None:
    prompt = "p" * (GB // 8)
    assert sizes([wanted(number, prompt=prompt) for number in range(8)]) == [2, 2, 2, 2]


def test_the_videos_of_a_batch_leave_room_at_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelmake.gemini.batches.packing._UPLOADED_BYTES", 250)
    requests = []
    for number in range(4):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(b"v" * 100)
        requests.append(wanted(number)._replace(source=Source(str(number), path=path)))
    assert sizes(requests) == [2, 2]


@pytest.mark.parametrize("there", [[(0.1, 1)] * 100, [(60.0, 1)], [(1.0, 9 * GB)]])
def test_a_batch_waits_until_the_service_takes_it_beside_those_that_are_there(
    there: Sequence[tuple[float, int]],
) -> None:
    async def entering() -> None:
        room = Room(100.0)
        for number, size in enumerate(there):
            await asyncio.wait_for(room.enter(number, *size), 1)
        one_more = asyncio.create_task(room.enter("one more", 50.0, 8 * GB))
        await asyncio.sleep(0)
        assert not one_more.done()
        await room.leave(0)
        await asyncio.wait_for(one_more, 1)

    asyncio.run(entering())


def test_the_requests_of_one_video_stay_together_where_they_can() -> None:
    requests = [wanted(0, video=0), *(wanted(number, video=1) for number in range(1, 4))]
    assert [len(half.wanted) for half in Pack(requests).halves()] == [1, 3]


def test_batches_are_called_by_what_they_ask_in_whatever_order() -> None:
    assert name_of_set([ONE, OTHER]) == name_of_set([OTHER, ONE])
    assert name_of_set([ONE, OTHER]) != name_of_set([ONE])


def answer(key: str) -> dict[str, Any]:
    text = json.dumps({ECHO_FIELD: echo_of(key), "title": "T"})
    return {"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}]}


def read(*lines: Any) -> list[Line]:
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return list(read_lines(texts, [ONE, OTHER]))


@pytest.mark.parametrize(
    ("clip", "generation"),
    [
        (Clip("sha256:0", 1.0, "default"), {}),
        (Clip("sha256:0", 0.5, "low", start_s=1.5, end_s=20.0), {"thinking_level": "low"}),
        (None, {"temperature": 0.5, "max_output_tokens": 1000}),
    ],
)
def test_a_line_asks_what_a_single_call_would_but_for_the_echo(
    clip: Clip | None, generation: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = load_template("chinese_transcript").answer_schema()
    request = Request("gemini-3.8-flash", "Über 讲座", schema, clip, generation)
    media = Media("https://generativelanguage.googleapis.com/v1beta/files/x", "video/mp4")
    sent: list[Any] = []

    async def post(method: str, path: str, body: Any, options: Any) -> Any:
        sent.append(json.loads(json.dumps(body)))
        raise ConnectionError

    async def ask() -> None:
        async with Service(GeminiSettings(), api_key="key") as service:
            monkeypatch.setattr(service._client._api_client, "async_request", post)
            with pytest.raises(ConnectionError):
                await service.generate(request, media, tier="standard")

    asyncio.run(ask())
    line = json.loads(request_line(ONE, request, media))
    assert line["key"] == ONE
    batched = check(line["request"], "GenerateContentRequest")
    single = check({k: v for k, v in sent[0].items() if k != "_url"}, "GenerateContentRequest")
    asked_for = batched["generationConfig"]["responseSchema"]
    echo = asked_for["properties"].pop(ECHO_FIELD)
    assert asked_for["required"].pop() == asked_for["propertyOrdering"].pop() == ECHO_FIELD
    assert echo["enum"] == [echo_of(ONE)]
    assert batched == single


def test_an_answer_has_the_form_of_a_single_calls() -> None:
    (line,) = read({"key": ONE, "response": {**answer(ONE), "usageMetadata": {"promptTokens": 1}}})
    assert line.answer
    assert line.answer["candidates"][0]["finish_reason"] == "STOP"
    assert line.answer["usage_metadata"] == {"prompt_tokens": 1}


@pytest.mark.parametrize(
    ("said", "keys"),
    [
        ({"key": ONE, "response": answer(ONE)}, [ONE]),
        ({"key": ONE, "response": answer(OTHER)}, [OTHER]),
        ({"key": ONE, "response": answer(FOREIGN)}, []),
        ({"key": FOREIGN, "response": answer(FOREIGN)}, []),
        ({"key": FOREIGN, "response": answer(ONE)}, [ONE]),
        ({"response": answer(ONE)}, [ONE]),
        ({"key": [ONE], "response": answer(ONE)}, [ONE]),
        # Cut off before it could say, or blocked: there is only the key to go by.
        ({"key": ONE, "response": {"promptFeedback": {"blockReason": "SAFETY"}}}, [ONE]),
        ({"response": {"promptFeedback": {"blockReason": "SAFETY"}}}, []),
        ({"key": ONE, "response": {"candidates": "none"}}, [ONE]),
    ],
)
def test_an_answer_goes_to_the_request_that_it_answers(said: Any, keys: list[str]) -> None:
    assert [line.key for line in read(said)] == keys


@pytest.mark.parametrize(
    ("error", "hopeless"),
    [
        ({"code": 13, "message": "The operation was cancelled."}, False),
        ({"code": 3, "message": "The input token count exceeds the maximum."}, True),
        ({"code": 400, "status": "INVALID_ARGUMENT", "message": "no"}, True),
        ({"code": 3, "message": "File abc is not in an ACTIVE state."}, False),
        ({"code": 7, "message": "no permission to access the File"}, False),
        ({"code": {"strange": []}}, False),
        ("strange", False),
    ],
)
def test_a_refusal_says_whether_it_is_worth_asking_again(error: Any, hopeless: bool) -> None:
    (line,) = read({"key": ONE, "error": error})
    assert (line.key, line.answer, line.hopeless) == (ONE, None, hopeless)


@pytest.mark.parametrize(
    "damaged",
    [
        b'{"key": "aaa", "respon',
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"key": {}, "response": {"candidates": [{"content": []}]}}',
    ],
)
def test_lines_that_are_none_are_told_after_all_that_could_be_read(damaged: bytes) -> None:
    found: list[Line] = []
    whole = json.dumps({"key": ONE, "response": answer(ONE)}).encode()
    with pytest.raises(CutOffError):
        found.extend(read_lines([damaged, whole], [ONE]))
    assert [line.key for line in found] == [ONE]
