"""Rule export_report: a report → its web page, Word document or PDF."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.exports.export import export_report
from reelmake.jobs import job
from reelmake.results import Results
from reelmake.targets import Target

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


if __name__ == "__main__":
    wanted = Target.model_validate_json(snakemake.params.target)
    where = Results(Path(snakemake.params.results))
    with job(wanted, where, Path(snakemake.log[0])):
        export_report(
            Path(snakemake.input.report),
            Path(snakemake.output.document),
            index=where.root / "index.html",
        )
