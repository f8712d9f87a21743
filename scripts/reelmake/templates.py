"""Templates: what a report asks for and how it is laid out, as a folder of text files.

``template.yaml`` (settings), ``prompt.md.j2`` (the instruction), ``fields.schema.yaml`` (what only
this template asks for), ``report.md.j2`` (the layout). Everything is checked when a template is
loaded, so that a mistake in one never shows in the middle of a run.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, get_args

from jinja2 import Environment, StrictUndefined, meta

from reelmake.config import Format
from reelmake.errors import ReelmakeError
from reelmake.markdown import template_errors, unknown_variables
from reelmake.report import check_layout, layout_files
from reelmake.sandbox import Folders, Sandbox
from reelmake.template_files import (
    FieldsSchema,
    Parameter,
    Part,
    Settings,
    Value,
    read_record,
    read_yaml,
)
from reelmake.timestamps import format_clock
from reelmake.untrusted import TookTooLongError, time_limit

PROJECT = Path(__file__).parents[2]
LONGEST_CHECK_S = 30.0
"""Seconds that trying out a template may take; ours take a hundredth of one."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_PROMPT = "prompt.md.j2"
_OVERVIEW_PROMPT = "_prompt/overview.md.j2"
_PROMPT_CONTEXT = {"duration", "language", "language_name", "parameters", "segment", "notes"}


@dataclass(frozen=True)
class Segment:
    """The part of a video that one call is about; ``index`` counts from 1.

    ``end_s`` is None where the video is of unknown length and the part lasts until its end.
    """

    index: int
    count: int
    start_s: float
    end_s: float | None

    @property
    def start(self) -> str:
        """Where it begins in the whole video, for people and models."""
        return format_clock(self.start_s)

    @property
    def end(self) -> str:
        """Where it ends."""
        return "the end of the video" if self.end_s is None else format_clock(self.end_s)


@dataclass(frozen=True, eq=False)
class Template:
    """A template that was loaded and checked; ``load_template`` makes it."""

    name: str
    folder: Path
    description: str
    language: str
    uses: tuple[Part, ...]
    parameters: Mapping[str, Parameter]
    generation: Mapping[str, Any]
    formats: tuple[Format, ...]
    """Made of every report of this template, whatever the configuration asks for besides."""
    fields_schema: dict[str, Any] | None
    search_path: tuple[Path, ...]
    """Where the layout and the prompt find what they include."""
    prompt_sources: tuple[str, ...]
    layout_sources: tuple[str, ...]

    @property
    def own_fields(self) -> list[str]:
        """Names of what only this template asks for."""
        return list((self.fields_schema or {"properties": {}})["properties"])

    def answer_schema(self, parts: Sequence[str] | None = None) -> dict[str, Any]:
        """What a model has to answer: the common parts it uses, and the fields of its own.

        With ``parts``, just these common parts, which is what a segment is asked for.
        """
        common = _common_schema()["properties"]
        wanted = [part for part in common if part in (self.uses if parts is None else parts)]
        properties = {part: common[part] for part in wanted}
        required = wanted
        if parts is None and self.fields_schema:
            properties |= self.fields_schema["properties"]
            required = [*wanted, *self.fields_schema.get("required", self.own_fields)]
        return {"type": "object", "properties": properties, "required": sorted(required)}

    def render_prompt(
        self,
        *,
        language: str,
        duration_s: float | None,
        parameters: Mapping[str, Value],
        segment: Segment | None = None,
    ) -> str:
        """The instruction for the model; nothing of it depends on what the video is called."""
        context = self._prompt_context(language, duration_s, parameters)
        return self._render(_PROMPT, context | {"segment": segment})

    def render_overview_prompt(
        self,
        *,
        language: str,
        duration_s: float | None,
        parameters: Mapping[str, Value],
        notes: str,
    ) -> str:
        """The instruction for what belongs to the whole, from ``notes`` of all its segments."""
        context = self._prompt_context(language, duration_s, parameters)
        return self._render(_OVERVIEW_PROMPT, context | {"segment": None, "notes": notes})

    def _prompt_context(
        self, language: str, duration_s: float | None, parameters: Mapping[str, Value]
    ) -> dict[str, Any]:
        return {
            "duration": None if duration_s is None else format_clock(duration_s),
            "language": language,
            "language_name": language_name(language),
            "parameters": self.check_parameters(parameters),
        }

    def _render(self, name: str, context: Mapping[str, Any]) -> str:
        with template_errors(self.folder):
            text = prompt_environment(self.search_path).get_template(name).render(context)
        return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"

    def check_parameters(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """The parameters with their defaults; ReelmakeError lists all that don't fit."""
        problems = self.problems_of(given)
        if problems:
            named = [f"parameter {name!r}: {problem}" for name, problem in problems.items()]
            _fail(f"template {self.name!r}", named)
        return {
            name: parameter.meant(given.get(name, parameter.default))
            for name, parameter in self.parameters.items()
        }

    def problems_of(self, given: Mapping[str, Value]) -> dict[str, str]:
        """By parameter, why it can't be taken."""
        found = {}
        for name, value in given.items():
            parameter = self.parameters.get(name)
            listed = f"the template has {_listed(self.parameters)}"
            problem = parameter.problem_of(value) if parameter else listed
            if problem:
                found[name] = problem
        return found

    def request_digest(self) -> str:
        """Changes when a model has to be asked again."""
        return _digest(
            {
                "prompt": self.prompt_sources,
                "schema": self.answer_schema(),
                "generation": dict(self.generation),
            }
        )

    def layout_digest(self) -> str:
        """Changes when reports have to be laid out again."""
        return _digest(self.layout_sources)


def available_templates(folders: Sequence[Path]) -> list[str]:
    """Names of all templates; folders that begin with ``_`` hold what templates share."""
    found = {
        file.parent.name
        for folder in folders
        for file in folder.glob("*/template.yaml")
        if file.is_file()
    }
    return sorted(name for name in found if _NAME.fullmatch(name))


def template_folders() -> list[Path]:
    """Where templates are: a user's own, in their working directory, come before ours."""
    return [Path("templates").resolve(), PROJECT / "templates"]


def load_template(name: str, folders: Sequence[Path] | None = None) -> Template:
    """The template of that name in the first of ``folders`` that has it.

    Raises ReelmakeError ``template_invalid``, which lists what is wrong with it.
    """
    return _load(name, tuple(folders or template_folders()))


@cache
def _load(name: str, folders: tuple[Path, ...]) -> Template:
    available = available_templates(folders)
    if name not in available:
        close = difflib.get_close_matches(name, available, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        problem = f"there is no template {name!r}{meant} (available: {_listed(available)})"
        raise ReelmakeError("template_invalid", problem)
    folder = next(f / name for f in folders if (f / name / "template.yaml").is_file())
    try:
        with time_limit(LONGEST_CHECK_S):
            return _checked(name, folder, folders)
    except TookTooLongError as error:
        raise ReelmakeError("template_invalid", f"{folder}: {error}") from None


def _checked(name: str, folder: Path, folders: tuple[Path, ...]) -> Template:
    settings = read_record(folder / "template.yaml", Settings)
    schema_file = folder / "fields.schema.yaml"
    has_schema = schema_file.is_file()
    if has_schema:
        read_record(schema_file, FieldsSchema)
    search_path = (folder, *folders)
    template = Template(
        name=name,
        folder=folder,
        description=settings.description,
        language=settings.language,
        uses=tuple(part for part in get_args(Part) if part in {*settings.uses, "title"}),
        parameters=settings.parameters,
        generation=settings.generation.model_dump(exclude_none=True),
        formats=tuple(settings.formats),
        fields_schema=read_yaml(schema_file) if has_schema else None,
        search_path=search_path,
        prompt_sources=_prompt_sources(folder, search_path),
        layout_sources=tuple(
            file.read_text(encoding="utf-8") for file in layout_files(folder, search_path)
        ),
    )
    _try_prompt(template)
    check_layout(template)
    return template


@cache
def language_name(tag: str) -> str:
    """English name of a BCP 47 tag: ``zh-CN`` → ``Simplified Chinese``; else the tag itself."""
    names: dict[str, str] = read_yaml(PROJECT / "templates" / "_prompt" / "languages.yaml")
    parts = tag.lower().split("-")
    prefixes = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((names[prefix] for prefix in prefixes if prefix in names), tag)


@cache
def _common_schema() -> dict[str, Any]:
    schema: dict[str, Any] = read_yaml(PROJECT / "schemas" / "answer.schema.yaml")
    return schema


@cache
def prompt_environment(search_path: tuple[Path, ...]) -> Environment:
    return Sandbox(
        loader=Folders(search_path),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _prompt_sources(folder: Path, search_path: tuple[Path, ...]) -> tuple[str, ...]:
    """The source of the prompt and of all that it includes, without unknown variables."""
    environment = prompt_environment(search_path)
    sources: dict[str, str] = {}
    problems: list[str] = []
    waiting = [_PROMPT, _OVERVIEW_PROMPT]
    while waiting:
        name = waiting.pop()
        with template_errors(folder):
            problems += unknown_variables(environment, name, _PROMPT_CONTEXT)
            sources[name] = environment.loader.get_source(environment, name)[0]  # type: ignore[union-attr]
            included = meta.find_referenced_templates(environment.parse(sources[name]))
        waiting += [other for other in included if other and other not in sources]
    if problems:
        _fail(f"{folder} (a prompt knows {_listed(sorted(_PROMPT_CONTEXT))})", problems)
    return tuple(sources.values())


def _try_prompt(template: Template) -> None:
    """Render it for every kind of video and parameter, so that no mistake waits for its first."""
    texts: dict[str, Value] = {
        name: "text"
        for name, parameter in template.parameters.items()
        if isinstance(parameter.default, str) and parameter.choices is None
    }
    choices: list[dict[str, Value]] = [
        {name: choice}
        for name, parameter in template.parameters.items()
        for choice in parameter.choices or ()
    ]
    segments = (None, Segment(1, 1, 30, 90), Segment(2, 3, 1185, 2400))
    for duration_s, segment, parameters in product((None, 3600.0), segments, [{}, texts, *choices]):
        template.render_prompt(
            language=template.language,
            duration_s=duration_s,
            parameters=parameters,
            segment=segment,
        )
    template.render_overview_prompt(
        language=template.language, duration_s=3600.0, parameters={}, notes="Text."
    )


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _listed(names: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(names) or "none"


def _fail(where: str, problems: Sequence[str]) -> None:
    raise ReelmakeError("template_invalid", "\n".join([f"{where}:", *(f"  {p}" for p in problems)]))
