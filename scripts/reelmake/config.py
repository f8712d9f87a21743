"""The one configuration: every key, its default and what it means.

``schemas/config.schema.yaml`` is made from this file (``make schemas``); ``config.yaml`` shows
the same keys to users; a test keeps the three in step.
"""

import difflib
import importlib.util
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from reelmake.command_line import as_meant
from reelmake.errors import ReelmakeError
from reelmake.redaction import has_key
from reelmake.untrusted import is_bounded, printable, shown


def _without_wildcards(path: str) -> str:
    if set(path) & UNNAMEABLE:
        raise PydanticCustomError("wildcards", "Input should be a path without any of { } < >")
    return path


UNNAMEABLE = frozenset("{}<>\n")
"""What no path may hold that Snakemake names: they stand for wildcards there."""

Text = Annotated[str, StringConstraints(min_length=1)]
PathText = Annotated[Text, AfterValidator(_without_wildcards)]
Format = Literal["md", "html", "docx", "pdf", "srt", "vtt", "json", "anki"]
LanguageTag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]

_MOST = 10**12
"""Of whatever is counted: larger numbers are slips, and too large to be reckoned with."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


GEMINI_SETTINGS = "REELMAKE_GEMINI_SETTINGS"
"""The environment variable with `gemini:` for jobs that are done without a gateway.

Not among their params, so that how fast one asks makes no report out of date.
"""


class VertexSettings(_Section):
    """`gemini.vertex`: where on Vertex AI."""

    project: Text = Field(description="Google Cloud project")
    location: Text = Field("global", description="region, or global")


class GeminiSettings(_Section):
    """`gemini`: the engine that asks Gemini."""

    model: Text = Field("gemini-3.5-flash-lite", description="the model that is asked")
    fallback_models: list[Text] = Field([], description="tried when a model stays overloaded")
    api_version: Text = Field("v1beta", description="version of the Gemini API")
    tier: Literal["standard", "flex", "batch"] = Field(
        "standard", description="flex and batch cost half"
    )
    batch_size: int = Field(1000, ge=1, le=10_000, description="requests of one batch, at most")
    batch_max_wait_hours: float = Field(
        24.0, gt=0, le=1e4, description="hours until a batch that has not ended is given up"
    )
    batch_fallback: list[Literal["batch", "flex", "standard"]] = Field(
        ["batch", "flex", "standard"], description="in turn, for what a batch did not answer"
    )
    batch_enqueued_tokens: int | None = Field(
        None, ge=1, le=_MOST, description="input tokens that may be in batches at a time"
    )
    rpm: int | None = Field(
        None, ge=1, le=_MOST, description="requests a minute; null: the answers teach"
    )
    tpm: int | None = Field(None, ge=1, le=_MOST, description="input tokens a minute")
    rpd: int | None = Field(
        None, ge=1, le=_MOST, description="requests a day, until Pacific midnight"
    )
    quota_store: (
        Annotated[str, StringConstraints(pattern=r"^(rediss?://[^\s@]+|env:[A-Za-z_]\w*)$")] | None
    ) = Field(None, description="a redis:// that counts for all nodes and runs, or env:NAME")
    max_in_flight: int = Field(64, ge=1, le=100_000, description="calls at the same time, at most")
    max_attempts: int = Field(3, ge=1, le=20, description="tries of one call, the first included")
    timeout_s: float = Field(1800.0, gt=0, le=1e6, description="seconds until one call is given up")
    retry_blocked: bool = Field(False, description="ask again for what was refused or blocked")
    segment_minutes: float = Field(
        20.0, gt=0, le=1e6, description="longer videos are analysed in segments"
    )
    segment_overlap_s: float = Field(15.0, ge=0, le=1e6, description="seconds that segments share")
    combine_templates: bool = Field(False, description="ask for all templates of a video at once")
    fps: float = Field(1.0, gt=0, le=24, description="frames a second that the model sees")
    media_resolution: Literal["default", "low", "medium", "high"] = Field(
        "default", description="how sharp the model sees each frame"
    )
    vertex: VertexSettings | None = Field(None, description="Vertex AI instead of an API key")


class LocalSettings(_Section):
    """`local`: the offline engine."""

    speech_model: PathText = Field("base", description="a bundled size, a path, or a hub name")


class Config(_Section):
    """Everything that a user decides."""

    videos: Text | Annotated[list[Text], Field(min_length=1)] = Field(
        description="folder, glob, file, URL, list or table, or a list that mixes them"
    )
    exclude: list[Text] = Field([], description="globs of videos and folders to leave out")
    max_duration_minutes: float | None = Field(
        None, gt=0, le=1e9, description="longer videos are bad input; null: any length"
    )
    download: bool = Field(False, description="fetch https videos and hand over their bytes")
    results: Annotated[PathText, AfterValidator(os.path.normpath)] = Field(
        "results", description="where everything is written"
    )
    template: Text = Field("chinese_transcript", description="a folder of templates/")
    parameters: dict[str, dict[str, str | int | float]] = Field(
        {}, description="by template: values for its parameters"
    )
    language: LanguageTag | None = Field(None, description="of the report; null: the template's")
    engine: Literal["gemini", "local"] = Field("gemini", description="gemini, or local (offline)")
    gemini: GeminiSettings = GeminiSettings()
    local: LocalSettings = LocalSettings()
    formats: list[Format] = Field(
        ["md", "html"], description="md and html always; docx needs pandoc, pdf needs weasyprint"
    )
    digest: Text | None = Field(
        None, description="tags, template or a column: one more report for each group of reports"
    )
    frames: bool = Field(True, description="pictures of the key moments in the report")
    keep_uploads: bool = Field(False, description="keep uploaded videos when no report needs them")
    on_bad_input: Literal["fail", "skip"] = Field(
        "fail", description="fail: an unusable row stops the run before anything is bought"
    )
    prune: bool = Field(False, description="`snakemake prune` deletes what it lists")
    budget_usd: float | None = Field(
        None, ge=0, le=1e12, description="a run never spends more; null: any"
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="of the log of a run, logs/run-*.log or .jsonl"
    )
    notify: list[Text] = Field([], description="Apprise URLs, or env:NAME to read one from there")

    def request_settings(self) -> str:
        """What of it belongs to the requests: a change of these makes reports out of date."""
        if self.engine == "local":
            return self.local.model_dump_json()
        names = {"model", "segment_minutes", "segment_overlap_s", "fps", "media_resolution"}
        return self.gemini.model_dump_json(include=names)


_REDIS = re.compile(r"rediss?://")
_SECRET = re.compile(r"AIza[0-9A-Za-z_-]{30,}|AQ\.[0-9A-Za-z_-]{30,}|rediss?://\S*@")
_NAME_OF_SECRET = re.compile(r"(?i)(api_?keys?|secret|token|password|credentials?)$")


def load_config(
    values: Mapping[str, Any],
    files: Sequence[str | Path] = (),
    *,
    typed: Mapping[str, Any] | None = None,
) -> Config:
    """Check the merged configuration; all problems are told at once.

    ``files`` are the YAML files that the values came from: they only serve to tell lines.
    ``typed`` are those of the command line, of which Snakemake leaves ``no`` and all within
    braces as text.
    Raises ReelmakeError ``config_invalid``.
    """
    if not is_bounded(values):
        message = "The configuration can't be used: its aliases multiply without end."
        raise ReelmakeError("config_invalid", message)
    problems = [
        (path, f"a secret; keep it out of files and {_instead(path)} in the environment instead")
        for path in _secrets(values)
    ]
    if not problems:
        try:
            config = Config.model_validate(as_meant(values, typed or {}, Config))
            problems = [*_not_together(config), *_quota_store(config.gemini)]
            if not problems:
                return config
        except ValidationError as error:
            problems = [_explain(found) for found in error.errors(include_url=False)]
    lines = [f"  {_where(path, files)}: {problem}" for path, problem in problems]
    message = "\n".join(["The configuration can't be used:", *lines])
    raise ReelmakeError("config_invalid", printable(message))


def _not_together(config: Config) -> list[tuple[tuple[str | int, ...], str]]:
    """Keys that are right by themselves, and have no meaning beside others."""
    if config.gemini.tier == "batch" and config.gemini.vertex:
        problem = "batch needs an API key; on Vertex AI expected standard or flex"
        return [(("gemini", "tier"), problem)]
    if config.gemini.tier == "batch" and config.gemini.combine_templates:
        return [(("gemini", "combine_templates"), "expected false with `tier: batch`")]
    return []


def _quota_store(gemini: GeminiSettings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What would let shared quotas fail in every job, rather than here."""
    where, path = gemini.quota_store, ("gemini", "quota_store")
    if where is None:
        return
    if where.startswith("env:") and not _REDIS.match(given := os.environ.get(where[4:], "")):
        found = "something else" if given else "none"  # it may hold a password
        yield path, f"expected a redis:// URL in the environment as {where[4:]}, found {found}"
    if not any((gemini.rpm, gemini.tpm, gemini.rpd)):
        yield path, "there is nothing to share; expected `rpm`, `tpm` or `rpd` beside it"
    if importlib.util.find_spec("redis") is None:
        yield path, "needs a package: `.venv/bin/pip install -r requirements/cluster.txt`"


def _instead(path: Sequence[str | int]) -> str:
    if path[-1] == "quota_store":
        return "write env:NAME here, with the URL as NAME"
    return "set GEMINI_API_KEY"


def _secrets(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            if _NAME_OF_SECRET.search(str(key)):
                yield (*path, key)
            else:
                yield from _secrets(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _secrets(child, (*path, index))
    elif isinstance(value, str) and (_SECRET.search(value) or has_key(value)):
        yield path


def _explain(error: Any) -> tuple[tuple[str | int, ...], str]:
    if error["type"] == "extra_forbidden":
        path: tuple[str | int, ...] = error["loc"]
        known = _known_keys(path[:-1])
        alike = str(path[-1]).lower().replace("-", "_")
        close = difflib.get_close_matches(alike, known, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(known)}"
        return path, f"unknown key; {meant}"
    # pydantic adds names of its own to the path of a union's branch; they are no keys of ours.
    path = tuple(part for part in error["loc"] if not _is_union_branch(part))
    if error["type"] == "missing":
        return path, "missing; it is required"
    expected = error["msg"].removeprefix("Input should be ")
    return path, f"expected {expected}, found {shown(error['input'])}"


def _is_union_branch(part: str | int) -> bool:
    return (isinstance(part, str) and not re.fullmatch(r"[a-z_]+", part)) or part in ("str", "list")


def _known_keys(path: tuple[str | int, ...]) -> list[str]:
    sections: dict[str | int, type[_Section]] = {
        "gemini": GeminiSettings,
        "local": LocalSettings,
        "vertex": VertexSettings,
    }
    return list((sections[path[-1]] if path else Config).model_fields)


def _where(path: Sequence[str | int], files: Sequence[str | Path]) -> str:
    """``gemini.rpm (my.yaml, line 12)``; the last file that has the key wins, as in the merge."""
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:]
    for file in reversed(files):
        line = _line_of(path, Path(file))
        if line:
            return f"{name} ({_shown(file)}, line {line})"
    return name


def _shown(file: str | Path) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _line_of(path: Sequence[str | int], file: Path) -> int | None:
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeError, RecursionError, yaml.YAMLError):
        return None
    line = None
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            found = (node.value[part], node.value[part]) if part < len(node.value) else None
        else:
            found = None
        if found is None:
            return None
        line, node = found[0].start_mark.line + 1, found[1]
    return line
