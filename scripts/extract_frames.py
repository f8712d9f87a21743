"""Rule extract_frames: a video and its analysis → pictures of the key moments."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from job_arguments import arguments_of
from reelmake.analysis import read_analysis
from reelmake.frames import cited_times, write_frames
from reelmake.jobs import JobArguments, Outcome, job
from reelmake.memory import limit_memory
from reelmake.targets import is_url

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


class Arguments(JobArguments):
    analysis: Path
    frames: Path


def main(video: str, analysis: Path, frames: Path) -> None:
    times = [] if is_url(video) else cited_times(read_analysis(analysis))
    write_frames(Path(video), times, frames)


def command(arguments: Mapping[str, Any]) -> Outcome:
    given = Arguments.model_validate(arguments)
    with job(given.target, given.results, given.log) as outcome:
        main(given.target.video, given.analysis, given.frames)
    return outcome


if __name__ == "__main__":
    limit_memory()
    command(arguments_of(snakemake)).exit()
