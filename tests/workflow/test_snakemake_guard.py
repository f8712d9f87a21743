"""What of Snakemake's own is switched off or put right, each for a reason that is tested here.

This fails when a newer Snakemake makes a guard needless (remove it then) or breaks it.
"""

import inspect
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from snakemake.jobs import Job
from snakemake.scheduling.job_scheduler import JobScheduler

from sigterm import exit_gracefully_at_any_time
from workflow.conftest import ROOT

_SNAKEFILE = """
import threading
include: {hooks!r}
onstart:
    {guard}
onsuccess:
    print("threads at the end:", threading.active_count())
rule all:
    default_target: True
    input: expand("n/{{i}}", i=range(40))
rule one:
    output: "n/{{i}}"
    shell: "touch {{output}}"
"""


def threads_at_the_end(folder: Path, guard: str) -> int:
    folder.mkdir()
    hooks = str(ROOT / "rules/hooks.smk")
    (folder / "Snakefile").write_text(_SNAKEFILE.format(hooks=hooks, guard=guard))
    run = subprocess.run(
        [str(Path(sys.executable).with_name("snakemake")), "-j2", "--scheduler", "greedy"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = re.search(r"threads at the end: (\d+)", run.stdout + run.stderr)
    assert found, run.stderr
    return int(found[1])


def test_the_guard_is_needed_and_works(tmp_path: Path) -> None:
    leaking = threads_at_the_end(tmp_path / "without", "pass")
    guarded = threads_at_the_end(tmp_path / "with", "switch_off_job_rate_limiter(workflow)")
    assert guarded < 12 < leaking


def test_snakemake_still_asks_each_input_of_a_job_for_pipes() -> None:
    """`GatewayExecutor` answers that at once; it would take the square of the number of reports."""
    assert "self.is_pipe_or_service_input(f)" in inspect.getsource(Job.prepare)


class OneThreadsLock:
    """A lock that says so when a thread would wait for itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None

    def __enter__(self) -> None:
        assert self._holder != threading.get_ident(), "it would wait for itself"
        self._lock.acquire()
        self._holder = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._holder = None
        self._lock.release()


def test_a_sigterm_that_comes_while_snakemake_holds_its_lock_ends_it_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scheduler: Any = JobScheduler.__new__(JobScheduler)
    monkeypatch.setattr(scheduler, "_lock", OneThreadsLock(), raising=False)
    monkeypatch.setattr(scheduler, "_open_jobs", threading.Semaphore(0), raising=False)
    monkeypatch.setattr(JobScheduler, "exit_gracefully", JobScheduler.exit_gracefully)
    with scheduler._lock, pytest.raises(AssertionError, match="wait for itself"):
        scheduler.exit_gracefully(signal.SIGTERM, None)
    exit_gracefully_at_any_time()
    with scheduler._lock:
        scheduler.exit_gracefully(signal.SIGTERM, None)
    assert scheduler._open_jobs.acquire(timeout=60)
    assert scheduler._user_kill == "graceful"
