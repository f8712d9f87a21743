"""Snakemake's executor on this machine, but that the gateway does the jobs that it serves.

No process is started for them: on a machine with few cores, interpreters that start cost more than
all that the jobs do.
"""

from collections.abc import Awaitable, Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

from snakemake.executors.local import Executor as LocalExecutor
from snakemake.logging import logger
from snakemake.workflow import Workflow
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo

from job_arguments import arguments_of
from reelmake.errors import of_system
from reelmake.gateway.launch import Gateway
from reelmake.jobs import Outcome, failed


class GatewayExecutor(LocalExecutor):
    """Asks ``gateway`` for every job whose script is one of ``served``."""

    def __init__(
        self,
        workflow: Workflow,
        gateway: Gateway,
        served: Collection[str],
        hear: Callable[[Outcome], None],
    ) -> None:
        super().__init__(workflow, logger)  # type: ignore[arg-type]  # as Snakemake does itself
        self._gateway = gateway
        self._served = served
        self._hear = hear
        self._await: Callable[[Awaitable[None]], None] = workflow.async_run

    def run_job(self, job: Any) -> None:
        if not job.is_group():
            # No rule here has pipes. Snakemake (9.27) looks for each input of a job in all that it
            # depends on: for the index, the square of the number of reports.
            job.is_pipe_or_service_input = _never
        script = None if job.is_group() else script_of(job)
        if script is None or script not in self._served:
            super().run_job(job)
            return
        info = SubmittedJobInfo(job)
        try:
            self._await(job.prepare())
        except OSError as error:  # it would end the run, and its stack be shown
            known = of_system(error)
            if known is None:
                raise
            self.report_job_submission(info)
            self._ended(info, failed(arguments_of(job), known))
            return
        self.report_job_submission(info)
        self._gateway.ask(script, arguments_of(job), partial(self._ended, info))

    def _ended(self, info: SubmittedJobInfo, outcome: Outcome) -> None:
        self._hear(outcome)
        if outcome.failed:
            self.report_job_error(info)
        else:
            self.report_job_success(info)


def _never(path: object) -> bool:  # noqa: ARG001
    return False


def script_of(job: Any) -> str | None:
    """The name of a job's script; None for one of another kind."""
    return Path(job.rule.script).stem if job.rule.script else None


def use_gateway(
    workflow: Workflow,
    gateway: Gateway,
    served: Collection[str],
    *,
    hear: Callable[[Outcome], None],
) -> None:
    """Let the jobs of this run that run on this machine be done by the gateway.

    ``hear`` is told how each job ended, before Snakemake is.

    By internals of Snakemake 9.27, which knows no executor that a workflow brings along.
    """
    executor = GatewayExecutor(workflow, gateway, served, hear)
    scheduler = workflow.scheduler
    if scheduler._local_executor is not None:  # the others run on a cluster
        scheduler._local_executor = executor
    else:
        scheduler._executor = executor
