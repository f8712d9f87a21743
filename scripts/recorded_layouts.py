"""By which layout, and of which row, Snakemake recorded that a report was made."""

from pathlib import Path

from reelmake.results import Results
from reelmake.targets import Target
from snakemake_records import Records


class RecordedLayouts:
    """Tells whether a report was laid out by its template, and for its row, as they are now.

    ``layouts`` are the digests of the templates' layouts, as render_report has them among its
    params.
    """

    def __init__(self, results: str, layouts: dict[str, str]) -> None:
        self._results = Results(Path(results))
        self._layouts = layouts
        self._records = Records()

    def __call__(self, target: Target) -> bool:
        report = self._results.report(*target.key)
        recorded = self._records.params(report)
        if recorded is None:  # made, or brought here, in another way: Snakemake leaves it as it is
            return True
        now = (self._layouts.get(target.template), target.model_dump_json())
        return set(map(repr, now)) <= set(recorded)
