"""Files that Snakemake takes as they are: it looks for no rule that makes them, as of sources.

By an internal of Snakemake 9.27: the version is pinned, and tests/workflow/test_settled.py watches.
"""

from collections.abc import Callable, Set
from typing import Any

from snakemake.output_index import OutputIndex
from snakemake.rules import Rule
from snakemake.settings.enums import RerunTrigger

# Those of our profile. With less, more would be called up to date.
_TRIGGERS = {
    RerunTrigger.MTIME,
    RerunTrigger.PARAMS,
    RerunTrigger.INPUT,
    RerunTrigger.SOFTWARE_ENV,
}


def take_as_they_are(files: Callable[[], Set[str]]) -> None:
    """``files`` is asked when the first rule is looked for: by then all settings are known."""
    replaced: Any = OutputIndex
    match = OutputIndex.match_producers

    def match_producers(index: OutputIndex, path: str) -> set[Rule]:
        return set() if path in files() else match(index, path)

    replaced.match_producers = match_producers


def makes_what_is_out_of_date(workflow: Any) -> bool:
    """Whether that, and nothing else, is asked of Snakemake.

    Other runs mean every report, whatever it is like, or call up to date what others would not.
    """
    asked, executor = workflow.dag_settings, workflow.executor_plugin
    if not workflow.is_main_process or executor is None or executor.common_settings.touch_exec:
        return False
    some = asked.target_jobs or asked.batch or asked.until or asked.omit_from or asked.allowed_rules
    forced = asked.forceall or asked.forcetargets or asked.forcerun
    otherwise = (
        asked.trust_io_cache
        or workflow.workflow_settings.consider_ancient
        or workflow.remote_execution_settings.immediate_submit
        or not set(asked.rerun_triggers) >= _TRIGGERS
    )
    return set(asked.targets) <= {"all"} and not (some or forced or otherwise)
