# What is different when jobs run on the nodes of a cluster. No rules.


def rules_of_head_node() -> list[str]:
    """Rules that a profile gives `on_head_node`: Snakemake lets no profile name its local rules."""
    asked = workflow.resource_settings.overwrite_resources
    rules = {rule for rule, resources in asked.items() if "on_head_node" in resources}
    # Profiles don't know the engine: the offline one needs no internet, and much of a machine.
    return sorted(rules - {"analyze_video"} if settings.engine == "local" else rules)


workflow.localrules(*rules_of_head_node())


def check_limits_on_nodes(jobs) -> None:
    if settings.engine == "gemini" and any(not workflow.is_local(job.rule) for job in jobs):
        check_limits(settings, tell=sys.stderr.write)


def wait_for_jobs_left_in_slurm(workflow) -> None:
    """Those of a run that was killed go on: two jobs of one report would remove each other's files."""
    if workflow.executor_plugin.name == "slurm":
        wait_for_jobs_left(
            Path.cwd(), workflow.executor_settings.jobname_prefix, tell=sys.stderr.write
        )
