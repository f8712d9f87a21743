# What all rules share: the checked configuration, the targets, and functions of both. No rules.

import os
import sys
import time
from functools import cache
from inspect import signature
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "scripts"
sys.path.append(str(SCRIPTS))

from early_stop import stop_at_once_and_say_so

stop_at_once_and_say_so()

from pydantic import TypeAdapter
from snakemake.exceptions import WorkflowError

from following import Following
from job_selection import let_get_ready, use_job_selector
from gateway_executor import script_of, use_gateway
from locks_of_runs import keep_locks_of_others
from recorded_layouts import laid_out_otherwise
from reelmake.cluster import check_limits, wait_for_jobs_left
from reelmake.config import GEMINI_SETTINGS, UNNAMEABLE, load_config
from reelmake.digests import DIGESTS, digest_of_digests, groups_of
from reelmake.duplicates import same_content, told
from reelmake.errors import ReelmakeError
from reelmake.exports.formats import check_formats, ending, formats_of
from reelmake.fetched import spread_failures
from reelmake.file_names import check_file_names
from reelmake.garbage import keep_for_good
from reelmake.gateway.launch import Gateway, Order
from reelmake.index import language_of, write_index
from reelmake.inputs.table import targets, video_table
from reelmake.logs import begin_run_log
from reelmake.pages import page_digest as digest_of_pages
from reelmake.parameters import check_parameters
from reelmake.results import Results, missing
from reelmake.targets import Target, is_url
from reelmake.templates import load_template
from reelmake.translation import say_on_terminal
from sigterm import exit_gracefully_at_any_time

keep_for_good()  # what Snakemake has loaded
exit_gracefully_at_any_time()
keep_locks_of_others()

# Targets that tell how things are, whatever they are like.
ONLY_TELL = {"plan", "status", "cleanup_remote", "doctor"}
asked = set(sys.argv)

FOLLOWING = Following.install(workflow, silent=bool(asked & ONLY_TELL))
try:
    check_file_names()
    settings = load_config(config, workflow.configfiles, typed=workflow.config_settings.config)
    if workflow.is_main_process:
        FOLLOWING.know(settings)
    # Addresses may hold passwords: nobody else gets them, nor do the files that scripts read.
    settings = settings.model_copy(update={"notify": []})
    config.pop("notify", None)
    limits = workflow.resource_settings
    cores = limits.cores or limits.local_cores
    GATEWAY = Gateway(SCRIPTS / "gateway.py", settings, cores=cores)
    if workflow.is_main_process and not asked & {
        *ONLY_TELL,
        "-n",
        "--dry-run",
        "--dryrun",
        "--lint",
    }:
        begin_run_log(settings.log_format)
        GATEWAY.prepare()  # while the rest is read and planned
    load_template(settings.template)  # first: what is wrong with it is told before the videos
    check_parameters(settings.parameters)
    # Once a run: its jobs on other machines neither look into videos again nor refuse any.
    main = workflow.is_main_process
    TARGETS = targets(video_table(settings, probe=main, refuse=main and not asked & ONLY_TELL))
    TEMPLATES = {
        name: load_template(name)
        for name in {target.template for target in TARGETS.values() if not target.problem}
    }
    if "doctor" not in asked:  # which tells that, and all else
        Results(Path(settings.results)).check_folders(TEMPLATES)
    if main:
        Results(Path(settings.results)).check_asked(sorted(asked), TARGETS)
    GROUPS = groups_of(TARGETS.values(), settings.digest)
    check_formats(TEMPLATES.values(), settings.formats)
except ReelmakeError as error:
    raise WorkflowError(error.told(say_on_terminal())) from None

SOURCES = {Path(target.video).name: target.source for target in TARGETS.values() if target.source}

os.environ[GEMINI_SETTINGS] = settings.gemini.model_dump_json()

# Once, not for each of thousands of jobs. Each function of a rule's costs every job of it.
REQUEST_DIGESTS = {
    name: f"{template.request_digest()} {settings.request_settings()}"
    for name, template in TEMPLATES.items()
}
PAGES_LANGUAGE = language_of(TARGETS.values())
DIGEST_REQUEST = f"{digest_of_digests()} {settings.request_settings()}"
LAYOUT_DIGESTS = {
    name: f"{template.layout_digest()} {digest_of_pages()}" for name, template in TEMPLATES.items()
}
EXPORTED = {
    name: [
        suffix
        for format in formats_of(template, settings.formats)
        if (suffix := ending(format)) not in (".md", ".html")
    ]
    for name, template in TEMPLATES.items()
}


wildcard_constraints:
    template=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    video=r"[^/]+",
    fetched=r"[A-Za-z0-9-]+\.[a-z0-9]+",
    group=r"[^/]+",


def target_of(wildcards) -> Target:
    try:
        return TARGETS[wildcards.template, wildcards.video]
    except KeyError:
        raise WorkflowError(
            f"No row of `videos:` is called {wildcards.video!r} with the template "
            f"{wildcards.template!r}; the reports that can be built are in `snakemake -n`."
        ) from None


def video_file(wildcards) -> list[str]:
    """The video, unless Snakemake can't name it, or would never take what is older than it.

    Then `video_fingerprint` alone sees its changes. What Gemini reads by its URL is no file.
    """
    target = target_of(wildcards)
    unnameable = target.problem or is_url(target.video) or set(target.video) & UNNAMEABLE
    return [] if unnameable or is_of_the_future(target.video) else [target.video]


def is_of_the_future(video) -> bool:
    """Whether the clock of a camera, or of a file server, was wrong."""
    size_and_time = size_and_time_of(video)
    return size_and_time is not None and size_and_time[1] > time.time_ns()


@cache  # a look at a network drive takes its time
def size_and_time_of(video) -> tuple[int, int] | None:
    """Bytes, and the nanosecond in which it was changed last; None where nothing is."""
    try:
        status = os.stat(video)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def video_fingerprint(wildcards) -> str | None:
    """Sees what modification times miss: content that changed and yet is older than its report."""
    target = target_of(wildcards)
    # What is fetched is not there at first: Snakemake itself sees its changes.
    size_and_time = None if target.source else size_and_time_of(target.video)
    return "{}-{}".format(*size_and_time) if size_and_time else None


def source_of_fetched(wildcards) -> str:
    """The address that a file among the fetched ones comes from."""
    try:
        return SOURCES[wildcards.fetched]
    except KeyError:
        raise WorkflowError(f"No row of `videos:` is fetched to {wildcards.fetched}.") from None


def bucket_object(wildcards):
    return storage(source_of_fetched(wildcards))


def target_as_json(wildcards) -> str:
    return json_of(target_of(wildcards).key)


@cache  # the same text for all jobs of a report: thousands of them are much memory
def json_of(key) -> str:
    return TARGETS[key].model_dump_json()


def every_target_as_json(wildcards) -> str:
    return TypeAdapter(list[Target]).dump_json(list(TARGETS.values())).decode()


def config_as_json(wildcards) -> str:
    return settings.model_dump_json(exclude={"notify"})


def gemini_as_json(wildcards) -> str:
    return settings.gemini.model_dump_json()


def reports_laid_out_otherwise(wildcards) -> str:
    """Here, since the scripts would load much of Snakemake for it."""
    keys = laid_out_otherwise(Results(Path(settings.results)), LAYOUT_DIGESTS, TARGETS.values())
    return TypeAdapter(list[tuple[str, str]]).dump_json(keys).decode()


def cores_of_run(wildcards) -> int:
    return workflow.cores


def pages_language(wildcards) -> str:
    """Of what shows all reports."""
    return PAGES_LANGUAGE


def results_folder(wildcards) -> str:
    return settings.results


def request_state(wildcards) -> str:
    """Changes whenever there is something else to ask about this video."""
    # Nothing where the row's problem is its template.
    return f"{video_fingerprint(wildcards)} {REQUEST_DIGESTS.get(wildcards.template)}"


def layout_digest(wildcards) -> str:
    return LAYOUT_DIGESTS.get(wildcards.template, "")


def page_digest(wildcards) -> str:
    return digest_of_pages()


def steps_of(target) -> list[list[str]]:
    """The files of a report by the steps that make them."""
    stem = f"{settings.results}/reports/{target.template}/{target.name}"
    return [
        [f"{settings.results}/analyses/{target.template}/{target.name}.json"],
        [f"{stem}.assets"] if settings.frames else [],
        [f"{stem}.md", f"{stem}.html"],
        # None where the problem is the template.
        [f"{stem}{suffix}" for suffix in EXPORTED.get(target.template, [])],
    ]


def every_report() -> list[str]:
    return [f"{settings.results}/reports/{template}/{name}.md" for template, name in TARGETS]


def every_export() -> list[str]:
    """The reports in all other formats that are asked for; Markdown and page are there anyway."""
    return [path for target in TARGETS.values() for path in steps_of(target)[-1]]


def reports_of_group(wildcards) -> list[str]:
    results = Results(Path(settings.results))
    return [str(results.report(*target.key)) for target in GROUPS[wildcards.group].targets]


def analyses_of_group(wildcards) -> list[str]:
    results = Results(Path(settings.results))
    return [str(results.analysis(*target.key)) for target in GROUPS[wildcards.group].targets]


def digest_as_json(wildcards) -> str:
    """A digest fails, and is told of, as a report does."""
    group = GROUPS[wildcards.group]
    return Target(name=group.name, video=group.title, template=DIGESTS).model_dump_json()


def group_as_json(wildcards) -> str:
    return GROUPS[wildcards.group].model_dump_json()


def every_digest() -> list[str]:
    return [
        f"{settings.results}/digests/{group}.{kind}" for group in GROUPS for kind in ("md", "html")
    ]


def every_missing_file() -> list[str]:
    """Of all that a complete run leaves, what is not there.

    What is out of date Snakemake sees itself, since the index is made from all of it. It does not
    see what is missing behind an index that needs no change, and takes long for what is there. What
    a missing report is made from, or along with, need not be named beside it.
    """
    lacking = missing(every_report())
    lost = set(lacking)
    there = [target for target, path in zip(TARGETS.values(), every_report()) if path not in lost]
    files = [path for target in there for step in steps_of(target) for path in step]
    return [*lacking, *missing([*files, *every_digest()])]


def priority_of(wildcards) -> int:
    return target_of(wildcards).priority


# Snakemake looks at what each of them takes, for each job: that is found here once.
for function in (video_file, target_as_json, results_folder, request_state, layout_digest):
    function.__signature__ = signature(function)

PRIORITY = priority_of if any(target.priority for target in TARGETS.values()) else 0
