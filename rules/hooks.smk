# What happens around a run: before the first job and after the last one. No rules.

SERVED = ("analyze_video", "extract_frames", "render_report", "export_report")


def switch_off_job_rate_limiter(workflow) -> None:
    """It starts a thread for every finished job, on by default (Snakemake 9.27).

    An internal, so the version is pinned and tests/workflow/test_snakemake_guard.py watches it.
    Calls to a service are paced by the gateway, not by starts of jobs.
    """
    workflow.scheduler.job_rate_limiter = None


def start_gateway(workflow) -> None:
    """Start the warm process of this run, which looks at the account before anything is uploaded."""
    needed = [job for job in workflow.dag.needrun_jobs() if job.rule.name in SERVED]
    analyses = [job for job in needed if job.rule.name == "analyze_video"]
    to_analyse = [target_of(job.wildcards) for job in analyses]
    try:
        check_limits_on_nodes(analyses)
        if not any(workflow.is_local(job.rule) for job in needed):
            return
        GATEWAY.start(sorted(to_analyse, key=lambda target: -target.priority))
    except ReelmakeError as error:
        raise WorkflowError(str(error)) from None


def index_what_is_there() -> None:
    """Give the reports that are there their page: after a failure build_index has no turn."""
    spread_failures(Results(Path(settings.results)), TARGETS.values())
    write_index(Path(settings.results), list(TARGETS), digests=list(GROUPS))
    # A later run makes them again by their own job, also when no report changes until then.
    (Path(settings.results) / ".reelmake/index-complete").unlink(missing_ok=True)


def tell_of_copies() -> None:
    """Once a run, at its end: by then the checksums of all that was analysed are known."""
    checksums = Results(Path(settings.results)).checksums
    sys.stderr.write(told(same_content(TARGETS.values(), checksums)))


onstart:
    switch_off_job_rate_limiter(workflow)
    wait_for_jobs_left_in_slurm(workflow)
    start_gateway(workflow)


onsuccess:
    GATEWAY.close()
    tell_of_copies()


onerror:
    GATEWAY.close()
    tell_of_copies()
    record_killed_jobs(workflow)
    index_what_is_there()
