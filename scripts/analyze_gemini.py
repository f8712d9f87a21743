"""Rule analyze_video with Gemini: a video → its analysis."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.analysis import write_analysis
from reelmake.config import GeminiSettings
from reelmake.gemini.engine import analyse_video
from reelmake.jobs import job
from reelmake.results import Results
from reelmake.targets import Target
from reelmake.templates import load_template

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    target: Target,
    analysis: Path,
    *,
    settings: GeminiSettings,
    results: Results,
) -> None:
    template = load_template(target.template)
    found = asyncio.run(analyse_video(target, template, settings=settings, results=results))
    write_analysis(found, analysis)


if __name__ == "__main__":
    wanted = Target.model_validate_json(snakemake.params.target)
    where = Results(Path(snakemake.params.results))
    with job(wanted, where, Path(snakemake.log[0])):
        main(
            wanted,
            Path(snakemake.output.analysis),
            settings=GeminiSettings.model_validate_json(snakemake.params.settings),
            results=where,
        )
