"""Snakemake's job rate limiter leaks a thread for each finished job; we switch it off.

This fails when a newer Snakemake makes the guard needless (remove it then) or breaks it.
"""

import inspect
import re
import subprocess
import sys
from pathlib import Path

from snakemake.jobs import Job

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
