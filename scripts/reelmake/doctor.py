"""Whether everything is there that a run needs: one line each, with what to do."""

import asyncio
import importlib.util
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Literal

from reelmake.config import Config
from reelmake.errors import Kind, ReelmakeError
from reelmake.exports.formats import find_program
from reelmake.pricing import price_table
from reelmake.redaction import redact
from reelmake.translation import Say, translatable

_PROJECT = Path(__file__).parents[2]
_ROOM_GB = 2.0
_FILES = 1024
_PATIENCE_S = 10.0
_CLOCK_S = 60.0
_SLURM = ("sbatch", "squeue", "scancel", "sinfo")


Mark = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """What was looked at. ``warn``: a run can do without it, or it could not be found out."""

    mark: Mark
    what: str
    fix: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    def told(self, say: Say) -> str:
        """In one line."""
        what, fix = say(self.what, **self.values), say(self.fix, **self.values)
        return f"{self.mark:<5}{what}" + (f" → {fix}" if fix else "")


def _found(mark: Mark, what: str, fix: str = "", /, **values: object) -> Finding:
    """A finding whose two texts have the ``values`` in them."""
    return Finding(mark, what, fix, values)


def findings(config: Config) -> Iterator[Finding]:
    """All of them, in the order in which they are told."""
    yield _python()
    yield from _packages(config)
    yield from _programs(config)
    yield from _disk(config)
    yield _open_files()
    try:
        if config.engine == "local":
            yield from _weights(config)
        else:
            yield from asyncio.run(_account(config))
    except ImportError as error:
        yield _found("fail", "the engine can't be loaded ({why})", "run `make setup`", why=error)
    yield _slurm()


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("ok", f"Python {version}")


def _packages(config: Config) -> Iterator[Finding]:
    """Against the versions that reelmake was tested with."""
    lock = _PROJECT / "requirements" / f"{config.engine}.txt"
    missing, others = [], []
    pins = re.findall(r"^([A-Za-z0-9_.\-]+)==([^\s;\\]+)(.*)$", lock.read_text(), re.MULTILINE)
    for name, version, rest in pins:
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            if ";" not in rest:  # else it is for other systems
                missing.append(name)
            continue
        if found != version:
            others.append(f"{name} {found} instead of {version}")
    if missing:
        names = ", ".join(missing)
        yield _found("fail", "packages are missing: {names}", "run `make setup`", names=names)
    if others:
        exact = any(other.startswith(("snakemake ", "google-genai ")) for other in others)
        mark: Mark = "fail" if exact else "warn"
        names = ", ".join(others)
        yield _found(mark, "other versions: {names}", "run `make setup`", names=names)
    if not missing and not others:
        yield _found("ok", "{count} packages of {file}", count=len(pins), file=lock.name)


def _programs(config: Config) -> Iterator[Finding]:
    for wanted in ("docx", "pdf"):
        if wanted in config.formats:
            try:
                program = find_program(wanted)
                yield _found("ok", "{program}, for {format}", program=program, format=wanted)
            except ReelmakeError as error:
                yield Finding("fail", error.message, error.hint)
    needed = config.download or config.engine == "local"
    entries = [config.videos] if isinstance(config.videos, str) else config.videos
    if needed and any("youtu" in entry for entry in entries):
        if importlib.util.find_spec("yt_dlp"):
            yield Finding("ok", "yt-dlp")
        else:
            yield _found("fail", "no yt-dlp", "pip install -r requirements/youtube.txt")


def _disk(config: Config) -> Iterator[Finding]:
    for what, folder in (
        (translatable("{free:.1f} GB free for results"), Path(config.results)),
        (translatable("{free:.1f} GB free for temporary files"), Path(tempfile.gettempdir())),
    ):
        # Not `Path.exists`, which raises what a folder that may not be entered does.
        places = [folder, *folder.absolute().parents]
        there = next(place for place in places if os.path.exists(place))  # noqa: PTH110
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            yield _found(
                "fail",
                "{folder} can't be written to ({why})",
                "make it writable, or name another one",
                folder=there,
                why=error.strerror,
            )
            continue
        free_gb = shutil.disk_usage(there).free / 1e9
        if free_gb >= _ROOM_GB:
            yield _found("ok", what, free=free_gb)
        else:
            yield _found("warn", what, "make room", free=free_gb)


def _open_files() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < _FILES:
        return _found(
            "warn",
            "{hard} files may be open at a time",
            "`ulimit -n {needed}`, or fewer jobs at a time",
            hard=hard,
            needed=_FILES,
        )
    return _found("ok", "enough files may be open at a time")


def _weights(config: Config) -> Iterator[Finding]:
    # Half a second, and much memory, that others do without.
    from reelmake.local.weights import is_to_be_downloaded, load_speech_model  # noqa: PLC0415

    name = config.local.speech_model
    if is_to_be_downloaded(name):
        yield _found(
            "warn",
            "the speech model {name} is not on this machine yet",
            "the first run downloads it, or run where there is a network first",
            name=name,
        )
        return
    try:
        yield Finding("ok", load_speech_model(name, 1).version)
    except ReelmakeError as error:
        yield Finding("fail", error.message, error.hint)


async def _account(config: Config) -> list[Finding]:
    # The SDK, which runs without Gemini do without.
    from reelmake.gemini.failures import classify  # noqa: PLC0415
    from reelmake.gemini.keys import api_keys  # noqa: PLC0415
    from reelmake.gemini.projects import Projects  # noqa: PLC0415
    from reelmake.results import Results  # noqa: PLC0415

    settings = config.gemini
    found = [
        _found("ok", "{model} has a price of {day}", model=model, day=price_table().updated)
        if model in price_table().models
        else _found(
            "warn", "{model} has no price", "add it to {path}", model=model, path=price_table().path
        )
        for model in (settings.model, *settings.fallback_models)
    ]
    try:
        keys = api_keys()
    except ReelmakeError as error:
        return [*found, Finding("fail", error.message, error.hint)]
    if not keys and not settings.vertex:
        none = _found(
            "fail",
            "no API key in the environment",
            "export GEMINI_API_KEY; https://aistudio.google.com/apikey has one",
        )
        return [*found, none]
    async with Projects(settings, keys, Results(Path(config.results))) as projects:
        for project in projects.all:
            for model in (settings.model, *settings.fallback_models):
                what = f"{project.label}, {model}"
                try:
                    await project.service.check_model(model)
                except Exception as error:  # noqa: BLE001  of many families
                    fault = classify(error)
                    passing = fault.kind in (Kind.TRANSIENT, Kind.QUOTA)
                    message = f"{what}: {redact(fault.message)}"
                    found.append(Finding("warn" if passing else "fail", message, fault.hint))
                else:
                    found.append(_found("ok", "{what}: can be asked", what=what))
        clocks = [project.service.clock_ahead_s for project in projects.all]
    return [*found, *(_clock(ahead_s) for ahead_s in clocks[:1] if ahead_s is not None)]


def _clock(ahead_s: float) -> Finding:
    if abs(ahead_s) <= _CLOCK_S:
        return _found("ok", "the clock agrees with the service's")
    return _found(
        "warn",
        "the clock is {seconds:.0f} s ahead of the service's"
        if ahead_s > 0
        else "the clock is {seconds:.0f} s behind the service's",
        "set it (`timedatectl set-ntp true`): quotas of the day and dates of reports go by it",
        seconds=abs(ahead_s),
    )


def _slurm() -> Finding:
    missing = [program for program in _SLURM if shutil.which(program) is None]
    if len(missing) == len(_SLURM):
        return _found("ok", "no Slurm here; it is needed for profiles/slurm alone")
    if missing:
        names = ", ".join(missing)
        return _found("warn", "Slurm lacks {names}", "install its client programs", names=names)
    try:
        subprocess.run(
            ["sinfo", "--noheader", "--format=%T"],  # noqa: S607  wherever the site has it
            capture_output=True,
            check=True,
            timeout=_PATIENCE_S,
        )
    except (OSError, subprocess.SubprocessError):
        return _found("warn", "Slurm does not answer", "is its controller running?")
    return _found("ok", "Slurm answers")
