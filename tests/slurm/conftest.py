"""A real Slurm of two nodes on loopback, and the workflow run on it."""

import fcntl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gemini_double import GeminiDouble, Settings
from workflow.conftest import ROOT, SUMMARY, Project

HERE = Path(__file__).parent
KEY = "key-that-nobody-may-see"
PLUGINS = Path(sys.prefix) / "cluster"


@dataclass
class Slurm:
    """Where its state is; its clients find it by themselves."""

    folder: Path

    def cancel(self, job: str) -> None:
        """As an administrator does, or Slurm itself when a job's time is over."""
        _output("scancel", job)

    def suspend(self, jobs: Sequence[str]) -> None:
        _output("scontrol", "suspend", ",".join(jobs))

    def resume(self, jobs: Sequence[str]) -> None:
        _output("scontrol", "resume", ",".join(jobs))

    def queue(self, columns: str) -> list[str]:
        """What it says of the jobs that wait or run."""
        return _output("squeue", "--noheader", f"--format={columns}").splitlines()

    def jobs(self, folder: Path) -> list[Mapping[str, str]]:
        """What it says of all jobs that were ever submitted from a folder."""
        lines = _output("scontrol", "show", "job", "--oneliner").splitlines()
        jobs = [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]
        return [job for job in jobs if job.get("WorkDir") == str(folder)]

    def scripts(self) -> list[str]:
        """The scripts of jobs that it keeps."""
        return [path.read_text() for path in self.folder.glob("state/hash.*/job.*/script")]


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    assert PLUGINS.is_dir(), "`make test` installs the executor plugins, which are missing here"
    folder = tmp_path_factory.mktemp("slurm")
    # There is one /etc/slurm on a machine: other runs of these tests wait.
    with (Path(tempfile.gettempdir()) / "reelmake-tests-slurm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            subprocess.run([HERE / "start", folder], check=True)
            yield Slurm(folder)
        finally:
            subprocess.run([HERE / "stop", folder], check=True)


@pytest.fixture
def double() -> Iterator[GeminiDouble]:
    with GeminiDouble(Settings(keys={KEY: "project"})) as service:
        yield service


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    """Reports by the double; `arguments` of the cluster have its runs take place there."""
    environment = {
        "GEMINI_API_KEY": KEY,
        "GOOGLE_GEMINI_BASE_URL": double.url,
        "PYTHONPATH": str(PLUGINS),
    }
    return _ImpatientProject(tmp_path / "project", dict(SUMMARY), environment)


class _ImpatientProject(Project):
    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        _, *rest = super().command(*arguments, cores=cores)
        return [sys.executable, str(HERE / "impatient_snakemake.py"), *rest]


def on(profile: str) -> list[str]:
    """Arguments that name a profile, as users do; disks are near."""
    return ["--profile", str(ROOT / "profiles" / profile), "--latency-wait", "5"]
