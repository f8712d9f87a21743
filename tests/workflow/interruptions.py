"""Runs that are interrupted in one way or another, and what they must not have lost."""

import os
import re
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from gemini_double import GeminiDouble
from gemini_double.ledger import Record
from workflow.conftest import Project

# Between an answer's last byte on the wire and its file in the store, when everything is slow.
SETTLING_S = 0.5


def ctrl_c(process: "subprocess.Popen[str]") -> None:
    os.killpg(process.pid, signal.SIGINT)


def sigterm(process: "subprocess.Popen[str]") -> None:
    os.kill(process.pid, signal.SIGTERM)


def kill_snakemake(process: "subprocess.Popen[str]") -> None:
    os.kill(process.pid, signal.SIGKILL)


def kill_gateway(process: "subprocess.Popen[str]") -> None:
    for gateway in gateways(process.pid):
        os.kill(gateway, signal.SIGKILL)


WAYS: dict[str, Callable[["subprocess.Popen[str]"], None]] = {
    "Ctrl-C": ctrl_c,
    "SIGTERM": sigterm,
    "kill -9 of Snakemake": kill_snakemake,
    "kill -9 of the gateway": kill_gateway,
}


def gateways(parent: int) -> list[int]:
    """Process ids of the gateways that this Snakemake has started."""
    return [pid for pid, ppid, line in processes() if ppid == parent and "/gateway.py" in line]


def left_over(folder: Path) -> list[str]:
    """Command lines of our processes that still run in a project's folder."""
    return [line for pid, _, line in processes() if _works_in(pid, folder)]


def processes() -> list[tuple[int, int, str]]:
    """(pid, parent's pid, command line) of all there are."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            status = (path / "status").read_text()
        except OSError:
            continue
        parent = re.search(r"^PPid:\s*(\d+)", status, re.MULTILINE)
        if line and parent:
            found.append((int(path.name), int(parent[1]), line))
    return found


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").resolve() == folder.resolve()
    except OSError:
        return False


def calls_begun(project: Project) -> int:
    """Calls that were sent, by what jobs say in their logs."""
    logs = project.folder.glob("logs/analyze_video/*/*.log")
    return sum(log.read_text(encoding="utf-8").count(" asking ") for log in logs)


def wait_until(done: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def interrupt_and_go_on(
    project: Project, double: GeminiDouble, way: str, answers: int, cores: int
) -> tuple[str, str]:
    """Interrupt a run once so many answers were sent, then run again; what both printed.

    All processes of the first are gone before the second begins.
    """
    process = project.start(cores=cores)
    wait_until(lambda: len(double.ledger.billed()) >= answers or process.poll() is not None)
    at = time.monotonic()
    WAYS[way](process)
    first, _ = process.communicate(timeout=120)
    wait_until(lambda: not left_over(project.folder))
    if way == "kill -9 of Snakemake":
        project.run("--unlock")
    run = project.run(cores=cores)
    assert run.code == 0, run.output
    assert project.rows("failures.tsv") == []
    assert all(row["status"] == "done" for row in project.rows("summary.tsv"))
    assert bought_again(double, [at] if way == "kill -9 of the gateway" else []) == []
    return first, run.output


def bought_again(double: GeminiDouble, killed_at: Sequence[float] = ()) -> list[Record]:
    """First answers that had reached us, of questions that were billed once more.

    What was on its way when the gateway itself was killed is lost, and only that.
    """
    answers: dict[object, list[Record]] = defaultdict(list)
    for record in double.ledger.billed():
        question = (record.model, record.video, record.prompt, record.start_offset)
        answers[question].append(record)
    return [
        record
        for records in answers.values()
        for record in records[:-1]
        if record.answered
        and record.finished is not None
        and not any(abs(record.finished - at) < SETTLING_S for at in killed_at)
    ]
