# What has to be changed of Snakemake's scheduler. No rules.


def switch_off_job_rate_limiter(workflow) -> None:
    """It starts a thread for every finished job, on by default (Snakemake 9.27).

    An internal, so the version is pinned and tests/workflow/test_snakemake_guard.py watches it.
    Calls to a service are paced by the engine, not by starts of jobs.
    """
    workflow.scheduler.job_rate_limiter = None
