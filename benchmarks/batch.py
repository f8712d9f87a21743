"""Ten thousand requests in batches: CPU and memory of this side, submitting and collecting."""

import argparse
import asyncio
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from setting import double, environment, machine

from reelmake.config import GeminiSettings
from reelmake.gemini.account import Account
from reelmake.gemini.batches.records import list_batches
from reelmake.results import Results
from reelmake.targets import Target
from sample_videos import RED, make_video


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--uploads", type=int, default=0, help="of them: videos that are files")
    parser.add_argument("--size", type=int, default=1000, help="requests of one batch")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reelmake-batch-") as name:
        os.chdir(name)
        with double(Path(name) / "double", batch_seconds=20.0) as (url, _):
            os.environ |= environment(url)
            asyncio.run(run(Path(name), arguments))


async def run(folder: Path, arguments: argparse.Namespace) -> None:
    settings = GeminiSettings(tier="batch", batch_size=arguments.size)
    results = Results(folder / "results")
    files = make_files(folder / "videos", arguments.uploads)
    addresses = [f"https://www.youtube.com/watch?v={n:011}" for n in range(arguments.requests)]
    videos = [*files, *addresses][: arguments.requests]
    targets = [
        Target(video=video, name=f"v{number}", template="summary_report")
        for number, video in enumerate(videos)
    ]
    before_mb, began_s = peak_mb(), time.process_time()
    began = time.monotonic()
    async with Account(settings, results, run=asyncio.to_thread) as account:
        account.batches.expect(targets)
        work = [asyncio.create_task(account.batches.prepare(target)) for target in targets]
        while not is_submitted(results, arguments.requests):
            await asyncio.sleep(0.5)
        submitted_s, submitted = time.process_time() - began_s, time.monotonic() - began
        submitted_mb = peak_mb()
        await asyncio.gather(*work)
    collected_s = time.process_time() - began_s - submitted_s
    count = arguments.requests
    out = [
        f"{count:,} requests, {arguments.uploads:,} of them with an upload, in batches of "
        f"{arguments.size:,}; {machine()}; {time.strftime('%Y-%m-%d')}",
        "",
        "| | |",
        "|---|---|",
        f"| CPU until all are submitted, a request | {submitted_s / count * 1000:.2f} ms |",
        f"| time until all are submitted | {submitted:.0f} s |",
        f"| CPU to collect the answers, each | {collected_s / count * 1000:.2f} ms |",
        f"| peak memory: before, submitted, at the end | {before_mb:.0f}, {submitted_mb:.0f}, "
        f"{peak_mb():.0f} MB |",
    ]
    sys.stdout.write("\n".join(out) + "\n")


def is_submitted(results: Results, count: int) -> bool:
    return sum(record.requests for record in list_batches(results) if record.job) == count


def make_files(folder: Path, count: int) -> list[str]:
    """Little videos that differ in what follows the last frame."""
    folder.mkdir()
    original = make_video(folder / "original.mp4", [(RED, 20.0)], size=(64, 64), fps=1)
    paths = [folder / f"{number}.mp4" for number in range(count)]
    for number, path in enumerate(paths):
        shutil.copy(original, path)
        with path.open("ab") as file:
            file.write(b"%08d" % number)
    return [str(path) for path in paths]


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
