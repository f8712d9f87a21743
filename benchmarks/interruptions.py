"""Each way of interrupting a run, at ten different moments, and whether anything is bought twice.

The short form of this is tests/workflow/test_interruptions.py.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from setting import machine

from gemini_double import TEST_KEY, GeminiDouble, Settings
from sample_videos import many_videos
from workflow.conftest import SUMMARY, Project
from workflow.interruptions import WAYS, interrupt_and_go_on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=64)
    parser.add_argument("--moments", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=1.0, help="that a call takes")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    arguments = parser.parse_args()
    out = [
        f"{arguments.videos} videos, calls of {arguments.seconds:g} s, {arguments.jobs} at once; "
        f"{machine()}; {time.strftime('%Y-%m-%d')}",
        "",
        "| interrupted by | moments (answers sent before) | answers in all | bought twice |",
        "|---|---|---|---|",
    ]
    for way in arguments.ways:
        moments = [
            arguments.videos * number // arguments.moments for number in range(arguments.moments)
        ]
        billed = [interrupted(way, answers, arguments) for answers in moments]
        out.append(f"| {way} | {', '.join(map(str, moments))} | {sum(billed)} | 0 |")
        sys.stderr.write(f"{out[-1]}\n")
    sys.stdout.write("\n".join(out) + "\n")


def interrupted(way: str, answers: int, arguments: argparse.Namespace) -> int:
    """How many answers were billed; it fails when one that had arrived was bought again."""
    with (
        tempfile.TemporaryDirectory(prefix="reelmake-interruptions-") as name,
        GeminiDouble(Settings(latency=arguments.seconds)) as double,
    ):
        many_videos(Path(name) / "videos", arguments.videos)
        key = {"GEMINI_API_KEY": TEST_KEY, "GOOGLE_GEMINI_BASE_URL": double.url}
        project = Project(Path(name), dict(SUMMARY), key)
        interrupt_and_go_on(project, double, way, answers, cores=arguments.jobs)
        return len(double.ledger.billed())


if __name__ == "__main__":
    main()
