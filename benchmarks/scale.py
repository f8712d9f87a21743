"""How a project grows: the first run, one with nothing to do, one changed video; bare beside it."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import yaml
from measuring import Measured, measure
from setting import PYTHON, ROOT, SNAKEMAKE, double, environment, machine, records

from sample_videos import copies, many_videos

GATEWAY = "/gateway.py"
WATCH = [GATEWAY, "bin/snakemake"]
MOST_BARE = 1000
"""Videos for which Snakemake alone runs all jobs; beyond, its files are put there by hand."""
CONFIG = {"videos": "videos", "template": "summary_report", "frames": False}
MAKE_INDEX = (
    "import sys; from pathlib import Path; from reelmake.index import write_index; "
    "results = Path(sys.argv[1]); "
    "write_index(results, [('summary_report', p.stem) for p in results.glob('reports/*/*.md')])"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--jobs", type=int, default=64)
    arguments = parser.parse_args()
    sys.stdout.write(f"calls of no time, -j{arguments.jobs}; {machine()}; {revision()}\n\n")
    for videos in arguments.videos:
        with tempfile.TemporaryDirectory(prefix="reelmake-scale-") as name:
            sys.stdout.write("\n".join([*grown(Path(name), videos, arguments.jobs), "", ""]))
            sys.stdout.flush()


def grown(folder: Path, videos: int, jobs: int) -> list[str]:
    """A table of one size."""
    many_videos(folder / "videos", videos)
    (folder / "my.yaml").write_text(yaml.safe_dump(CONFIG))
    rows = [f"| {videos:,} videos | wall | CPU | peak memory |", "|---|---|---|---|"]
    with double(folder / "double") as (url, ledger):

        def run(what: str, *more: str, asked: int) -> None:
            before = len(records(ledger)) if ledger.exists() else 0
            command = [*SNAKEMAKE, "--configfile", "my.yaml", f"-j{jobs}", *more]
            measured = measure(command, folder=folder, environment=environment(url), watch=WATCH)
            check(measured, folder, len(records(ledger)) - before == asked)
            rows.append(row(what, measured, asked))

        run("all of them", asked=videos)
        run("nothing to do", asked=0)
        run("nothing to do, `-n`", "-n", asked=0)
        copies(folder / "videos/video-0000.mp4", folder / "videos", [0])
        run("one has changed", asked=1)
        (folder / ".snakemake/reelmake/settled.json").unlink()
        run("nothing to do, and all is looked at", asked=0)
    rows.append(row("index.html and tables alone", index(folder)))
    rows += bare(folder, videos, jobs)
    return [*rows, "", layout(folder)]


def index(folder: Path) -> Measured:
    command = [PYTHON, "-c", MAKE_INDEX, "results"]
    environment = {"PYTHONPATH": str(ROOT / "scripts")}
    return measure(command, folder=folder, environment=environment, watch=["-c"])


def bare(folder: Path, videos: int, jobs: int) -> list[str]:
    """Snakemake alone, with as many jobs of the same shape."""
    snakefile = Path(__file__).with_name("bare_snakemake.smk")
    command = [SNAKEMAKE[0], "--snakefile", str(snakefile), "--quiet", "all", f"-j{jobs}"]
    command += ["--scheduler", "greedy", "--config", f"videos={videos}", "seconds=0"]

    def run(what: str) -> str:
        measured = measure(command, folder=folder, environment={}, watch=WATCH)
        check(measured, folder, len(list(folder.glob("bare/*.md"))) == videos)
        return row(f"Snakemake alone: {what}", measured)

    rows = []
    if videos <= MOST_BARE:
        rows.append(run("sleep 0, then cp"))
    else:
        for suffix in ("json", "md"):
            for number in range(videos):
                file = folder / f"bare/{number}.{suffix}"
                file.parent.mkdir(exist_ok=True)
                file.touch()
    rows.append(run("nothing to do"))
    (folder / "bare/0.json").unlink()
    return [*rows, run("one is missing")]


def row(what: str, measured: Measured, reports: int = 0) -> str:
    pace = f" ({reports / measured.wall_s:.1f} reports a second)" if reports > 1 else ""
    peaks = measured.peak_mb
    memory = ", ".join(
        f"{name} {peaks[word]:.0f} MB"
        for word, name in ((GATEWAY, "gateway"), ("bin/snakemake", "Snakemake"), ("-c", "it"))
        if word in peaks
    )
    return f"| {what}{pace} | {measured.wall_s:.1f} s | {measured.cpu_s:.1f} s | {memory} |"


def layout(folder: Path) -> str:
    """The fullest folders of the results: what a file system has to bear."""
    results = folder / "results"
    counts = Counter(path.parent.relative_to(results) for path in results.rglob("*"))
    most = ", ".join(f"`{path}/` {count:,}" for path, count in counts.most_common(4))
    store = [count for path, count in counts.items() if path.parts[:1] == ("responses",)]
    return f"Entries: {most}; in a folder of the store {max(store):,} at most."


def check(measured: Measured, folder: Path, complete: bool) -> None:
    if measured.code != 0 or not complete:
        output = (folder / "output.txt").read_text(errors="replace")
        sys.exit(f"it failed ({measured.code}):\n{output[-3000:]}")


def revision() -> str:
    found: Sequence[str] = ["git", "rev-parse", "--short", "HEAD"]
    head = subprocess.run(found, capture_output=True, text=True, check=False).stdout.strip()
    return f"{time.strftime('%Y-%m-%d')}; {head}"


if __name__ == "__main__":
    main()
