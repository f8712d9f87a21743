"""By which layout, and of which row, Snakemake recorded that a report was made."""

from collections.abc import Iterable, Mapping

from reelmake.results import Results
from reelmake.targets import Target
from snakemake_records import Records


def laid_out_otherwise(
    results: Results, layouts: Mapping[str, str], targets: Iterable[Target]
) -> list[tuple[str, str]]:
    """The keys of reports that were laid out by another template, or for another row, than now.

    ``layouts`` are the digests of the templates' layouts, as render_report has them among its
    params.
    """
    records = Records()

    def as_now(target: Target) -> bool:
        recorded = records.params(results.report(*target.key))
        if recorded is None:  # made, or brought here, in another way: Snakemake leaves it as it is
            return True
        now = (layouts.get(target.template), target.model_dump_json())
        return set(map(repr, now)) <= set(recorded)

    return [target.key for target in targets if not as_now(target)]
