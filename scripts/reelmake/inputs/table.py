"""The video table: from what `videos:` says to one named and checked row a report."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from reelmake.config import Config
from reelmake.errors import ReelmakeError
from reelmake.inputs import checks
from reelmake.inputs.contents import Content, contents_of
from reelmake.inputs.expand import expand
from reelmake.inputs.mentions import Mention, Problem
from reelmake.inputs.names import distinct_names, safe_name, told_apart
from reelmake.inputs.row_parameters import row_parameters
from reelmake.probes import Probe, Unusable
from reelmake.results import Results
from reelmake.targets import Target, is_url
from reelmake.template_files import Value
from reelmake.templates import available_templates, load_template, template_folders
from reelmake.timestamps import format_clock
from reelmake.untrusted import printable, shortened

_LONGEST_PROBLEM = 1000


@dataclass
class _Row:
    """A report to be: a mention with one of its templates and one of its languages."""

    mention: Mention
    template: str
    language: str | None
    parameters: Mapping[str, Value]
    name: str = ""

    @property
    def range(self) -> tuple[float | None, float | None]:
        return self.mention.start_s, self.mention.end_s

    @property
    def what(self) -> tuple[str, str]:
        return self.mention.video, self.template

    @property
    def identity(self) -> str:
        """Tells it from every other row, wherever it stands."""
        return repr((self.mention.video, self.template, self.language, self.range))


def video_table(config: Config, *, probe: bool = True, refuse: bool = True) -> pd.DataFrame:
    """The rows of ``videos:``: one a report, named, in a stable order.

    Columns are the fields of `Target`; ``problem`` says why a row can't be used. ``probe`` also
    opens the videos that are not yet known; what they are is remembered among the results.
    Raises ReelmakeError ``videos_missing`` when there are none, ``videos_invalid`` when one can't
    be used and ``on_bad_input`` is ``fail``; not without ``refuse``, for jobs of a run that has
    begun: a video that is taken away meanwhile must not stop the others.
    """
    entries = [config.videos] if isinstance(config.videos, str) else config.videos
    mentions = expand(entries, config.exclude)
    contents = contents_of(mentions, config, probe=probe)
    checked = [_checked(mention, contents, config) for mention in mentions]
    rows = _without_repeats(_rows(checked, config))
    _name(rows)
    records = [_record(row, contents.get(row.mention.video), config) for row in rows]
    table = pd.DataFrame(records, columns=list(Target.model_fields), dtype=object)
    if refuse:
        _refuse_unusable(table, config, entries)
    return table


def targets(table: pd.DataFrame) -> dict[tuple[str, str], Target]:
    """The rows as records, to be looked up by template and name."""
    rows = (Target.model_validate(row) for row in table.to_dict(orient="records"))
    return {target.key: target for target in rows}


def _checked(
    mention: Mention,
    contents: Mapping[str, Content | None],
    config: Config,
) -> Mention:
    """The mention with all the problems that it has, each with its file and line."""
    video = _shown(mention.video)
    problems = list(mention.problems)
    if video and not (problems and mention.where is None):  # else it is no video that is told of
        found = _problem(mention, contents.get(mention.video), config)
        if found and (not problems or isinstance(contents.get(mention.video), Probe | Unusable)):
            named = found.message if video in found.message else f"{video}: {found.message}"
            problems.append(Problem(found.code, named))
    if not problems:
        return mention
    located = tuple(_located(mention, problem) for problem in problems)
    return replace(mention, video=video, problems=located)


def _problem(mention: Mention, known: Content | None, config: Config) -> Problem | None:
    if is_url(mention.video):
        message = checks.problem_of_address(mention.video, config)
        return Problem("row_unusable", message) if message else None
    if isinstance(known, Probe | Unusable):
        return checks.problem_of_content(mention, known, config)
    return known


def _located(mention: Mention, problem: Problem) -> Problem:
    prefix = f"{mention.where}: " if mention.where else ""
    return Problem(problem.code, shortened(printable(prefix + problem.message), _LONGEST_PROBLEM))


def _rows(mentions: Sequence[Mention], config: Config) -> list[_Row]:
    known = available_templates(template_folders())
    parameters = {
        name: load_template(name).parameters
        for name in _with_columns(mentions, config) & set(known)
    }
    rows = []
    for mention in mentions:
        for template in mention.templates or (config.template,):
            row, name = mention, template
            given = config.parameters.get(template, {})
            message = checks.problem_of_template(template, known) if mention.templates else None
            if message:
                problem = _located(mention, Problem("template_invalid", message))
                row = replace(row, problems=(*row.problems, problem))
                name = re.sub(r"[^A-Za-z0-9_-]+", "-", template).strip("-_") or "unknown"
            elif mention.extra and template in parameters:
                own = row_parameters(mention.extra, parameters[template])
                found = [_located(row, Problem("row_unusable", each)) for each in own.problems]
                row = replace(row, extra=own.rest, problems=(*row.problems, *found))
                given = {**given, **own.given}
            tags = mention.languages or (config.language,)
            rows += [_Row(row, name, tag, given) for tag in tags]
    return rows


def _with_columns(mentions: Sequence[Mention], config: Config) -> set[str]:
    """The templates of rows that have further columns: one may be a parameter of theirs."""
    return {
        name
        for mention in mentions
        if mention.extra
        for name in mention.templates or (config.template,)
    }


def _without_repeats(rows: Sequence[_Row]) -> list[_Row]:
    """Each report once, as the first row has it; one with a name before one without.

    A bare mention, as of a folder, is in what a table says of the video. Problems add up.
    """
    said = {row.what for row in rows if not row.mention.says_nothing}
    named = {row.identity for row in rows if row.mention.name}
    unique: dict[tuple[str, str | None], _Row] = {}
    for row in rows:
        if not row.mention.problems:
            if row.mention.says_nothing and row.what in said:
                continue
            if not row.mention.name and row.identity in named:
                continue
        first = unique.setdefault((row.identity, row.mention.name), row)
        if first is not row and row.mention.problems:
            problems = dict.fromkeys((*first.mention.problems, *row.mention.problems))
            first.mention = replace(first.mention, problems=tuple(problems))
    return list(unique.values())


def _name(rows: Sequence[_Row]) -> None:
    """Give every row a name of its own within its template, whatever their order."""
    named = sorted({(row.mention.name, row.mention.video) for row in rows if row.mention.name})
    names = told_apart([safe_name(name) for name, _ in named], [repr(each) for each in named])
    given = dict(zip(named, names, strict=True))
    unnamed = sorted({row.mention.video or "video" for row in rows if not row.mention.name})
    bases = dict(zip(unnamed, distinct_names(unnamed, list(given.values())), strict=True))
    together: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    for row in rows:
        row.name = (
            given[row.mention.name, row.mention.video]
            if row.mention.name
            else bases[row.mention.video or "video"]
        )
        together[row.template, row.name].append(row)
    for same in together.values():
        if len(same) > 1:
            several_ranges = len({row.range for row in same}) > 1
            several_languages = len({row.language for row in same}) > 1
            for row in same:
                row.name += _range(row) if several_ranges else ""
                row.name += f".{row.language}" if several_languages and row.language else ""
    by_template: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        by_template[row.template].append(row)
    for group in by_template.values():
        identities = [row.identity for row in group]
        names = told_apart([row.name for row in group], identities)
        for row, name in zip(group, names, strict=True):
            row.name = name


def _range(row: _Row) -> str:
    """`` 01.30-02.00``, which is a file name everywhere."""
    start_s, end_s = row.range
    if start_s is None and end_s is None:
        return ""
    end = "end" if end_s is None else format_clock(end_s)
    return f" {format_clock(start_s or 0.0)}-{end}".replace(":", ".")


def _record(row: _Row, found: Content | None, config: Config) -> dict[str, object]:
    mention = row.mention
    video, source = mention.video, None
    if not mention.problems and checks.is_fetched(video, config):
        video, source = str(Results(Path(config.results)).fetched(video)), video
    return {
        "video": video,
        "source": source,
        "name": row.name,
        "template": row.template,
        "language": row.language,
        "priority": mention.priority,
        "start_s": mention.start_s,
        "end_s": mention.end_s,
        "tags": mention.tags,
        "extra": mention.extra,
        "parameters": row.parameters,
        "probe": found if isinstance(found, Probe) and not mention.problems else None,
        "problem": "; ".join(problem.message for problem in mention.problems) or None,
        "problem_code": mention.problems[0].code if mention.problems else None,
    }


def _shown(path: str) -> str:
    """The path as text that can be printed and written, also when its bytes are no UTF-8."""
    return printable(path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))


def _refuse_unusable(table: pd.DataFrame, config: Config, entries: Sequence[str]) -> None:
    problems = list(dict.fromkeys(problem for problem in table["problem"] if problem))
    if table.empty:
        problems = [f"no videos found in {', '.join(entries)}"]
    elif config.on_bad_input == "skip":
        return
    if problems:
        nothing_is_there = set(table["problem_code"]) <= {"video_missing"}
        code = "videos_missing" if nothing_is_there else "videos_invalid"
        lines = [f"  {problem}" for problem in problems]
        raise ReelmakeError(code, "\n".join(["Videos that can't be used:", *lines]))
