"""Requests a day: counted across runs, and renewed at midnight in California."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reelmake.errors import ReelmakeError
from reelmake.gemini.day_quota import DayQuota
from reelmake.gemini.pacific import renewal

PACIFIC = ZoneInfo("America/Los_Angeles")
EVENING = datetime(2026, 11, 25, 23, 59, tzinfo=PACIFIC)
NEXT_DAY = datetime(2026, 11, 26, 0, 0, 1, tzinfo=PACIFIC)


def quota(folder: Path, limit: int | None, at: datetime = EVENING) -> DayQuota:
    return DayQuota(folder / "today.json", limit, now=lambda: at)


def spend(day: DayQuota, times: int, project: str = "p", model: str = "m") -> None:
    for _ in range(times):
        day.take(project, model)


def test_a_spent_day_says_when_it_is_renewed(tmp_path: Path) -> None:
    day = quota(tmp_path, 2)
    spend(day, 2)
    with pytest.raises(ReelmakeError, match=r"2026-11-26 00:00 PST") as caught:
        day.take("p", "m")
    assert caught.value.code == "quota_per_day"


def test_the_next_run_of_the_same_day_goes_on_counting(tmp_path: Path) -> None:
    spend(quota(tmp_path, 3), 2)
    assert quota(tmp_path, 3).left("p", "m") == 1
    with pytest.raises(ReelmakeError):
        spend(quota(tmp_path, 3), 2)


def test_after_midnight_pacific_time_the_day_is_new(tmp_path: Path) -> None:
    spend(quota(tmp_path, 2), 2)
    spend(quota(tmp_path, 2, at=NEXT_DAY), 2)


def test_each_project_and_model_has_a_day_of_its_own(tmp_path: Path) -> None:
    day = quota(tmp_path, 1)
    spend(day, 1)
    spend(day, 1, project="other")
    spend(day, 1, model="other")


def test_what_the_service_refused_is_not_counted(tmp_path: Path) -> None:
    day = quota(tmp_path, 1)
    spend(day, 1)
    day.give_back("p", "m")
    spend(day, 1)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"day": "2026-11-25", "taken": 3}'])
def test_a_damaged_count_begins_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "today.json").write_text(content)
    spend(quota(tmp_path, 1), 1)


def test_without_a_limit_nothing_is_counted(tmp_path: Path) -> None:
    day = quota(tmp_path, None)
    spend(day, 100)
    assert day.left("p", "m") is None
    assert list(tmp_path.iterdir()) == []


def test_the_renewal_is_told_in_summer_time_too() -> None:
    assert renewal(datetime(2026, 7, 1, 12, tzinfo=PACIFIC)).startswith("2026-07-02 00:00 PDT")
