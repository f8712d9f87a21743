"""Five minutes at the edge of a quota: how much of it is used, and whether it is ever hit.

The double counts in sliding minutes, as the service does, and refuses what is too much.
"""

import argparse
import itertools
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from measuring import measure
from setting import SNAKEMAKE, double, environment, machine, records

from sample_videos import RED, copies, make_video

LENGTHS_S = (20.0, 60.0, 20.0, 300.0, 40.0, 1200.0)
TOKENS_A_SECOND = 102


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rpm", type=int, default=600)
    parser.add_argument("--tpm", type=int, default=4_000_000)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, default=10.0, help="that a call takes")
    parser.add_argument("--lengths", type=float, nargs="+", default=LENGTHS_S, help="of videos")
    parser.add_argument("--jobs", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reelmake-quota-") as name:
        run(Path(name), arguments)


def run(folder: Path, arguments: argparse.Namespace) -> None:
    mean_tokens = sum(arguments.lengths) / len(arguments.lengths) * TOKENS_A_SECOND
    per_minute = min(arguments.rpm, arguments.tpm / mean_tokens)
    make_videos(folder / "videos", arguments.lengths, int(per_minute * (arguments.minutes + 0.5)))
    config = {
        "videos": "videos",
        "template": "summary_report",
        "frames": False,
        "gemini": {"rpm": arguments.rpm, "tpm": arguments.tpm, "max_in_flight": arguments.jobs},
    }
    (folder / "my.yaml").write_text(yaml.safe_dump(config))
    quota = {"rpm": arguments.rpm, "tpm": arguments.tpm, "latency": arguments.seconds}
    with double(folder / "double", **quota) as (url, ledger):
        command = [*SNAKEMAKE, "--configfile", "my.yaml", f"-j{arguments.jobs}"]
        measured = measure(
            command, folder=folder, environment=environment(url), watch=["/gateway.py"]
        )
        if measured.code != 0:
            sys.exit((folder / "output.txt").read_text()[-3000:])
        show(records(ledger), measured.peak_mb["/gateway.py"], arguments)


def make_videos(folder: Path, lengths_s: tuple[float, ...], count: int) -> None:
    folder.mkdir()
    originals = [
        make_video(folder / f"{number}.mp4", [(RED, length)], size=(64, 64), fps=1, sound="tone")
        for number, length in enumerate(lengths_s)
    ]
    for number, original in zip(range(count), itertools.cycle(originals), strict=False):
        copies(original, folder, [number])
    for original in originals:
        original.unlink()


def show(calls: list[dict[str, Any]], gateway_mb: float, arguments: argparse.Namespace) -> None:
    first = min(call["started"] for call in calls)
    inside = [
        call
        for call in calls
        if call["status"] == 200 and call["started"] < first + arguments.minutes * 60
    ]
    tokens = sum(call["prompt_tokens"] for call in inside)
    refused = sum(call["status"] == 429 for call in calls)
    out = [
        f"rpm {arguments.rpm}, tpm {arguments.tpm:,}, {arguments.minutes:g} minutes, videos of "
        f"{', '.join(f'{length:g}' for length in arguments.lengths)} s, calls of "
        f"{arguments.seconds:g} s; {machine()}; {time.strftime('%Y-%m-%d')}",
        "",
        "| | |",
        "|---|---|",
        f"| requests used | {len(inside) / arguments.rpm / arguments.minutes:.1%} |",
        f"| tokens used | {tokens / arguments.tpm / arguments.minutes:.1%} |",
        f"| refused with 429 | {refused} of {len(calls)} |",
        f"| gateway, peak memory | {gateway_mb:.0f} MB |",
    ]
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
