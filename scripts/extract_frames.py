"""Rule extract_frames: a video and its analysis → pictures of the key moments."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.analysis import read_analysis
from reelmake.frames import cited_times, write_frames
from reelmake.jobs import job
from reelmake.results import Results
from reelmake.targets import Target, is_url

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(video: str, analysis: Path, frames: Path) -> None:
    times = [] if is_url(video) else cited_times(read_analysis(analysis))
    write_frames(Path(video), times, frames)


if __name__ == "__main__":
    wanted = Target.model_validate_json(snakemake.params.target)
    where = Results(Path(snakemake.params.results))
    with job(wanted, where, Path(snakemake.log[0])):
        main(wanted.video, Path(snakemake.input.analysis), Path(snakemake.output.frames))
