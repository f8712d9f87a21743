from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.gemini.segments import cut, merge


def test_a_short_video_is_one_piece() -> None:
    assert cut(0, 600, segment_s=1200, overlap_s=15) == [(0, 600)]


def test_a_long_one_is_cut_evenly_with_overlaps() -> None:
    assert cut(0, 3000, segment_s=1200, overlap_s=15) == [(0, 1000), (985, 2000), (1985, 3000)]


@given(
    st.floats(0, 1e4),
    st.floats(1, 2e4),
    st.floats(60, 3600),
    st.floats(0, 30),
)
def test_pieces_cover_everything_in_order(
    start_s: float, length_s: float, segment_s: float, overlap_s: float
) -> None:
    spans = cut(start_s, start_s + length_s, segment_s=segment_s, overlap_s=overlap_s)
    assert spans[0][0] == round(start_s, 3)
    assert spans[-1][1] == round(start_s + length_s, 3)
    for (_, stop), (begin, _) in pairwise(spans):
        assert begin <= stop
    assert all(stop - begin <= segment_s + overlap_s + 0.01 for begin, stop in spans)


SPANS = [(0.0, 100.0), (80.0, 200.0)]


def passage(start: float, end: float, text: str) -> dict[str, Any]:
    return {"start": start, "end": end, "text": text}


def joined(earlier: list[dict[str, Any]], later: list[dict[str, Any]]) -> str:
    merged = merge([{"transcript": earlier}, {"transcript": later}], SPANS)
    items = merged["transcript"]
    assert [item["start"] for item in items] == sorted(item["start"] for item in items)
    return " ".join(item["text"] for item in items)


SENTENCES = [
    "First we look at the sun.",
    "Then the moon comes in between.",
    "Its shadow falls on the earth.",
    "At last the light comes back.",
]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        # Both heard the same sentence whole.
        (
            [passage(0, 80, SENTENCES[0]), passage(80, 100, SENTENCES[1])],
            [passage(80, 99, SENTENCES[1]), passage(99, 150, " ".join(SENTENCES[2:]))],
        ),
        # The earlier one is cut in the middle of a sentence, in one long passage.
        (
            [passage(0, 100, f"{SENTENCES[0]} {SENTENCES[1]} Its shadow")],
            [passage(80, 200, " ".join(SENTENCES[1:]))],
        ),
        # The later one begins in the middle of a sentence.
        (
            [passage(0, 100, " ".join(SENTENCES[:3]))],
            [
                passage(80, 120, f"comes in between. {SENTENCES[2]}"),
                passage(120, 200, SENTENCES[3]),
            ],
        ),
    ],
)
def test_what_both_heard_is_kept_once_and_nothing_is_lost(
    earlier: list[dict[str, Any]], later: list[dict[str, Any]]
) -> None:
    assert joined(earlier, later) == " ".join(SENTENCES)


def test_an_interjection_inside_a_long_passage_is_kept() -> None:
    earlier = [passage(0, 100, "The host goes on and on."), passage(50, 60, "A guest interjects.")]
    later = [passage(100, 200, "Then they part.")]
    assert joined(earlier, later) == "The host goes on and on. A guest interjects. Then they part."


def test_an_interjection_inside_a_passage_that_both_heard_stays_in_order() -> None:
    earlier = [passage(0, 100, " ".join(SENTENCES[:2])), passage(50, 60, "A guest interjects.")]
    later = [passage(80, 200, " ".join(SENTENCES[1:]))]
    expected = [*SENTENCES[:2], "A guest interjects.", *SENTENCES[2:]]
    assert joined(earlier, later) == " ".join(expected)


def test_chinese_overlaps_are_found_too() -> None:
    earlier = [passage(0, 100, "首先我们看太阳。然后月亮走到中间，它的影子")]
    later = [passage(80, 200, "然后月亮走到中间，它的影子落在地球上。")]
    text = joined(earlier, later)
    assert text.replace(" ", "") == "首先我们看太阳。然后月亮走到中间，它的影子落在地球上。"


def test_without_common_words_nothing_is_lost() -> None:
    earlier = [passage(0, 90, "One."), passage(90, 100, "Two.")]
    later = [passage(82, 95, "Deux."), passage(95, 130, "Trois."), passage(130, 200, "Quatre.")]
    assert joined(earlier, later) == "One. Two. Trois. Quatre."


def test_points_chapters_and_terms_of_the_overlap_are_kept_once() -> None:
    earlier = {
        "key_points": [{"time": 50.0, "text": "a"}, {"time": 95.0, "text": "late"}],
        "chapters": [
            {"start": 0.0, "end": 96.0, "title": "Sun"},
            {"start": 96.0, "end": 100.0, "title": "Moon begins"},
        ],
        "terms": [{"term": "Corona"}],
    }
    later = {
        "key_points": [{"time": 85.0, "text": "early"}, {"time": 95.0, "text": "b"}],
        "chapters": [
            {"start": 80.0, "end": 88.0, "title": "Sun"},
            {"start": 88.0, "end": 200.0, "title": "Moon"},
        ],
        "terms": [{"term": "corona"}, {"term": "Umbra"}],
    }
    merged = merge([earlier, later], SPANS)
    assert [point["text"] for point in merged["key_points"]] == ["a", "b"]
    assert [(item["start"], item["end"]) for item in merged["chapters"]] == [(0, 90), (90, 200)]
    assert [item["term"] for item in merged["terms"]] == ["corona", "Umbra"]


def test_what_is_right_at_the_seam_is_kept_once() -> None:
    earlier = {
        "key_points": [{"time": 90.0, "text": "both"}],
        "chapters": [
            {"start": 0.0, "end": 90.0, "title": "Sun"},
            {"start": 90.0, "end": 100.0, "title": "Moon"},
        ],
    }
    later = {
        "key_points": [{"time": 90.0, "text": "both"}],
        "chapters": [
            {"start": 80.0, "end": 90.0, "title": "Sun"},
            {"start": 90.0, "end": 200.0, "title": "Moon"},
        ],
    }
    merged = merge([earlier, later], SPANS)
    assert [point["text"] for point in merged["key_points"]] == ["both"]
    assert [item["title"] for item in merged["chapters"]] == ["Sun", "Moon"]
