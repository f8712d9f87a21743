# What happens around a run: before the first job and after the last one. No rules.

BUY = {"analyze_gemini", "build_digest"}
NEED_A_GATEWAY = {
    "analyze_gemini",
    "extract_frames",
    "render_report",
    "export_report",
    "build_digest",
}
SERVED = {*NEED_A_GATEWAY, "export_digest", "build_index"}


def switch_off_job_rate_limiter(workflow) -> None:
    """It starts a thread for every finished job, on by default (Snakemake 9.27).

    An internal, so the version is pinned and tests/workflow/test_snakemake_guard.py watches it.
    Calls to a service are paced by the gateway, not by starts of jobs.
    """
    workflow.scheduler.job_rate_limiter = None


def follow() -> None:
    try:
        FOLLOWING.begin(TARGETS, settled=settled_reports())
    except ReelmakeError as error:
        raise WorkflowError(error.told(say_on_terminal())) from None


def start_gateway(workflow) -> None:
    """Start the warm process of this run, which looks at the account before anything is uploaded."""
    needed = [job for job in workflow.dag.needrun_jobs() if script_of(job) in NEED_A_GATEWAY]
    analyses = [job for job in needed if job.rule.name == "analyze_video"]
    to_analyse = [target_of(job.wildcards) for job in analyses]
    try:
        check_limits_on_nodes([job for job in needed if script_of(job) in BUY])
        if not any(workflow.is_local(job.rule) for job in needed):
            return
        GATEWAY.start(
            Order(
                to_analyse=sorted(to_analyse, key=lambda target: -target.priority),
                on_nodes=any(not workflow.is_local(job.rule) for job in analyses),
                at_once=workflow.cores if workflow.local_exec else None,
            )
        )
    except ReelmakeError as error:
        FOLLOWING.refuse(error)
        raise WorkflowError(error.told(say_on_terminal())) from None
    except KeyboardInterrupt:
        error = ReelmakeError("interrupted", "the run was stopped before anything was asked")
        FOLLOWING.refuse(error)
        raise WorkflowError(error.told(say_on_terminal())) from None
    use_gateway(workflow, GATEWAY, SERVED, hear=FOLLOWING.hear)
    if workflow.local_exec and settings.engine == "gemini" and settings.gemini.tier != "batch":
        # Beside those that wait for an answer, as many are probed and uploaded for the next places.
        let_get_ready(workflow, analyses, 2 * workflow.cores)


def index_what_is_there() -> None:
    """Give the reports that are there their page: after a failure build_index has no turn."""
    if asked & ONLY_TELL:
        return
    try:
        spread_failures(Results(Path(settings.results)), TARGETS.values())
        write_index(
            Path(settings.results), list(TARGETS), digests=list(GROUPS), language=PAGES_LANGUAGE
        )
        # A later run makes them again by their own job, also when no report changes until then.
        (Path(settings.results) / ".reelmake/index-complete").unlink(missing_ok=True)
    except OSError as error:  # a full disk; the reports that are there are as they were
        FOLLOWING.tell(f"The index and the tables could not be written: {error}")


def tell_of_copies() -> None:
    """Once a run, at its end: by then the checksums of all that was analysed are known."""
    checksums = Results(Path(settings.results)).checksums
    sys.stderr.write(told(same_content(TARGETS.values(), checksums)))


onstart:
    keep_for_good()  # what it has planned
    switch_off_job_rate_limiter(workflow)
    use_job_selector(workflow)
    wait_for_jobs_left_in_slurm(workflow)
    follow()
    start_gateway(workflow)


onsuccess:
    FOLLOWING.settle()
    GATEWAY.close()
    remember_what_is_done()
    tell_of_copies()
    FOLLOWING.end()


onerror:
    FOLLOWING.settle()
    GATEWAY.close()
    remember_what_is_done()
    tell_of_copies()
    index_what_is_there()
    FOLLOWING.end()
