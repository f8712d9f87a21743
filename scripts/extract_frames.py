"""Rule extract_frames: a video and its analysis → pictures of the key moments."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.analysis import read_analysis
from reelmake.frames import write_frames
from reelmake.jobs import job
from reelmake.results import Results
from reelmake.targets import Target

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(video: Path, analysis: Path, frames: Path) -> None:
    write_frames(video, [moment.time_s for moment in read_analysis(analysis).key_moments], frames)


if __name__ == "__main__":
    wanted = Target.model_validate_json(snakemake.params.target)
    where = Results(Path(snakemake.params.results))
    with job(wanted.template, wanted.name, where.failure(*wanted.key), Path(snakemake.log[0])):
        main(Path(wanted.video), Path(snakemake.input.analysis), Path(snakemake.output.frames))
