"""A run that is interrupted at random, fifty times, and whether anything is bought twice.

Ctrl-C, SIGTERM, kill -9 of Snakemake and of the gateway, each time another moment. When all reports
are there before the last interruption, the next round begins with nothing. The short form of this
is tests/workflow/test_soak.py.
"""

import argparse
import secrets
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from setting import machine

from gemini_double import TEST_KEY, GeminiDouble, Settings
from sample_videos import many_videos
from workflow.conftest import SUMMARY, Project
from workflow.soak import Soak, soak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interruptions", type=int, default=50)
    parser.add_argument("--videos", type=int, default=200, help="of a round")
    parser.add_argument("--jobs", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=1.0, help="that a call takes")
    parser.add_argument("--longest", type=float, default=8.0, help="seconds to the next one")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    arguments = parser.parse_args()
    sys.stderr.write(f"seed {arguments.seed}\n")
    chosen = Random(arguments.seed)  # noqa: S311  reproducible on purpose
    total, rounds = Soak(), 0
    while (left := arguments.interruptions - total.interruptions.total()) > 0:
        total += one_round(chosen, left, arguments)
        rounds += 1
    sys.stdout.write(
        f"seed {arguments.seed}, {rounds} rounds of {arguments.videos} videos, calls of "
        f"{arguments.seconds:g} s, {arguments.jobs} at once; {machine()}; "
        f"{time.strftime('%Y-%m-%d')}\n\n"
        "| interrupted by | times |\n|---|---|\n"
        + "".join(f"| {way} | {times} |\n" for way, times in sorted(total.interruptions.items()))
        + f"\n{total.runs} runs in {total.seconds:.0f} s; {total.reports} reports; "
        f"{total.billed} answers billed, {total.lost} of them lost on their way to a gateway that "
        "was killed; none that had arrived was bought again\n"
    )


def one_round(chosen: Random, interruptions: int, arguments: argparse.Namespace) -> Soak:
    with (
        tempfile.TemporaryDirectory(prefix="reelmake-soak-") as name,
        GeminiDouble(Settings(latency=arguments.seconds)) as double,
    ):
        many_videos(Path(name) / "videos", arguments.videos)
        key = {"GEMINI_API_KEY": TEST_KEY, "GOOGLE_GEMINI_BASE_URL": double.url}
        return soak(
            Project(Path(name), dict(SUMMARY), key),
            double,
            chosen,
            interruptions=interruptions,
            longest_s=arguments.longest,
            cores=arguments.jobs,
        )


if __name__ == "__main__":
    main()
