"""Failures of fetching: one of them, and yet of every report that the video was fetched for."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from reelmake.files import write_atomically
from reelmake.jobs import read_failure
from reelmake.results import Results
from reelmake.targets import Target


def target_of_fetching(url: str, path: Path) -> Target:
    """A target that stands for the download itself, so that it fails like every other job."""
    return Target(video=str(path), source=url, name=path.name, template="fetched")


def spread_failures(results: Results, targets: Iterable[Target]) -> None:
    """Give every report of a video that could not be fetched the failure of its download.

    A job of the report removes it again, when one comes to run.
    """
    wanting: dict[str, list[Target]] = defaultdict(list)
    for target in targets:
        if target.source:
            wanting[target.video].append(target)
    for path, reports in wanting.items():
        failure = read_failure(results.failure("fetched", Path(path).name))
        if failure is None or Path(path).exists():
            continue
        for report in reports:
            row = replace(failure, video=report.name, template=report.template)
            text = json.dumps(asdict(row), ensure_ascii=False, indent=1) + "\n"
            write_atomically(results.failure(*report.key), text)
