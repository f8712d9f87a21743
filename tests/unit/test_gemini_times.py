"""Times of answers, at the edges of what is taken for right."""

from typing import Any

import pytest

from reelmake.analysis import Notice
from reelmake.gemini.checked import InvalidAnswer, Window
from reelmake.gemini.times import read_times, require_coverage


def read(window: Window, *clocks: str) -> tuple[list[float], list[str]]:
    """The moments of points in an answer, in seconds, and the codes of notices."""
    content: dict[str, Any] = {"points": [{"time": clock} for clock in clocks]}
    notices: list[Notice] = []
    read_times(content, window, notices)
    return [point["time"] for point in content["points"]], [notice.code for notice in notices]


@pytest.mark.parametrize(
    ("clock", "taken", "noticed"),
    [
        ("00:10", 10.0, []),
        ("00:20", 20.0, []),
        ("00:08", 10.0, ["times_clamped"]),  # two seconds outside, on either side
        ("00:22", 20.0, ["times_clamped"]),
        ("00:20.4", 20.0, []),  # less than a second is a rounding, not worth a word
    ],
)
def test_what_is_just_outside_is_moved_to_the_edge(
    clock: str, taken: float, noticed: list[str]
) -> None:
    window = Window("en", 10.0, 20.0)
    # Others that leave no doubt from where it counts.
    assert read(window, clock, "00:12", "00:13", "00:14") == (
        sorted([taken, 12.0, 13.0, 14.0]),
        [*noticed, *(["times_reordered"] if taken > 12 else [])],
    )


@pytest.mark.parametrize("clock", ["00:07.9", "00:22.1", "09:00"])
def test_what_is_further_outside_is_an_invention(clock: str) -> None:
    with pytest.raises(InvalidAnswer, match="not within 00:10 to 00:20") as caught:
        read(Window("en", 10.0, 20.0), clock, "00:12", "00:13", "00:14")
    assert caught.value.code == "times_invalid"


@pytest.mark.parametrize(
    ("clocks", "taken"),
    [
        (("01:40", "01:50"), [100.0, 110.0]),
        (("00:00", "00:10"), [100.0, 110.0]),  # from the beginning of the clip
        (("00:00", "00:22"), [100.0, 120.0]),
        (("01:38", "02:02"), [100.0, 120.0]),
    ],
)
def test_a_segments_times_may_count_from_the_clip_or_from_the_video(
    clocks: tuple[str, str], taken: list[float]
) -> None:
    assert read(Window("en", 100.0, 120.0), *clocks)[0] == taken


def test_where_both_fit_as_well_times_count_from_the_video() -> None:
    assert read(Window("en", 1.0, 61.0), "00:05", "00:30")[0] == [5.0, 30.0]


@pytest.mark.parametrize(
    ("start_s", "clocks", "taken"),
    [
        (0.0, ("00:01", "10:00:00"), [1.0, 36_000.0]),
        (60.0, ("00:59", "01:00", "10:00:00"), [60.0, 60.0, 36_000.0]),
        (60.0, ("00:00", "00:20", "01:30"), [60.0, 80.0, 150.0]),  # from the beginning of the clip
    ],
)
def test_without_a_known_end_only_what_is_before_the_start_is_outside(
    start_s: float, clocks: tuple[str, ...], taken: list[float]
) -> None:
    assert read(Window("en", start_s, None), *clocks)[0] == taken


def test_what_is_before_the_start_is_an_invention_without_a_known_end_too() -> None:
    with pytest.raises(InvalidAnswer, match="00:01 is not within 00:05 to the end"):
        read(Window("en", 5.0, None), "00:01", "10:00:00")


def test_an_end_before_its_start_is_the_start_and_one_at_it_is_right() -> None:
    content: dict[str, Any] = {
        "passages": [{"start": "00:05", "end": "00:04"}, {"start": "00:06", "end": "00:06"}]
    }
    notices: list[Notice] = []
    read_times(content, Window("en", 0.0, 10.0), notices)
    assert content["passages"] == [{"start": 5.0, "end": 5.0}, {"start": 6.0, "end": 6.0}]
    assert [notice.code for notice in notices] == ["times_reordered"]


def test_lists_of_which_not_every_item_has_a_time_stay_as_they_are() -> None:
    content: dict[str, Any] = {"mixed": [{"time": "00:09"}, {"name": "?"}, {"time": "00:01"}]}
    read_times(content, Window("en", 0.0, 10.0), [])
    assert content["mixed"] == [{"time": 9.0}, {"name": "?"}, {"time": 1.0}]


@pytest.mark.parametrize(
    ("end_s", "gap_s", "silent", "complete"),
    [
        (100.0, 30.0, False, True),  # half a minute may be music
        (100.0, 30.5, False, False),
        (100.0, 90.0, True, True),
        (1000.0, 100.0, False, True),  # a tenth of a long video
        (1000.0, 100.5, False, False),
    ],
)
def test_gaps_are_omissions_when_they_are_long_and_somebody_can_be_heard(
    end_s: float, gap_s: float, silent: bool, complete: bool
) -> None:
    window = Window("en", 0.0, end_s, lambda start, end: silent)
    transcript = [{"start": 0.0, "end": 5.0}, {"start": 5.0 + gap_s, "end": end_s}]
    if complete:
        require_coverage(transcript, window)
        return
    with pytest.raises(InvalidAnswer, match="nothing is transcribed from 00:05"):
        require_coverage(transcript, window)


def test_what_is_said_during_a_long_passage_opens_no_gap() -> None:
    transcript = [{"start": 0.0, "end": 95.0}, {"start": 10.0, "end": 15.0}]
    require_coverage(transcript, Window("en", 0.0, 100.0))
