"""The real Snakefile, run as a user runs it, in a folder of its own."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from gemini_double import TEST_KEY, GeminiDouble, Settings
from sample_videos import Colour, make_video

ROOT = Path(__file__).parents[2]
DEMO_VIDEOS = ROOT / "demo/videos"


# A shell lets what it runs in the background ignore Ctrl-C, and all that this starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass
class Run:
    """A finished run of Snakemake."""

    code: int
    output: str

    @property
    def jobs(self) -> dict[str, int]:
        """How many jobs of each rule were to be run, from Snakemake's own table."""
        found = re.findall(r"^(\w+) +(\d+)$", self.output, re.MULTILINE)
        return {rule: int(count) for rule, count in found if rule not in ("total", "all")}

    @property
    def had_nothing_to_do(self) -> bool:
        return "Nothing to be done" in self.output


@dataclass
class Project:
    """A user's folder: videos, a configuration, and what the runs made of them."""

    folder: Path
    config: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def results(self) -> Path:
        return self.folder / str(self.config.get("results", "results"))

    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        (self.folder / "my.yaml").write_text(yaml.safe_dump(self.config, allow_unicode=True))
        return [
            str(Path(sys.executable).with_name("snakemake")),
            *("--snakefile", str(ROOT / "Snakefile"), "--configfile", "my.yaml", f"-j{cores}"),
            *arguments,
        ]

    def telling(self, target: str, *, cores: int = 1) -> Run:
        """Run a target that tells something, typed as users type it: `snakemake plan …`."""
        program, *rest = self.command(cores=cores)
        return self._finished(self._started([program, target, *rest]))

    def start(self, *arguments: str, cores: int = 2) -> "subprocess.Popen[str]":
        """Start a run in a process group of its own, as a terminal does."""
        return self._started(self.command(*arguments, cores=cores))

    def _started(self, command: list[str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, cores: int = 2) -> Run:
        return self._finished(self.start(*arguments, cores=cores))

    def _finished(self, process: "subprocess.Popen[str]") -> Run:
        output, _ = process.communicate(timeout=600)
        return Run(process.returncode, output)

    def add_video(self, source: Path, name: str | None = None) -> Path:
        target = self.folder / "videos" / (name or source.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        return target

    def own_template(self, name: str) -> Path:
        """Bring a template into the user's folder, where it can be edited."""
        folder = self.folder / "templates" / name
        shutil.copytree(ROOT / "templates" / name, folder)
        return folder

    def copy(self, folder: Path) -> "Project":
        """The same project in another folder, with all times as they were."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder, dict(self.config), dict(self.environment))

    def report(self, name: str, template: str = "summary_report") -> Path:
        return self.results / "reports" / template / f"{name}.md"

    def analysis(self, name: str, template: str = "summary_report") -> Mapping[str, Any]:
        path = self.results / "analyses" / template / f"{name}.json"
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content

    def rows(self, table: str) -> list[dict[str, str]]:
        with (self.results / table).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))


SUMMARY: dict[str, Any] = {
    "engine": "gemini",
    "frames": False,
    "template": "summary_report",
    "videos": "videos",
}


def add_video(project: Project, name: str, scene: Colour, seconds: float = 20.0) -> Path:
    path = project.folder / f"videos/{name}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    return make_video(path, [(scene, seconds)], size=(64, 64), fps=2, sound="tone")


def asking(double: GeminiDouble, folder: Path) -> Project:
    """A project that has its videos summarised by the double."""
    key = {"GEMINI_API_KEY": TEST_KEY, "GOOGLE_GEMINI_BASE_URL": double.url}
    return Project(folder, dict(SUMMARY), key)


@pytest.fixture
def double() -> Iterator[GeminiDouble]:
    with GeminiDouble(Settings()) as service:
        yield service


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(
        tmp_path / "project", {"videos": "videos", "template": "summary_report", "engine": "local"}
    )
