"""Reports built by the nodes of a real Slurm, and what interruptions of that must not lose."""

import hashlib
import subprocess
from pathlib import Path

from gemini_double import Fault, GeminiDouble
from sample_videos import many_videos
from slurm.conftest import KEY, Slurm, on
from workflow.conftest import Project
from workflow.interruptions import processes

CLUSTER = on("slurm")


def test_twenty_videos_on_two_nodes_and_one_that_fails(
    slurm: Slurm, project: Project, double: GeminiDouble
) -> None:
    many_videos(project.folder / "videos", 20)
    double.faults.add(Fault("overloaded", video=sha256(project, 3), times=1))
    double.faults.add(Fault("no_candidates", video=sha256(project, 7), times=1))

    process = project.start(*CLUSTER, cores=6)
    output, seen = watched(process, slurm)

    assert process.returncode == 1, output
    assert "Traceback" not in output
    (failure,) = project.rows("failures.tsv")
    assert (failure["video"], failure["code"]) == ("video-0007", "answer_empty")
    rows = {row["video"]: row for row in project.rows("summary.tsv")}
    assert sum(row["status"] == "done" for row in rows.values()) == 19
    assert rows["video-0003"]["attempts"] == "2"
    assert len(double.ledger.billed()) == 20

    jobs = [job for job in slurm.history() if job["WorkDir"] == str(project.folder)]
    assert len(jobs) == 20
    assert {job["NodeList"] for job in jobs} == {"node1", "node2"}

    assert KEY not in seen
    assert KEY not in output
    assert [path for path in project.folder.rglob("*") if holds_key(path)] == []

    again = project.run(*CLUSTER)
    assert again.code == 0, again.output
    assert again.jobs["analyze_video"] == 1
    assert len(double.ledger.billed()) == 21
    assert project.run(*CLUSTER).had_nothing_to_do


def sha256(project: Project, number: int) -> str:
    video = project.folder / f"videos/video-{number:04}.mp4"
    return hashlib.sha256(video.read_bytes()).hexdigest()


def watched(process: "subprocess.Popen[str]", slurm: Slurm) -> tuple[str, str]:
    """Its output; and the list of processes, Slurm's scripts and queue as they were meanwhile."""
    seen: set[str] = set()
    while True:
        try:
            output, _ = process.communicate(timeout=0.3)
        except subprocess.TimeoutExpired:
            seen.update(line for _, _, line in processes())
            seen.update(slurm.scripts(), slurm.queue("%all"))
        else:
            assert any("sbatch" in line or "srun" in line for line in seen)
            assert any("analyze_gemini.py" in line for line in seen)
            return output, "\n".join(seen)


def holds_key(path: Path) -> bool:
    return path.is_file() and KEY.encode() in path.read_bytes()
