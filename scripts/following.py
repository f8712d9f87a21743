"""Snakemake's log events → the run's view: the one place that knows what they are called."""

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from rich.console import Console
from snakemake.common import NOTHING_TO_BE_DONE_MSG
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from reelmake.config import Config
from reelmake.digests import DIGESTS
from reelmake.errors import ReelmakeError
from reelmake.jobs import FOLLOWED, Outcome
from reelmake.runs.notify import Notifier, addresses
from reelmake.runs.progress import Job, Key
from reelmake.runs.run import Run
from reelmake.targets import Target

# Said once more than a user needs it, before the first job.
_NOISE = ("Building DAG of jobs", "Using shell:", "Conda environments:", "Provided remote nodes")
_NOISY_EVENTS = frozenset([LogEvent.WORKFLOW_STARTED, LogEvent.RESOURCES_INFO])
# What the view says itself, of each job and at the end.
_SAID_OTHERWISE = (
    "CalledProcessError in file",
    "At least one job did not complete successfully",
    "Exiting because a job execution failed",
    "Cannot restore ",  # a report that failed before it was ever there
)


# Where among our rules a refusal was raised tells a user nothing.
_PLACES = re.compile(
    r'^WorkflowError in file ".*/rules/\w+\.smk", line \d+:\n'
    r'|\n  File ".*/rules/\w+\.smk", line \d+, in .*'
)


class _Terminal(Console):
    """Says nothing more when nobody reads any more, rather than end the thread that speaks."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class Following(logging.Handler):
    """Stands where Snakemake's own handler of the terminal does, and passes on what is left."""

    def __init__(self, workflow: Any, default: logging.Handler | None) -> None:
        super().__init__()
        self._workflow = workflow
        self._default = default
        output = workflow.output_settings
        self._verbose = output.verbose or output.printshellcmds or output.debug_dag
        self._quiet = bool(set(output.quiet or ()) & {Quietness.PROGRESS, Quietness.ALL})
        self._run: Run | None = None
        self._begun = False
        self._silent = False
        self._refused = False
        self._at_nothing_to_do: Callable[[], None] = lambda: None

    @classmethod
    def install(cls, workflow: Any, *, silent: bool) -> "Following":
        """Follow what is to run; take over the terminal, unless another logger was asked for.

        ``silent``: of a run that only tells something, nothing but warnings is shown.
        """
        logger = logging.getLogger("snakemake.logging")
        default = next(
            (each for each in logger.handlers if each.name == "DefaultStreamHandler"), None
        )
        for handler in logger.handlers:
            if isinstance(handler, logging.FileHandler) and handler.stream:
                # Opened in the locale's encoding: what that lacks would be a traceback each.
                handler.stream.reconfigure(encoding="utf-8")
        if default and not workflow.output_settings.verbose:
            default.addFilter(_leave_out_places)
        following = cls(workflow, default)
        following._silent = silent
        if workflow.is_main_process and not workflow.output_settings.dryrun:
            if default:
                logger.removeHandler(default)
            logger.addHandler(following)
            os.environ[FOLLOWED] = "yes"
        return following

    def know(self, config: Config) -> None:
        """Keep the configuration. Raises ReelmakeError when nobody could be notified by it."""
        self._config = config
        self._addresses = addresses(config.notify)

    def when_nothing_is_to_be_done(self, act: Callable[[], None]) -> None:
        """Snakemake has no hook for that."""
        self._at_nothing_to_do = act

    def begin(self, targets: Mapping[Key, Target], *, settled: Set[Key]) -> None:
        """Follow this run, if it makes reports. Those that are ``settled`` have no jobs."""
        self._begun = True
        jobs = dict(_jobs_of(self._workflow.dag, targets))
        if not any(job.reports for job in jobs.values()):
            return
        output = self._workflow.output_settings
        run = Run(
            self._config,
            jobs,
            asked=_reports_of(self._workflow.dag, jobs.values(), targets) | settled,
            makes_reports=any(job.rule.name == "render_report" for job in self._workflow.dag.jobs),
            cores=self._workflow.resource_settings.cores or self._workflow.resource_settings.nodes,
            console=_Terminal(stderr=True, highlight=False, no_color=output.nocolor or None),
            notifier=Notifier(self._addresses),
            quiet=self._quiet or not self._default,
            plain=self._verbose,
        )
        run.begin()
        self._run = run
        # With --quiet it would not say which jobs have finished (an internal of Snakemake 9.27).
        self._workflow.scheduler.print_progress = True

    def hear(self, outcome: Outcome) -> None:
        """A job of the gateway ended, from any thread."""
        self.tell(outcome.message)
        if self._run and outcome.unrecorded:
            self._run.know(outcome.unrecorded)

    def tell(self, message: str) -> None:
        """Show lines that stay, from any thread, without tearing what moves."""
        if self._run and message:
            self._run.tell(message)

    def refuse(self, error: ReelmakeError) -> None:
        """Show and record why the run can't begin."""
        if self._run:
            self._run.refuse(error)
            self._refused = not self._verbose

    def settle(self) -> None:
        if self._run:
            self._run.settle()

    def end(self) -> None:
        if self._run:
            self._run.end()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._follow(record)
        except Exception:  # noqa: BLE001  as every handler of the library's does
            self.handleError(record)

    def _follow(self, record: logging.LogRecord) -> None:
        if record.msg == NOTHING_TO_BE_DONE_MSG:
            self._at_nothing_to_do()
        run = self._run
        if run is not None:
            follow = _FOLLOWED.get(getattr(record, "event", None))
            if follow:
                follow(run, record)
        if self._verbose or not self._default:
            self._pass_on(record)
        elif run is None:
            # Other rules, such as `prune`, say themselves what they did.
            if record.levelno >= logging.WARNING:
                if not (self._silent and _is_said_otherwise(record)):
                    self._pass_on(record)
            elif not (self._silent or self._begun or _is_noise(record)):
                self._pass_on(record)
        elif record.levelno >= logging.WARNING and not (
            self._refused or _is_said_otherwise(record)
        ):
            run.tell(record.getMessage())

    def _pass_on(self, record: logging.LogRecord) -> None:
        if self._default:
            self._default.handle(record)


def _started(run: Run, record: Any) -> None:
    run.start(record.jobid)


def _finished(run: Run, record: Any) -> None:
    run.finish(record.job_id)


def _failed(run: Run, record: Any) -> None:
    run.fail(record.jobid)


_FOLLOWED: dict[Any, Callable[[Run, Any], None]] = {
    LogEvent.JOB_INFO: _started,
    LogEvent.JOB_FINISHED: _finished,
    LogEvent.JOB_ERROR: _failed,
}


def _leave_out_places(record: logging.LogRecord) -> bool:
    if isinstance(record.msg, str):
        record.msg = _PLACES.sub("", record.msg)
    return True


def _is_noise(record: logging.LogRecord) -> bool:
    return getattr(record, "event", None) in _NOISY_EVENTS or (
        record.levelno < logging.WARNING and record.getMessage().startswith(_NOISE)
    )


def _is_said_otherwise(record: logging.LogRecord) -> bool:
    if getattr(record, "event", None) in (LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR):
        return True
    message = record.getMessage()
    return any(said in message for said in _SAID_OTHERWISE)


def _jobs_of(dag: Any, targets: Mapping[Key, Target]) -> Iterator[tuple[int, Job]]:
    fetched: dict[str, list[Key]] = {}
    for key, target in targets.items():
        if target.source:
            fetched.setdefault(Path(target.video).name, []).append(key)
    for job in dag.needrun_jobs():
        rule, log = job.rule.name, str(next(iter(job.log), ""))
        wildcards: Mapping[str, str] = job.wildcards_dict
        key = _report_of(wildcards)
        if key in targets:
            yield dag.jobid(job), Job(rule, key[1], (key,), record=key, log=log)
        elif name := wildcards.get("fetched"):
            wanting: Sequence[Key] = fetched.get(name, ())
            yield dag.jobid(job), Job(rule, name, tuple(wanting), ("fetched", name), log)
        elif group := wildcards.get("group"):
            yield dag.jobid(job), Job(rule, group, record=(DIGESTS, group), log=log)
        elif rule != "all":
            yield dag.jobid(job), Job(rule, rule, log=log)


def _reports_of(dag: Any, jobs: Iterable[Job], targets: Mapping[Key, Target]) -> set[Key]:
    needing = {key for job in jobs for key in job.reports}
    return needing | {_report_of(job.wildcards_dict) for job in dag.jobs} & set(targets)


def _report_of(wildcards: Mapping[str, str]) -> Key:
    return wildcards.get("template", ""), wildcards.get("video", "")
