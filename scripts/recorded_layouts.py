"""By which layout Snakemake recorded that a report was made."""

from pathlib import Path

from snakemake.io import IOFile
from snakemake.persistence.file import FilePersistence

from reelmake.results import Results
from reelmake.targets import Target


class RecordedLayouts:
    """Tells whether a report was laid out by its template as it is now.

    ``layouts`` are the digests of the templates' layouts, as render_report has them among its
    params. Reads the records of Snakemake 9.27.
    """

    def __init__(self, results: str, layouts: dict[str, str]) -> None:
        self._results = Results(Path(results))
        self._layouts = layouts
        self._records = FilePersistence(nolock=True, path=Path(".snakemake"))

    def __call__(self, target: Target) -> bool:
        report = self._results.report(*target.key)
        recorded = self._records.params(IOFile(str(report)))
        if recorded is None:  # made, or brought here, in another way: Snakemake leaves it as it is
            return True
        return repr(self._layouts.get(target.template)) in recorded
