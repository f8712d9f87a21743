"""Rule render_report: an analysis and its frames → the Markdown report."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.analysis import read_analysis
from reelmake.edits import signed, write_report
from reelmake.frames import pictures_in
from reelmake.jobs import job
from reelmake.report import render_report
from reelmake.results import Results
from reelmake.targets import Target, is_url
from reelmake.templates import load_template

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target: Target, analysis: Path, report: Path, *, frames: Path | None) -> None:
    text = render_report(
        read_analysis(analysis),
        load_template(target.template),
        source_link=_link_to(target.video, report.parent),
        frames=pictures_in(frames, relative_to=report.parent) if frames else [],
        tags=target.tags,
        extra=target.extra,
    )
    written = write_report(report, signed(text))
    if written != report:
        sys.stderr.write(f"{report} was edited and is kept; its new version is {written}\n")


def _link_to(video: str, folder: Path) -> str:
    return video if is_url(video) else os.path.relpath(video, folder)


if __name__ == "__main__":
    wanted = Target.model_validate_json(snakemake.params.target)
    where = Results(Path(snakemake.params.results))
    with job(wanted, where, Path(snakemake.log[0])):
        main(
            wanted,
            Path(snakemake.input.analysis),
            Path(snakemake.output.report),
            frames=next(map(Path, snakemake.input.frames), None),
        )
