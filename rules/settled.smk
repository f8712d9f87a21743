# Reports that are as a run left them: Snakemake takes them as they are, and looks at no job. No rules.

from snakemake.common import __version__ as snakemake_version

from reelmake.settled import FileState, Folders, Made, Settled, digest_of_text
from taken_as_they_are import makes_what_is_out_of_date, take_as_they_are

MAKES_NO_DIFFERENCE = {"videos", "notify", "budget_usd", "keep_uploads", "log_format"}

# Beside Snakemake's own records: who deletes those wants it to look at everything.
REMEMBERED = Settled(Path(".snakemake/reelmake/settled.json"))


def what_reports_share() -> str:
    """What Snakemake looks at besides the row and the files of a report."""
    base = Path(workflow.basedir)
    code = [base / "Snakefile"]
    for pattern in ("rules/*.smk", "scripts/*.py", "envs/*"):
        code += sorted(base.glob(pattern))
    states = [(path.name, size_and_time_of(path)) for path in code]
    return f"{snakemake_version} {states} {settings.model_dump_json(exclude=MAKES_NO_DIFFERENCE)}"


def made(target, shared) -> Made | None:
    """How it is made; None where files alone don't tell that there is nothing new."""
    if target.problem or target.source or is_of_the_future(target.video):
        return None
    video = size_and_time_of(target.video)
    if video is None and not is_url(target.video):
        return None
    asked = f"{REQUEST_DIGESTS[target.template]} {LAYOUT_DIGESTS[target.template]}"
    return Made(
        f"{shared} {asked} {target.model_dump_json()}",
        FileState(*video) if video else None,
        steps_of(target),
    )


def states_of(keys) -> dict[tuple[str, str], str]:
    """How those reports are that can be settled."""
    shared, folders = digest_of_text(what_reports_share()), Folders()
    ways = ((key, made(TARGETS[key], shared)) for key in keys)  # one at a time: they are large
    states = {key: way.state(folders) for key, way in ways if way}
    return {key: state for key, state in states.items() if state}


def path_of(key) -> str:
    return str(Results(Path(settings.results)).report(*key))


@cache
def settled_reports() -> frozenset[tuple[str, str]]:
    states = states_of(TARGETS) if makes_what_is_out_of_date(workflow) else {}
    return frozenset(key for key, state in states.items() if REMEMBERED.holds(path_of(key), state))


@cache
def settled_files() -> frozenset[str]:
    steps = [step for key in settled_reports() for step in steps_of(TARGETS[key])]
    return frozenset(path for step in steps for path in step)


def remember_what_is_done() -> None:
    """Of the reports that Snakemake looked at, those that have nothing left to do."""
    if makes_what_is_out_of_date(workflow):
        jobs = [job.wildcards_dict for job in workflow.dag.needrun_jobs()]
        unfinished = {(job.get("template"), job.get("video")) for job in jobs}
        done = states_of(TARGETS.keys() - settled_reports() - unfinished)
        REMEMBERED.keep({path_of(key): state for key, state in done.items()})


take_as_they_are(settled_files)
FOLLOWING.when_nothing_is_to_be_done(remember_what_is_done)
