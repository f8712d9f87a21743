"""What an answer must be to become a report, and what of it is repaired."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from reelmake.errors import Kind
from reelmake.gemini.checked import Checked, InvalidAnswer, Window
from reelmake.gemini.languages import seems_written_in
from reelmake.gemini.validation import check_answer

_TEXT = {"type": "string"}
SCHEMA = {
    "type": "object",
    "properties": {
        "title": _TEXT,
        "overview": {"type": "STRING", "nullable": True},
        "transcript": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"start": _TEXT, "end": _TEXT, "text": _TEXT},
                "required": ["start", "end", "text"],
            },
        },
    },
    "required": ["title", "transcript"],
}
WINDOW = Window("en", 0.0, 60.0)
BLOCKED = (
    *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"),
    *("IMAGE_SAFETY", "IMAGE_RECITATION", "IMAGE_PROHIBITED_CONTENT"),
)


def passage(start: str, end: str, text: str = "") -> dict[str, str]:
    return {"start": start, "end": end, "text": text or f"What is said from {start} to {end}."}


def content(*transcript: dict[str, str], **values: Any) -> dict[str, Any]:
    passages = transcript or (passage("00:00", "00:30"), passage("00:30", "01:00"))
    return {"title": "A title", "transcript": list(passages), **values}


def response(text: str, **values: Any) -> dict[str, Any]:
    return {
        "candidates": [{"content": {"parts": [{"text": text}]}, "finish_reason": "STOP"}],
        "usage_metadata": {"prompt_tokens_details": [{"modality": "VIDEO", "token_count": 70}]},
        **values,
    }


def check(text: str, window: Window = WINDOW, **values: Any) -> Checked:
    return check_answer(response(text, **values), SCHEMA, window, with_video=True)


def codes(checked: Checked) -> list[str]:
    return [notice.code for notice in checked.notices]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"prompt_feedback": {}},
        {"prompt_feedback": {"block_reason": "BLOCK_REASON_UNSPECIFIED"}},
        {"usage_metadata": {}},  # who does not tell what was seen is believed
    ],
)
def test_a_good_answer_passes_with_its_times_in_seconds(values: dict[str, Any]) -> None:
    checked = check(json.dumps(content()), **values)
    assert [item["start"] for item in checked.content["transcript"]] == [0.0, 30.0]
    assert checked.notices == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"candidates": None, "prompt_feedback": {"block_reason": "OTHER"}}, "answer_blocked"),
        ({"candidates": []}, "answer_empty"),
        (
            {"candidates": [], "prompt_feedback": {"block_reason": "BLOCK_REASON_UNSPECIFIED"}},
            "answer_empty",
        ),
        ({"candidates": [{"content": {}}]}, "answer_unfinished"),
        *(({"candidates": [{"finish_reason": each}]}, "answer_blocked") for each in BLOCKED),
        ({"candidates": [{"finish_reason": "MAX_TOKENS"}]}, "answer_truncated"),
        ({"candidates": [{"finish_reason": "OTHER"}]}, "answer_unfinished"),
        ({"candidates": [{"finish_reason": "STOP", "content": {}}]}, "answer_empty"),
        (
            {"usage_metadata": {"prompt_tokens_details": [{"modality": "TEXT", "token_count": 9}]}},
            "video_not_seen",
        ),
        (
            {
                "usage_metadata": {
                    "prompt_tokens_details": [{"modality": "VIDEO", "token_count": 0}]
                }
            },
            "video_not_seen",
        ),
    ],
)
def test_what_did_not_end_well_is_refused(values: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidAnswer) as refused:
        check(json.dumps(content()), **values)
    assert refused.value.code == code
    assert (refused.value.kind == Kind.BLOCKED) == (code == "answer_blocked")


def test_what_the_model_thought_is_no_part_of_its_answer() -> None:
    parts = [{"text": "Let me think of {}", "thought": True}, {"text": json.dumps(content())}]
    candidate = {"content": {"parts": parts}, "finish_reason": "STOP"}
    assert check("", candidates=[candidate]).notices == []


SAID = [f"Sentence {number}, of which each is another." for number in range(3)]


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        (["The same words."] * 3, True),
        (["The same words."] * 4, False),
        (["Others.", *["The same words."] * 4], False),
        (["[music]"] * 9, True),
        (["（音乐）"] * 9, True),
        (SAID * 2, True),
        (SAID * 100, False),
    ],
    ids=["thrice", "four times", "at the end", "music", "music, in Chinese", "twice", "in turns"],
)
def test_words_that_come_again_and_again_are_a_loop_but_music_is_none(
    said: list[str], taken: bool
) -> None:
    text = json.dumps(content(*(passage("00:00", "01:00", each) for each in said)))
    if taken:
        assert check(text)
        return
    with pytest.raises(InvalidAnswer) as refused:
        check(text)
    assert refused.value.code == "answer_repeats_itself"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"title": "cut in the mid', "answer_not_json"),
        ('["a list"]', "answer_wrong_shape"),
        ('{"title": "no transcript"}', "answer_wrong_shape"),
        (json.dumps(content(title=" ")), "answer_wrong_shape"),
        (json.dumps(content(title=7)), "answer_wrong_shape"),
        (json.dumps(content(overview=" ")), "answer_wrong_shape"),
        (json.dumps(content(passage("soon", "00:30"))), "times_invalid"),
        (json.dumps(content(passage("00:00", "01:30"))), "times_invalid"),
        (json.dumps(content(passage("00:00", "00:01", "Das ist es. " * 400))), "answer_repeats"),
        (
            json.dumps(content(*[passage("00:00", "01:00", "Again the same words.")] * 5)),
            "answer_repeats",
        ),
        (json.dumps(content(passage("00:00", "01:00", "今天我们来学习。" * 10))), "wrong_language"),
    ],
)
def test_what_is_wrong_inside_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidAnswer) as refused:
        check(text)
    assert refused.value.code.startswith(code)
    assert refused.value.kind == Kind.PERMANENT


@pytest.mark.parametrize(
    ("transcript", "complete"),
    [
        ([passage("00:00", "10:00")], True),
        ([passage("00:00", "04:00"), passage("04:50", "10:00")], True),
        ([passage("00:00", "05:00")], False),
        ([passage("03:00", "10:00")], False),
        ([passage("00:00", "03:00"), passage("07:00", "10:00")], False),
        ([], False),
    ],
)
def test_a_transcript_without_long_gaps_is_complete(
    transcript: list[dict[str, str]], complete: bool
) -> None:
    text = json.dumps({"title": "t", "transcript": transcript})
    window = Window("en", 0.0, 600.0)
    if complete:
        assert check(text, window)
    else:
        with pytest.raises(InvalidAnswer, match="nothing is transcribed from"):
            check(text, window)
    assert check(text, Window("en", 0.0, 600.0, is_silent=lambda start_s, end_s: True))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(content(extra=["x"], chapters=None, key_points=["a"])),
        json.dumps(content({**passage("00:00", "01:00"), "language": "zh", "confidence": "?"})),
    ],
)
def test_what_was_not_asked_for_is_left_out(text: str) -> None:
    checked = check(text)
    assert checked.content.keys() == {"title", "transcript"}
    assert checked.content["transcript"][0].keys() == {"start", "end", "text"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 100_000, "answer_not_json"),
        ("." + " " * 300_000, "answer_not_json"),
        ("{" + "} " * 100_000, "answer_not_json"),
        (json.dumps([content()]), "answer_wrong_shape"),
        (json.dumps(content()) * 2, "answer_not_json"),
        ('{"title": NaN, "transcript": []}', "answer_not_json"),
        ('{"title": 1e999, "transcript": []}', "answer_not_json"),
        (json.dumps(content(passage("9" * 400 + ":00:00", "00:30"))), "times_invalid"),
        (json.dumps(content(passage("00:00", "01:00", "half \ud83d"), title="x")), ""),
    ],
)
def test_strange_answers_are_refused_or_made_safe(text: str, code: str) -> None:
    if code:
        with pytest.raises(InvalidAnswer) as refused:
            check(text)
        assert refused.value.code == code
    else:
        assert check(text).content["transcript"][0]["text"] == "half ?"


@pytest.mark.parametrize(
    "written",
    [
        "```json\n{}\n```",
        "```JSON\r\n{}\r\n```",
        "Here it is:\n```\n{}\n```\nAnything else?",
        "\ufeff```json\n{}```",
        "```json {} ```",
        "Here is the report (of 60 s):\n\n{}",
        "{}\n\nI hope this helps!",
    ],
)
def test_what_stands_around_an_answer_is_removed_and_noticed(written: str) -> None:
    answer = written.replace("{}", json.dumps({**content(), "title": "Of ``` and more"}))
    assert codes(check(answer)) == ["fences_removed"]


def test_a_time_just_past_the_end_is_moved_to_it_and_noticed() -> None:
    checked = check(json.dumps(content(passage("00:00", "01:02"))))
    assert checked.content["transcript"][0]["end"] == 60.0
    assert codes(checked) == ["times_clamped"]


@pytest.mark.parametrize(
    "transcript",
    [
        [passage("00:30", "01:00"), passage("00:00", "00:30")],
        [passage("00:00", "00:40"), passage("00:40", "00:39")],
    ],
)
def test_times_out_of_order_are_put_in_order_and_noticed(transcript: list[dict[str, str]]) -> None:
    checked = check(json.dumps(content(*transcript)))
    items = checked.content["transcript"]
    starts = [item["start"] for item in items]
    assert starts == sorted(starts)
    assert all(item["start"] <= item["end"] for item in items)
    assert codes(checked) == ["times_reordered"]


@pytest.mark.parametrize(
    "clock", [lambda s: f"{20 + s // 60}:{s % 60:02}", lambda s: f"{s // 60:02}:{s % 60:02}"]
)
def test_times_of_a_segment_are_the_same_whichever_base_the_model_used(
    clock: Callable[[int], str],
) -> None:
    transcript = [passage(clock(second), clock(second + 60)) for second in range(0, 600, 60)]
    checked = check(json.dumps(content(*transcript)), Window("en", 1200.0, 1800.0))
    assert [item["start"] for item in checked.content["transcript"]] == [
        1200.0 + second for second in range(0, 600, 60)
    ]


def test_a_video_of_unknown_length_is_checked_for_all_but_its_end() -> None:
    assert check(json.dumps(content(passage("00:00", "99:00"))), Window("en"))


@pytest.mark.parametrize(
    ("text", "language", "fits"),
    [
        (
            "今天我们用 TensorFlow 训练一个 convolutional neural network，看看结果如何。" * 2,
            "zh-CN",
            True,
        ),
        ("Today we train a network and look at what it has learned from it." * 2, "zh-CN", False),
        ("Today we train a network and look at what it has learned." * 2, "en", True),
        ("Сегодня мы обучим нейронную сеть и посмотрим, чему она научилась.", "ru", True),
        ("Сегодня мы обучим нейронную сеть и посмотрим, чему она научилась.", "en", False),
        ("短い", "en", True),
        ("આજે આપણે એક નેટવર્કને તાલીમ આપીશું અને જોઈશું કે તે શું શીખ્યું છે, ફરી ફરી.", "gu", True),
    ],
)
def test_scripts_are_told_apart(text: str, language: str, fits: bool) -> None:
    assert seems_written_in(text, language) == fits
