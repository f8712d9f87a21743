"""The report: an analysis laid out as Markdown by its template; the same input, the same bytes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import unescape
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Template as JinjaTemplate
from jinja2 import nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from pydantic import TypeAdapter, ValidationError

from reelmake import __version__
from reelmake.analysis import Analysis
from reelmake.errors import ReelmakeError
from reelmake.markdown import (
    as_text,
    escape,
    front_matter,
    layout_environment,
    link_to,
    obsidian_tag,
    plain,
    template_errors,
    unknown_variables,
)
from reelmake.moments import moment_destination
from reelmake.notices import told
from reelmake.samples import sample_analyses
from reelmake.template_files import read_yaml
from reelmake.timestamps import format_clock, parse_clock
from reelmake.translation import say_in

if TYPE_CHECKING:
    from reelmake.templates import Template

_LAYOUT = "report.md.j2"
_FRAME = "_layout/frame.md.j2"
_DIGEST = "_digest/digest.md.j2"
_SHARED = (Path(__file__).parents[2] / "templates",)
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_FEW = 3
"""Headings from which a report begins with its contents."""


@dataclass(frozen=True)
class Picture:
    """A frame of the video; ``path`` is relative to the report."""

    time_s: float
    path: str


def render_report(
    analysis: Analysis,
    template: "Template",
    *,
    source_link: str | None,
    frames: Sequence[Picture],
    tags: Sequence[str],
    extra: Mapping[str, str],
) -> str:
    """Front matter and body. ``source_link`` is a URL, or a path relative to the report."""
    schema = template.fields_schema or {}
    say = say_in(analysis.language)
    warnings = [{"code": one.code, "message": told(one, say)} for one in analysis.warnings]
    context = as_text(analysis.model_dump() | {"warnings": warnings}) | {
        "fields": as_text(_complete(analysis.fields, schema)),
        "labels": as_text(_labels(template.search_path, analysis.language)),
        "chapter_pictures": _chapter_pictures(analysis, frames),
        "pictures": {format_clock(frame.time_s): frame.path for frame in frames},
        "source_link": source_link,
        "version": __version__,
    }
    with template_errors(template.folder):
        environment = _environment(template.search_path)
        body = Markup(environment.get_template(_LAYOUT).render(context))  # noqa: S704  escaped
        text = environment.get_template(_FRAME).render(context | {"body": body})
    head = front_matter(_properties(analysis, source_link, tags, extra))
    return f"{head}\n{tidy(text)}\n"


def tidy(text: str) -> str:
    """Without blanks at the ends of lines, and never two blank lines together."""
    lines = (line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _chapter_pictures(analysis: Analysis, frames: Sequence[Picture]) -> dict[str, str]:
    """The picture of each chapter that has one of its own, by the clock time it begins at."""
    cited = {format_clock(moment.time_s) for moment in analysis.key_moments}
    own = [frame for frame in frames if format_clock(frame.time_s) not in cited]
    return {
        format_clock(chapter.start_s): frame.path
        for chapter in analysis.chapters
        for frame in reversed(own)  # the first one stays
        if int(chapter.start_s) <= frame.time_s < chapter.end_s
    }


def _properties(
    analysis: Analysis, source_link: str | None, tags: Sequence[str], extra: Mapping[str, str]
) -> dict[str, object]:
    duration_s = analysis.video.duration_s
    properties: dict[str, object] = {
        "title": plain(analysis.title),
        "source": source_link or analysis.video.source,
        "duration": None if duration_s is None else _long_clock(duration_s),
        "duration_s": duration_s,
        "template": analysis.template,
        "language": analysis.language,
        "engine": analysis.engine.name,
        "model": analysis.engine.model,
        "model_version": analysis.engine.version,
        "input_tokens": analysis.usage.input_tokens,
        "output_tokens": analysis.usage.output_tokens,
        "cost_usd": analysis.cost_usd,
        "created": analysis.created,
        "tags": [tag for tag in dict.fromkeys(map(obsidian_tag, tags)) if tag],
    }
    for name, value in extra.items():
        # Obsidian doesn't tell `Title` from `title`: neither may hide what the report says.
        while name.casefold() in map(str.casefold, [*properties, "digest"]):
            name = f"table_{name}"  # noqa: PLW2901
        properties[name] = value
    return properties


def _long_clock(seconds: float) -> str:
    clock = format_clock(seconds)
    return clock if clock.count(":") == 2 else f"0:{clock}"


@pass_context
def _moment(context: Context, moment: float | str) -> Markup:
    try:
        seconds = parse_clock(moment) if isinstance(moment, str) else moment
    except ValueError:
        return escape(moment)
    return link_to(format_clock(seconds), moment_destination(context["source_link"], seconds))


def _moment_in(seconds: float, source_link: str | None) -> Markup:
    return link_to(format_clock(seconds), moment_destination(source_link, seconds))


def _clock(moment: float | str) -> str:
    return moment if isinstance(moment, str) else format_clock(moment)


def _readable(time: str) -> str:
    """An ISO 8601 time in UTC, to the minute, as people of all countries read it."""
    return f"{time[:16].replace('T', ' ')} UTC" if time[10:11] == "T" else time


def _within(
    moments: Sequence[Mapping[str, Any]], chapter: Mapping[str, Any], first: bool, last: bool
) -> list[Mapping[str, Any]]:
    """The moments in a chapter; the first and last one take what lies outside of all."""
    start_s = 0 if first else chapter["start_s"]
    end_s = inf if last else chapter["end_s"]
    return [moment for moment in moments if start_s <= moment["time_s"] < end_s]


def _named(names: Sequence[str], labels: Mapping[str, str]) -> str:
    """What parts of an answer are called in the report's language, in one line."""
    words = (labels.get(name) or name.replace("_", " ") for name in names)
    # They stand in the middle of a sentence.
    return labels["separator"].join(word[:1].lower() + word[1:] for word in words)


def _contents(body: str) -> Markup:
    """Links to the headings of a report, as GitHub and most editors name them.

    Obsidian looks for the heading's text instead: the same thing for a heading of one word, which
    is why those in ``labels.yaml`` are.
    """
    headings = _HEADING.findall(body)
    if len(headings) < _FEW:
        return Markup()
    links, seen = [], set[str]()
    for heading in headings:
        text = unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", heading))
        slug = first = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        for number in range(1, len(headings)):
            if slug not in seen:
                break
            slug = f"{first}-{number}"
        seen.add(slug)
        links.append(link_to(Markup(heading), f"#{slug}"))  # noqa: S704  it is of a layout
    return Markup(" · ").join(links)


@cache
def _environment(search_path: tuple[Path, ...]) -> ImmutableSandboxedEnvironment:
    environment = layout_environment(search_path)
    environment.filters |= {
        "moment": _moment,
        "moment_in": _moment_in,
        "clock": _clock,
        "named": _named,
        "within": _within,
        "contents": _contents,
        "readable": _readable,
    }
    return environment


@cache
def _labels(search_path: tuple[Path, ...], language: str) -> dict[str, str]:
    """Headings and fixed words: English, overlaid with the language as far as it is there."""
    labels: dict[str, str] = {}
    for file in _label_files(search_path):
        try:
            tables = TypeAdapter(dict[str, dict[str, str]]).validate_python(read_yaml(file))
        except ValidationError as error:
            found = error.errors()[0]
            place = ".".join(map(str, found["loc"]))
            problem = f"{file}: {place}: expected text by language and name"
            raise ReelmakeError("template_invalid", problem) from None
        labels |= tables.get("en", {}) | tables.get(_closest(language, tables), {})
    return labels


def _closest(language: str, tables: Mapping[str, object]) -> str:
    """``zh-CN`` for ``zh-Hans`` and ``zh``; English for what is not there."""
    wanted = language.lower()
    for key in tables:
        if key.lower() == wanted:
            return key
    return next((key for key in tables if key[:2].lower() == wanted.split("-")[0]), "en")


def _label_files(search_path: tuple[Path, ...]) -> list[Path]:
    shared = [folder / "_layout" / "labels.yaml" for folder in search_path]
    own = search_path[0] / "labels.yaml"
    return [*[file for file in shared if file.is_file()][:1], *([own] if own.is_file() else [])]


def layout_of_digests() -> JinjaTemplate:
    """The layout of digests, which belong to no template."""
    return _environment(_SHARED).get_template(_DIGEST)


def shared_labels(language: str) -> dict[str, str]:
    """Headings and fixed words that belong to no template."""
    return _labels(_SHARED, language)


def layout_files(folder: Path, search_path: tuple[Path, ...]) -> list[Path]:
    """All files that decide how a report is laid out, in a stable order."""
    shared: dict[str, Path] = {}
    for place in search_path:
        for file in sorted((place / "_layout").glob("*")):
            if file.is_file():
                shared.setdefault(file.name, file)
    own = [file for file in (folder / _LAYOUT, folder / "labels.yaml") if file.is_file()]
    return [*own, *(shared[name] for name in sorted(shared))]


def layout_tree(template: "Template") -> nodes.Template:
    """The layout as Jinja understands it, to look at what it shows."""
    environment = _environment(template.search_path)
    return environment.parse((template.folder / _LAYOUT).read_text(encoding="utf-8"))


def check_layout(template: "Template") -> None:
    """Lay out a rich and a poor sample; ReelmakeError names the file and line of a mistake."""
    environment = _environment(template.search_path)
    known = {
        *Analysis.model_fields,
        "labels",
        "pictures",
        "chapter_pictures",
        "source_link",
        "version",
    }
    with template_errors(template.folder):
        unknown = unknown_variables(environment, _LAYOUT, known)
        unknown += unknown_variables(environment, _FRAME, {*known, "body"})
    if unknown:
        raise ReelmakeError("template_invalid", "\n".join(unknown))
    schema = template.fields_schema or {}
    for analysis in sample_analyses(template.name, template.language, schema):
        frames = [Picture(moment.time_s, "a.jpg") for moment in analysis.key_moments]
        render_report(analysis, template, source_link="a.mp4", frames=frames, tags=[], extra={})


def _complete(value: Any, schema: Mapping[str, Any]) -> Any:
    """``value`` with None for what the schema knows and the answer lacks: layouts ask ``if``."""
    if isinstance(value, Mapping):
        properties = schema.get("properties", {})
        known = {name: _complete(value.get(name), inner) for name, inner in properties.items()}
        return {**value, **known}
    if isinstance(value, list):
        return [_complete(item, schema.get("items", {})) for item in value]
    return value
