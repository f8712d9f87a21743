"""Rule plan: what a run would make, why, and for how much."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from recorded_layouts import RecordedLayouts
from reelmake.config import Config
from reelmake.planning.plan import Planner
from reelmake.planning.plan_table import plan_table, write_plan
from reelmake.planning.tables import show
from reelmake.results import Results
from reelmake.targets import Target

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(config: Config, targets: list[Target], layouts: dict[str, str], *, jobs: int) -> str:
    planner = Planner(config, targets, is_laid_out=RecordedLayouts(config.results, layouts))
    plan = planner.plan()
    path = Results(Path(config.results)).plan
    write_plan(plan, config, path)
    said = show(
        plan_table(
            plan,
            config,
            jobs=jobs,
            learned_seconds=planner.learned_seconds,
            today=datetime.now(UTC).date(),
        )
    )
    return said + show(f"As JSON: {path}")


if __name__ == "__main__":
    log = main(
        Config.model_validate_json(snakemake.params.config),
        TypeAdapter(list[Target]).validate_json(snakemake.params.targets),
        snakemake.params.layouts,
        jobs=snakemake.params.jobs,
    )
    Path(snakemake.log[0]).write_text(log, encoding="utf-8")
