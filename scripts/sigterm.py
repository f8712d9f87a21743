"""SIGTERM, at which Snakemake lets the jobs that run end: also when it comes in its busy moments.

Its handler (9.27) takes the scheduler's lock, which the thread that it interrupts holds for much of
the time: it would wait for itself, for ever. On a node too, where no hook of ours runs.
"""

import threading
from typing import Any

from snakemake.scheduling.job_scheduler import JobScheduler

_takes_the_lock = JobScheduler.exit_gracefully


def _in_a_thread(scheduler: JobScheduler, *_: Any) -> None:
    threading.Thread(target=_takes_the_lock, args=(scheduler,), daemon=True).start()


def exit_gracefully_at_any_time() -> None:
    """For the scheduler that this process is going to make."""
    JobScheduler.exit_gracefully = _in_a_thread  # type: ignore[method-assign]
