"""Whether everything is there that a run needs: one line each, with what to do."""

import asyncio
import importlib.util
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from reelmake.config import Config
from reelmake.errors import Kind, ReelmakeError
from reelmake.exports.formats import find_program
from reelmake.pricing import price_table
from reelmake.redaction import redact

_PROJECT = Path(__file__).parents[2]
_ROOM_GB = 2.0
_FILES = 1024
_PATIENCE_S = 10.0
_SLURM = ("sbatch", "squeue", "scancel", "sinfo")


@dataclass(frozen=True)
class Finding:
    """What was looked at. ``warn``: a run can do without it, or it could not be found out."""

    mark: Literal["ok", "warn", "fail"]
    what: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.mark:<5}{self.what}" + (f" → {self.fix}" if self.fix else "")


def findings(config: Config) -> Iterator[Finding]:
    """All of them, in the order in which they are told."""
    yield _python()
    yield from _packages(config)
    yield from _programs(config)
    yield from _disk(config)
    yield _open_files()
    if config.engine == "local":
        yield from _weights(config)
    else:
        yield from asyncio.run(_account(config))
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
    fix = "run `make setup`"
    if missing:
        yield Finding("fail", f"packages are missing: {', '.join(missing)}", fix)
    if others:
        exact = any(other.startswith(("snakemake ", "google-genai ")) for other in others)
        yield Finding("fail" if exact else "warn", f"other versions: {', '.join(others)}", fix)
    if not missing and not others:
        yield Finding("ok", f"{len(pins)} packages of {lock.name}")


def _programs(config: Config) -> Iterator[Finding]:
    for wanted in ("docx", "pdf"):
        if wanted in config.formats:
            try:
                yield Finding("ok", f"{find_program(wanted)}, for {wanted}")
            except ReelmakeError as error:
                yield Finding("fail", error.message, error.hint)
    needed = config.download or config.engine == "local"
    entries = [config.videos] if isinstance(config.videos, str) else config.videos
    if needed and any("youtu" in entry for entry in entries):
        if importlib.util.find_spec("yt_dlp"):
            yield Finding("ok", "yt-dlp")
        else:
            yield Finding("fail", "no yt-dlp", "pip install -r requirements/youtube.txt")


def _disk(config: Config) -> Iterator[Finding]:
    for what, folder in (
        ("results", Path(config.results)),
        ("temporary files", Path(tempfile.gettempdir())),
    ):
        there = next(each for each in [folder, *folder.absolute().parents] if each.exists())
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            fix = "make it writable, or name another one"
            yield Finding("fail", f"{there} can't be written to ({error.strerror})", fix)
            continue
        free_gb = shutil.disk_usage(there).free / 1e9
        enough = free_gb >= _ROOM_GB
        fix = "" if enough else "make room"
        yield Finding("ok" if enough else "warn", f"{free_gb:.1f} GB free for {what}", fix)


def _open_files() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < _FILES:
        fix = f"`ulimit -n {_FILES}`, or fewer jobs at a time"
        return Finding("warn", f"{hard} files may be open at a time", fix)
    return Finding("ok", "enough files may be open at a time")


def _weights(config: Config) -> Iterator[Finding]:
    # Half a second, and much memory, that others do without.
    from reelmake.local.weights import is_to_be_downloaded, load_speech_model  # noqa: PLC0415

    name = config.local.speech_model
    if is_to_be_downloaded(name):
        fix = "the first run downloads it, or run where there is a network first"
        yield Finding("warn", f"the speech model {name} is not on this machine yet", fix)
        return
    try:
        yield Finding("ok", load_speech_model(name, 1).version)
    except ReelmakeError as error:
        yield Finding("fail", error.message, error.hint)


async def _account(config: Config) -> list[Finding]:
    # The SDK, which runs without Gemini do without.
    from reelmake.gemini.failures import classify  # noqa: PLC0415
    from reelmake.gemini.projects import Projects  # noqa: PLC0415
    from reelmake.gemini.service import api_keys  # noqa: PLC0415
    from reelmake.results import Results  # noqa: PLC0415

    settings = config.gemini
    found = [
        Finding("ok", f"{model} has a price of {price_table().updated}")
        if model in price_table().models
        else Finding("warn", f"{model} has no price", f"add it to {price_table().path}")
        for model in (settings.model, *settings.fallback_models)
    ]
    try:
        keys = api_keys()
    except ReelmakeError as error:
        return [*found, Finding("fail", error.message, error.hint)]
    if not keys and not settings.vertex:
        fix = "export GEMINI_API_KEY; https://aistudio.google.com/apikey has one"
        return [*found, Finding("fail", "no API key in the environment", fix)]
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
                    found.append(Finding("ok", f"{what}: can be asked"))
    return found


def _slurm() -> Finding:
    missing = [program for program in _SLURM if shutil.which(program) is None]
    if len(missing) == len(_SLURM):
        return Finding("ok", "no Slurm here; it is needed for profiles/slurm alone")
    if missing:
        return Finding("warn", f"Slurm lacks {', '.join(missing)}", "install its client programs")
    try:
        subprocess.run(
            ["sinfo", "--noheader", "--format=%T"],  # noqa: S607  wherever the site has it
            capture_output=True,
            check=True,
            timeout=_PATIENCE_S,
        )
    except (OSError, subprocess.SubprocessError):
        return Finding("warn", "Slurm does not answer", "is its controller running?")
    return Finding("ok", "Slurm answers")
