"""What `videos:` costs a run.

    PYTHONPATH=scripts:tests python benchmarks/inputs.py [number of videos]

Makes that many little videos (10,000: 60 MB) in a temporary folder, and a table that names each,
and prints seconds: looking into all of them once, then reading, checking and naming them again
when nothing changed, and when one in ten did.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from reelmake.config import Config
from reelmake.inputs.table import targets, video_table
from sample_videos import RED, make_video


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        videos = _make_videos(count)
        for name in ("videos", "table.csv"):
            _measure(f"{name}: first time", name)
            _measure(f"{name}: nothing changed", name)
        for video in videos[::10]:
            os.utime(video)
        _measure("videos: one in ten touched", "videos")


def _make_videos(count: int) -> list[Path]:
    sample = make_video(Path("sample.mp4"), [(RED, 2.0)], size=(64, 64), fps=2)
    videos = [
        Path(f"videos/week {number % 40:02}/Lecture {number:05} 光合作用.mp4")
        for number in range(count)
    ]
    for video in videos:
        video.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample, video)
    rows = [f"{video},{number % 5},biology;cells,Dr Li" for number, video in enumerate(videos)]
    text = "\n".join(["video,priority,tags,speaker", *rows])
    Path("table.csv").write_text(text, encoding="utf-8")
    return videos


def _measure(what: str, videos: str) -> None:
    began = time.perf_counter()
    config = Config(videos=videos, template="summary_report")
    reports = targets(video_table(config))
    seconds = time.perf_counter() - began
    sys.stdout.write(f"{seconds:7.2f} s  {what} ({len(reports):,} reports)\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
