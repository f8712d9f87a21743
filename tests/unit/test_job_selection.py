"""Which of the ready jobs begin next."""

from dataclasses import dataclass, field

import pytest

from job_selection import JobSelector


@dataclass(frozen=True)
class Job:
    jobid: int
    priority: int = 0
    cores: int = 1
    others: tuple[tuple[str, int], ...] = field(default=())

    @property
    def scheduler_resources(self) -> dict[str, int]:
        return {"_cores": self.cores, "_nodes": 1, **dict(self.others)}


def select(selector: JobSelector, ready: set[Job], **free: int) -> list[int]:
    available = {"_cores": 0, "_nodes": 1000, **free}
    return [job.jobid for job in selector.select(ready, available)]


def test_as_many_as_there_is_room_for_in_the_order_of_the_table() -> None:
    ready = {Job(number) for number in range(10)}
    selector = JobSelector()
    assert select(selector, ready, _cores=3) == [0, 1, 2]
    ready -= {Job(0), Job(1), Job(2)}
    assert select(selector, ready, _cores=2) == [3, 4]


def test_higher_priorities_go_first_also_when_they_come_later() -> None:
    selector = JobSelector()
    ready = {Job(1), Job(2, priority=5)}
    assert select(selector, ready, _cores=1) == [2]
    assert select(selector, {Job(1), Job(9, priority=7)}, _cores=2) == [9, 1]


def test_jobs_that_need_no_core_go_on_beside_those_that_wait() -> None:
    ready = {Job(1), Job(2), Job(3, cores=0), Job(4, cores=0)}
    assert select(JobSelector(), ready, _cores=1) == [1, 3, 4]
    assert select(JobSelector(), ready, _cores=0) == [3, 4]


def test_a_smaller_job_takes_the_room_that_a_larger_one_can_not() -> None:
    assert select(JobSelector(), {Job(1, cores=4, priority=1), Job(2)}, _cores=3) == [2]


def test_every_resource_counts() -> None:
    calls = (("gemini_calls", 1),)
    ready = {Job(1, others=calls), Job(2, others=calls), Job(3)}
    assert select(JobSelector(), ready, _cores=9, gemini_calls=1) == [1, 3]


def test_a_job_that_is_ready_again_begins_again_and_one_that_is_no_more_does_not() -> None:
    selector = JobSelector()
    assert select(selector, {Job(1), Job(2)}, _cores=1) == [1]
    assert select(selector, {Job(1), Job(2)}, _cores=1) == [1]  # it failed, and is tried again
    assert select(selector, {Job(3)}, _cores=9) == [3]
    assert select(selector, set(), _cores=9) == []


@pytest.mark.parametrize("cores", [1, 7])
def test_all_of_many_begin_once(cores: int) -> None:
    ready = {Job(number, priority=number % 3) for number in range(100)}
    selector, begun = JobSelector(), []
    while ready:
        some = selector.select(ready, {"_cores": cores, "_nodes": 99})
        begun += some
        ready -= set(some)
    assert sorted(job.jobid for job in begun) == list(range(100))
    assert [job.priority for job in begun] == sorted((job.priority for job in begun), reverse=True)
