"""Which of the jobs that are ready begin next, found without looking at all of them each time.

Snakemake's own choice (9.27, greedy too) looks at every ready job, the sizes of its inputs and all
that remains, each time that a job ends. With thousands of jobs that costs more than the jobs do.
"""

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

_PLACES = "places_in_gateway"

Needs = tuple[tuple[str, int], ...]


class JobSelector:
    """Highest priority first, then in the order of the table; what does not fit has to wait."""

    def __init__(self) -> None:
        self._waiting: dict[Needs, list[tuple[int, int, Any]]] = defaultdict(list)
        self.known: set[Any] = set()

    def select(self, ready: set[Any], available: Mapping[str, int]) -> list[Any]:
        """Those to begin now. ``available`` are the resources that are free."""
        for job in ready - self.known:
            needs = tuple(sorted(job.scheduler_resources.items()))
            heapq.heappush(self._waiting[needs], (-job.priority, job.jobid, job))
        self.known = set(ready)
        free = dict(available)
        selected = []
        while queues := [
            queue for needs, queue in self._waiting.items() if queue and _fits(needs, free)
        ]:
            _, _, job = heapq.heappop(min(queues))
            if job not in self.known:
                continue  # it is not ready any more
            self.known.discard(job)
            selected.append(job)
            for name, value in job.scheduler_resources.items():
                if name in free:
                    free[name] -= value
        return selected


def use_job_selector(workflow: Any) -> None:
    """Let the scheduler choose by a `JobSelector`, an internal of Snakemake 9.27."""
    scheduler, selector = workflow.scheduler, JobSelector()

    def select(ready: set[Any]) -> list[Any]:
        for job in ready - selector.known:
            scheduler.validate_job(job)
        with scheduler._lock:
            selected = selector.select(ready, scheduler.resources)
            scheduler.update_available_resources(selected)
        return selected

    scheduler.job_selector = select


def let_get_ready(workflow: Any, jobs: Sequence[Any], most: int) -> None:
    """Have these jobs take no core, but one of ``most`` places of their own.

    By internals of Snakemake 9.27: the needs of a job, which it keeps, and what the scheduler has.
    """
    scheduler = workflow.scheduler
    scheduler.global_resources[_PLACES] = scheduler.resources[_PLACES] = most
    for job in jobs:
        job.scheduler_resources.update({"_cores": 0, _PLACES: 1})


def _fits(needs: Needs, free: Mapping[str, int]) -> bool:
    return all(value <= free[name] for name, value in needs if name in free)
