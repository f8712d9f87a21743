"""Rule analyze_video with the offline engine: a video → its analysis."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.analysis import write_analysis
from reelmake.jobs import job
from reelmake.local.job import analyse_video
from reelmake.memory import MEMORY_WITH_MODELS_BYTES, limit_memory
from reelmake.results import Results
from reelmake.targets import Target
from reelmake.templates import load_template

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    target: Target,
    analysis: Path,
    *,
    results: Results,
    model: str,
    threads: int,
) -> None:
    template = load_template(target.template)
    found = analyse_video(target, template, results=results, speech_model=model, threads=threads)
    write_analysis(found, analysis)


if __name__ == "__main__":
    limit_memory(MEMORY_WITH_MODELS_BYTES)
    wanted = Target.model_validate_json(snakemake.params.target)
    where = Results(Path(snakemake.params.results))
    with job(wanted, where, Path(snakemake.log[0])) as outcome:
        main(
            wanted,
            Path(snakemake.output.analysis),
            results=where,
            model=snakemake.params.speech_model,
            threads=snakemake.threads,
        )
    outcome.exit()
