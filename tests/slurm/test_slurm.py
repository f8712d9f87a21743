"""Reports built by the nodes of a real Slurm, and what interruptions of that must not lose."""

import hashlib
import subprocess
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from gemini_double import Fault, GeminiDouble
from sample_videos import many_videos
from slurm.conftest import KEY, Slurm, on
from workflow.conftest import ROOT, Project
from workflow.interruptions import (
    calls_begun,
    ctrl_c,
    kill_snakemake,
    left_over,
    processes,
    wait_until,
)

CLUSTER = on("slurm")


def test_twenty_videos_on_two_nodes_and_one_that_fails(
    slurm: Slurm, project: Project, double: GeminiDouble
) -> None:
    many_videos(project.folder / "videos", 20)
    double.faults.add(Fault("overloaded", video=sha256(project, 3), times=1))
    double.faults.add(Fault("no_candidates", video=sha256(project, 7), times=1))

    process = project.start(*CLUSTER, "--resources", "gemini_calls=4", cores=6)
    output, seen = watched(process, slurm)

    assert process.returncode == 1, output
    assert "Traceback" not in output
    (failure,) = project.rows("failures.tsv")
    assert (failure["video"], failure["code"]) == ("video-0007", "answer_empty")
    rows = {row["video"]: row for row in project.rows("summary.tsv")}
    assert sum(row["status"] == "done" for row in rows.values()) == 19
    assert rows["video-0003"]["attempts"] == "2"
    assert len(double.ledger.billed()) == 20

    jobs = slurm.jobs(project.folder)
    assert rules_run_by(slurm, project) == ["analyze_video"] * 20
    assert {job["NodeList"] for job in jobs} == {"node1", "node2"}
    assert most_at_once(jobs) == 4

    assert KEY not in seen
    assert KEY not in output
    assert [path for path in project.folder.rglob("*") if holds_key(path)] == []

    again = project.run(*CLUSTER)
    assert again.code == 0, again.output
    assert again.jobs["analyze_video"] == 1
    assert len(double.ledger.billed()) == 21
    assert project.run(*CLUSTER).had_nothing_to_do


def test_ctrl_c_ends_the_jobs_and_loses_no_answer(
    slurm: Slurm, project: Project, double: GeminiDouble
) -> None:
    many_videos(project.folder / "videos", 2)
    double.settings.update({"latency": 2.0})
    process = project.start(*CLUSTER)
    wait_until(lambda: calls_begun(project) == 2, 120)
    ctrl_c(process)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, output
    wait_until(lambda: slurm.queue("%i") == [] and left_over(project.folder) == [])
    # The next run may as well be one here: nodes and this machine share the answers.
    assert project.run().code == 0
    assert_all_is_there_and_paid_once(project, double)


def test_after_kill_9_the_next_run_waits_for_the_jobs_that_went_on(
    slurm: Slurm, project: Project, double: GeminiDouble
) -> None:
    many_videos(project.folder / "videos", 2)
    double.settings.update({"latency": 5.0})
    process = project.start(*CLUSTER)
    wait_until(lambda: calls_begun(project) == 2, 120)
    kill_snakemake(process)
    left = slurm.queue("%i")
    slurm.suspend(left)
    assert len(left) == 2
    process.communicate(timeout=60)
    project.run("--unlock")

    again = project.start(*CLUSTER)
    told = next(line for line in again.stdout or () if "of an earlier run here" in line)
    assert told.startswith("2 jobs of an earlier run here are still in Slurm, and are waited for.")
    assert all(job in told.split("scancel ")[1] for job in left)
    slurm.resume(left)
    output, _ = again.communicate(timeout=120)
    assert again.returncode == 0, output
    assert_all_is_there_and_paid_once(project, double)


def assert_all_is_there_and_paid_once(project: Project, double: GeminiDouble) -> None:
    assert project.rows("failures.tsv") == []
    assert [row["status"] for row in project.rows("summary.tsv")] == ["done", "done"]
    assert len(double.ledger.billed()) == 2


def test_a_budget_that_nodes_can_not_keep_is_refused_and_quotas_are_spoken_of(
    slurm: Slurm, project: Project, double: GeminiDouble
) -> None:
    many_videos(project.folder / "videos", 1)
    project.config |= {"budget_usd": 5, "gemini": {"rpm": 60}}
    run = project.run(*CLUSTER)
    assert run.code == 1
    assert "`budget_usd: 5` can't be held by jobs on nodes" in run.output
    assert "profiles/slurm-offline-nodes" in run.output
    assert "`gemini.quota_store` has them share the quotas" in run.output
    assert double.ledger.count("upload_start") == 0


def test_where_nodes_have_no_internet_all_calls_are_made_by_the_gateway(
    slurm: Slurm, project: Project, double: GeminiDouble
) -> None:
    many_videos(project.folder / "videos", 1)
    project.config |= {"frames": True, "budget_usd": 5}
    run = project.run(*on("slurm-offline-nodes"))
    assert run.code == 0, run.output
    assert len(double.ledger.billed()) == 1
    assert rules_run_by(slurm, project) == ["extract_frames"]


def test_the_offline_engine_gets_the_gpu_that_the_profile_asks_for(
    slurm: Slurm, project: Project, tmp_path: Path
) -> None:
    many_videos(project.folder / "videos", 1, seconds=2.0)
    project.config["engine"] = "local"
    del project.environment["GEMINI_API_KEY"]
    text = (ROOT / "profiles/slurm/config.yaml").read_text()
    assert "    # gpu: 1 " in text
    profile = tmp_path / "with-gpu/config.yaml"
    profile.parent.mkdir()
    profile.write_text(text.replace("    # gpu: 1 ", "    gpu: 1 "))
    run = project.run(*on(str(profile.parent)))
    assert run.code == 0, run.output
    (job,) = slurm.jobs(project.folder)
    assert job["NodeList"] == "node2"
    assert job["TresPerJob"] == "gres:gpu:1"
    assert job["NumCPUs"] == "2"


def test_any_command_that_submits_jobs_will_do_and_a_cancelled_job_is_a_failure(
    slurm: Slurm, project: Project, double: GeminiDouble
) -> None:
    many_videos(project.folder / "videos", 2)
    double.settings.update({"latency": 3.0})
    process = project.start(*on("cluster-generic"))
    wait_until(lambda: calls_begun(project) == 2, 120)
    slurm.cancel(slurm.queue("%i")[0])
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1, output
    (failure,) = project.rows("failures.tsv")
    assert failure["code"] == "job_killed"
    assert sorted(row["status"] for row in project.rows("summary.tsv")) == ["done", "failed"]

    double.settings.update({"latency": 0.0})
    again = project.run()
    assert again.code == 0, again.output
    assert_all_is_there_and_paid_once(project, double)


def rules_run_by(slurm: Slurm, project: Project) -> list[str]:
    comments = [job["Comment"] for job in slurm.jobs(project.folder)]
    return [comment.removeprefix("rule_").split("_wildcards_")[0] for comment in comments]


def most_at_once(jobs: Sequence[Mapping[str, str]]) -> int:
    """By the seconds in which they began and ended; of the same second, ends come first."""
    changes = [(job["EndTime"], -1) for job in jobs] + [(job["StartTime"], 1) for job in jobs]
    return max(accumulate(change for _, change in sorted(changes)))


def sha256(project: Project, number: int) -> str:
    video = project.folder / f"videos/video-{number:04}.mp4"
    return hashlib.sha256(video.read_bytes()).hexdigest()


def watched(process: "subprocess.Popen[str]", slurm: Slurm) -> tuple[str, str]:
    """Its output; and the list of processes, Slurm's scripts and queue as they were meanwhile."""
    seen: set[str] = set()
    while True:
        try:
            output, _ = process.communicate(timeout=1.0)
        except subprocess.TimeoutExpired:
            seen.update(line for _, _, line in processes())
            seen.update(slurm.scripts(), slurm.queue("%all"))
        else:
            assert any("sbatch" in line or "srun" in line for line in seen)
            assert any("analyze_gemini.py" in line for line in seen)
            return output, "\n".join(seen)


def holds_key(path: Path) -> bool:
    return path.is_file() and KEY.encode() in path.read_bytes()
