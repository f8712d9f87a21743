"""Rule status: which reports are done, failed, stale or missing, and what they cost so far."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from rich.console import RenderableType

from reelmake.config import Config
from reelmake.digests import groups_of
from reelmake.fetched import spread_failures
from reelmake.index import language_of, write_tables
from reelmake.planning.plan import Planner
from reelmake.planning.status_table import status_table
from reelmake.planning.tables import as_text, show
from reelmake.planning.waiting import waiting_batches
from reelmake.results import Results
from reelmake.runs.record import read_runs
from reelmake.targets import Target
from reelmake.translation import ENGLISH, Say, say_on_terminal

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(config: Config, targets: list[Target], otherwise: set[tuple[str, str]]) -> str:
    results = Results(Path(config.results))
    spread_failures(results, targets)
    plan = Planner(config, targets, laid_out_otherwise=otherwise).plan()
    digests = list(groups_of(targets, config.digest))
    keys, language = [target.key for target in targets], language_of(targets)
    write_tables(Path(config.results), keys, digests=digests, language=language)

    def told(say: Say) -> RenderableType:
        waiting = waiting_batches(results, say)
        return status_table(plan, say, runs=read_runs(results), waiting=waiting)

    show(told(say_on_terminal()))
    return as_text(told(ENGLISH))


if __name__ == "__main__":
    log = main(
        Config.model_validate_json(snakemake.params.config),
        TypeAdapter(list[Target]).validate_json(snakemake.params.targets),
        TypeAdapter(set[tuple[str, str]]).validate_json(snakemake.params.laid_out_otherwise),
    )
    Path(snakemake.log[0]).write_text(log, encoding="utf-8")
