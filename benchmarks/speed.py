"""The main job against a plain asyncio script, on the same double in one run."""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from measuring import Measured, measure
from setting import PYTHON, SNAKEMAKE, double, environment, machine, records

from reelmake.frames import write_frames
from sample_videos import many_videos

GATEWAY = "/gateway.py"
CONFIG = {"videos": "videos", "template": "summary_report", "gemini": {"max_in_flight": 10_000}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=256)
    parser.add_argument("--jobs", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0, help="that a call takes")
    parser.add_argument("--frames", action="store_true", help="with pictures in the reports")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reelmake-speed-") as name:
        folder = Path(name)
        many_videos(folder / "videos", arguments.videos)
        rows = [plain(folder, arguments), reelmake(folder, arguments), bare(folder, arguments)]
        if arguments.frames:
            rows.append(bare_frames(folder))
    show(rows, arguments)


def plain(folder: Path, arguments: argparse.Namespace) -> tuple[str, Measured]:
    script = Path(__file__).with_name("plain_asyncio.py")
    command = [PYTHON, str(script), "videos", "out", "--jobs", str(arguments.jobs)]
    with double(folder / "plain", latency=arguments.seconds) as (url, ledger):
        measured = measure(command, folder=folder, environment=environment(url), watch=["plain_"])
        check(measured, folder, len(records(ledger)) == arguments.videos)
    return "plain asyncio script", measured


def reelmake(folder: Path, arguments: argparse.Namespace) -> tuple[str, Measured]:
    config = {**CONFIG, "frames": arguments.frames}
    (folder / "my.yaml").write_text(yaml.safe_dump(config))
    command = [*SNAKEMAKE, "--configfile", "my.yaml", f"-j{arguments.jobs}"]
    watch = [GATEWAY, "bin/snakemake"]
    with double(folder / "reelmake", latency=arguments.seconds) as (url, ledger):
        began = time.time()
        measured = measure(command, folder=folder, environment=environment(url), watch=watch)
        calls = records(ledger)
        first = min(call["wall"] for call in calls) - began
        last = max(call["wall"] + call["finished"] - call["started"] for call in calls) - began
        sys.stderr.write(
            f"first call after {first:.1f} s, calls for {last - first:.1f} s, "
            f"then {measured.wall_s - last:.1f} s to the end\n"
        )
        reports = len(list(folder.glob("results/reports/*/*.md")))
        check(measured, folder, len(records(ledger)) == reports == arguments.videos)
    return "reelmake", measured


def bare(folder: Path, arguments: argparse.Namespace) -> tuple[str, Measured]:
    """Snakemake alone: jobs that sleep as long as a call takes, and jobs that copy."""
    snakefile = Path(__file__).with_name("bare_snakemake.smk")
    command = [SNAKEMAKE[0], "--snakefile", str(snakefile), "--quiet", "all"]
    command += [f"-j{arguments.jobs}", "--scheduler", "greedy", "--config"]
    command += [f"videos={arguments.videos}", f"seconds={arguments.seconds:g}"]
    measured = measure(command, folder=folder, environment={}, watch=["bin/snakemake"])
    check(measured, folder, len(list(folder.glob("bare/*.md"))) == arguments.videos)
    return "Snakemake alone: sleep, then cp", measured


def bare_frames(folder: Path) -> tuple[str, Measured]:
    """Decoding alone: the same pictures, by one process that does nothing else."""
    videos = sorted(folder.glob("videos/*.mp4"))
    began, cpu = time.monotonic(), time.process_time()
    for video in videos:
        write_frames(video, [5.0, 10.0, 15.0], folder / "frames" / video.stem)
    shutil.rmtree(folder / "frames")
    return "bare decoding of three pictures", Measured(
        0, time.monotonic() - began, time.process_time() - cpu
    )


def check(measured: Measured, folder: Path, complete: bool) -> None:
    if measured.code != 0 or not complete:
        output = (folder / "output.txt").read_text(errors="replace")
        sys.exit(f"it failed ({measured.code}):\n{output[-3000:]}")


def show(rows: list[tuple[str, Measured]], arguments: argparse.Namespace) -> None:
    revision = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    base = rows[0][1].wall_s
    out = [
        f"{arguments.videos} videos, calls of {arguments.seconds:g} s, {arguments.jobs} at once, "
        f"frames {'on' if arguments.frames else 'off'}; {machine()}; {time.strftime('%Y-%m-%d')}; "
        f"{revision}",
        "",
        "| | wall | ratio | CPU a report | peak memory |",
        "|---|---|---|---|---|",
    ]
    for name, measured in rows:
        memory = ", ".join(f"{w} {mb:.0f} MB" for w, mb in sorted(measured.peak_mb.items()))
        out.append(
            f"| {name} | {measured.wall_s:.1f} s | {measured.wall_s / base:.2f} | "
            f"{measured.cpu_s / arguments.videos * 1000:.1f} ms | {memory} |"
        )
    out += ["", *parts(rows[1][1], arguments.videos)]
    sys.stdout.write("\n".join(out) + "\n")


def parts(measured: Measured, videos: int) -> list[str]:
    """Where the CPU time of the main job goes."""
    of = measured.cpu_s_of
    others = measured.cpu_s - sum(of[word] for word in ("bin/snakemake", GATEWAY, "daemons"))
    shares = {
        "Snakemake": of["bin/snakemake"],
        "gateway": of[GATEWAY],
        "its workers": of["daemons"],
        "other processes": others,
    }
    each = [f"| {name} | {cpu / videos * 1000:.1f} ms |" for name, cpu in shares.items()]
    return ["| CPU a report | |", "|---|---|", *each]


if __name__ == "__main__":
    main()
