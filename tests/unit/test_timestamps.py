import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.timestamps import format_clock, parse_clock


@pytest.mark.parametrize(
    ("seconds", "clock"),
    [(0, "00:00"), (83.9, "01:23"), (3599, "59:59"), (3600, "1:00:00"), (36_125, "10:02:05")],
)
def test_seconds_become_a_clock(seconds: float, clock: str) -> None:
    assert format_clock(seconds) == clock


@pytest.mark.parametrize(
    ("clock", "seconds"),
    [("01:23", 83), ("[01:23]", 83), (" 1:02:03 ", 3723), ("90:00", 5400), ("00:01.5", 1.5)],
)
def test_clocks_become_seconds(clock: str, seconds: float) -> None:
    assert parse_clock(clock) == seconds


@pytest.mark.parametrize("text", ["", "83", "01:75", "1:60:00", "-00:01", "01:23:45:67", "soon"])
def test_anything_else_is_no_clock(text: str) -> None:
    with pytest.raises(ValueError, match="expected MM:SS"):
        parse_clock(text)


@given(st.integers(min_value=0, max_value=999 * 3600))
def test_a_clock_reads_back_as_the_same_second(seconds: int) -> None:
    assert parse_clock(format_clock(seconds)) == seconds
