# What Snakemake records of each file: as little as it needs, and again what was lost. No rules.

from snakemake.io import apply_wildcards
from snakemake.iocontainers import Wildcards
from snakemake.settings.types import DeploymentMethod

from snakemake_records import Records


def leave_out_unused_environments() -> None:
    """Each record would hold all that its rule's environment lists: 8 KB, three times a report."""
    if DeploymentMethod.CONDA not in workflow.deployment_settings.deployment_method:
        for each in workflow.rules:
            each.conda_env = None


def restore_records(records) -> None:
    """Record files as made in the way in which they would be made now, as far as they are.

    Where `.snakemake` was deleted, or left behind when the project moved, or `results:` was
    renamed, Snakemake has no record, and would see no change of parameters. An analysis that
    answers something else is made again. How a report or a digest was made, nothing tells but its
    record; the index costs nothing.
    """
    reports = [dict(zip(("template", "video"), key, strict=True)) for key in TARGETS]

    analyses = unrecorded(records, "analyze_video", reports)
    targets = [TARGETS[tuple(wildcards.values())] for wildcards in analyses.values()]
    as_asked = answered_already(targets) if targets else set()
    for path, wildcards in analyses.items():
        same = tuple(wildcards.values()) in as_asked
        records.restore(path, params_of("analyze_video", wildcards) if same else None)

    groups = [{"group": group} for group in GROUPS]
    for rule_name, jobs in (("render_report", reports), ("build_digest", groups)):
        for path, wildcards in unrecorded(records, rule_name, jobs).items():
            records.restore(path, params_of(rule_name, wildcards))
    for path in unrecorded(records, "build_index", [{}]):
        records.restore(path, None)


def answered_already(targets) -> set[tuple[str, str]]:
    from reelmake.planning.answered import answered  # a fifth of a second, for what is rare

    return answered(settings, targets)


def unrecorded(records, rule_name, jobs) -> dict[str, dict[str, str]]:
    """Files of a rule that are there, each with the wildcards of its job."""
    outputs = workflow.get_rule(rule_name).output
    paths = {apply_wildcards(output, job): job for job in jobs for output in outputs}
    there = paths.keys() - set(missing(list(paths)))
    return {path: paths[path] for path in records.without(sorted(there))}


def params_of(rule_name, wildcards) -> list[object]:
    given = Wildcards(fromdict=wildcards)
    params = workflow.get_rule(rule_name).params
    return [value(given) if callable(value) else value for value in params]


if "--lint" not in asked:
    leave_out_unused_environments()
    if workflow.is_main_process:
        try:
            records = Records()
            if "doctor" not in asked:
                restore_records(records)
        except OSError as error:  # nor could Snakemake write its own, which a stack would tell
            place = f"nothing can be written to {Path('.snakemake').absolute()} ({error.strerror})"
            raise WorkflowError(
                ReelmakeError("project_unwritable", place).told(say_on_terminal())
            ) from None
