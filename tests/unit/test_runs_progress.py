"""How far a run is."""

from collections.abc import Callable

import pytest

from reelmake.runs.progress import Job, Key, Progress

A, B = ("t", "a"), ("t", "b")
JOBS = {
    1: Job("analyze_video", "a", (A,), A),
    2: Job("render_report", "a", (A,), A),
    3: Job("analyze_video", "b", (B,), B),
    4: Job("render_report", "b", (B,), B),
    5: Job("build_index", "build_index"),
}


@pytest.fixture
def clock() -> "Clock":
    return Clock()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def do(progress: Progress, how: Callable[[int], list[Key]], *numbers: int) -> list[Key]:
    ended = []
    for number in numbers:
        progress.start(number)
        ended += how(number)
    return ended


def test_a_report_is_done_when_its_last_job_is(clock: Clock) -> None:
    progress = Progress(JOBS, clock)
    assert do(progress, progress.finish, 1) == []
    assert do(progress, progress.finish, 2) == [A]
    assert (progress.total, progress.ended, progress.done) == (2, 1, {A})


def test_a_report_that_failed_is_done_by_no_other_job(clock: Clock) -> None:
    progress = Progress(JOBS, clock)
    assert do(progress, progress.fail, 1) == [A]
    assert do(progress, progress.fail, 2) == []
    assert do(progress, progress.finish, 1, 2) == []
    assert (progress.ended, progress.failed, progress.done) == (1, {A}, set())


def test_a_download_that_fails_takes_all_its_reports_along(clock: Clock) -> None:
    jobs = JOBS | {6: Job("fetch_video", "x.mp4", (A, B), ("fetched", "x.mp4"))}
    progress = Progress(jobs, clock)
    assert do(progress, progress.fail, 6) == [A, B]


def test_what_was_interrupted_is_neither_done_nor_failed(clock: Clock) -> None:
    progress = Progress(JOBS, clock)
    progress.start(1)
    progress.drop(1)
    assert (progress.in_progress, progress.ended) == (0, 0)


def test_jobs_that_nobody_spoke_of_do_no_harm(clock: Clock) -> None:
    progress = Progress(JOBS, clock)
    progress.start(99)
    assert progress.finish(99) == []
    assert progress.in_progress == 0
    assert progress.longest(3) == []


def test_the_time_left_follows_from_those_that_ended(clock: Clock) -> None:
    progress = Progress(JOBS, clock)
    assert progress.seconds_left is None
    clock.now += 30
    do(progress, progress.finish, 1, 2)
    assert progress.per_minute == 2
    assert progress.seconds_left == 30


def test_of_many_the_last_ones_count(clock: Clock) -> None:
    keys = [("t", str(number)) for number in range(300)]
    progress = Progress({n: Job("r", k[1], (k,), k) for n, k in enumerate(keys)}, clock)
    for number in range(100):
        clock.now += 60
        progress.finish(number)
    for number in range(100, 201):
        clock.now += 1
        progress.finish(number)
    assert progress.seconds_left == pytest.approx(99, rel=0.02)


def test_who_is_waited_for(clock: Clock) -> None:
    progress = Progress(JOBS, clock)
    for number in (1, 3, 5):
        progress.start(number)
        clock.now += 10
    assert progress.in_progress == 2
    assert progress.longest(2) == [("a", 30.0), ("b", 20.0)]
