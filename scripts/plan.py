"""Rule plan: what a run would make, why, and for how much."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from rich.console import Group

from reelmake.config import Config
from reelmake.planning.plan import Planner
from reelmake.planning.plan_file import write_plan
from reelmake.planning.plan_table import plan_table
from reelmake.planning.tables import as_text, show
from reelmake.results import Results
from reelmake.targets import Target
from reelmake.translation import ENGLISH, Say, say_on_terminal

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    config: Config, targets: list[Target], otherwise: set[tuple[str, str]], *, jobs: int
) -> str:
    planner = Planner(config, targets, laid_out_otherwise=otherwise)
    plan = planner.plan()
    path = Results(Path(config.results)).plan
    learned, today = planner.learned_seconds, datetime.now(UTC).date()
    write_plan(plan, config, path, jobs=jobs, learned_seconds=learned, today=today)

    def told(say: Say) -> Group:
        shown = plan_table(plan, config, say, jobs=jobs, learned_seconds=learned, today=today)
        return Group(shown, say("As JSON: {path}", path=path))

    show(told(say_on_terminal()))
    return as_text(told(ENGLISH))


if __name__ == "__main__":
    log = main(
        Config.model_validate_json(snakemake.params.config),
        TypeAdapter(list[Target]).validate_json(snakemake.params.targets),
        TypeAdapter(set[tuple[str, str]]).validate_json(snakemake.params.laid_out_otherwise),
        jobs=snakemake.params.jobs,
    )
    Path(snakemake.log[0]).write_text(log, encoding="utf-8")
