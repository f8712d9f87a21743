"""The recipe of the container image, as far as it can be checked where there is no engine."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from gemini_double import GeminiDouble
from reelmake.exports.formats import PROGRAMS
from sample_videos import many_videos
from workflow.conftest import ROOT, asking


def instructions() -> list[tuple[str, str]]:
    """Each keyword with what follows it, continued lines joined."""
    text = (ROOT / "envs/Containerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(keyword, rest) for keyword, _, rest in (x.partition(" ") for x in joined.split("\n"))]


def of(keyword: str) -> list[str]:
    return [rest for found, rest in instructions() if found == keyword]


def copies() -> Iterator[tuple[Path, str]]:
    for line in of("COPY"):
        *sources, target = line.split()
        for source in sources:
            yield ROOT / source, target


def test_every_line_is_an_instruction() -> None:
    known = {"FROM", "RUN", "COPY", "WORKDIR", "ENV", "ENTRYPOINT", "CMD"}
    assert {keyword for keyword, _ in instructions()} == known
    assert instructions()[0][0] == "FROM"


def test_its_python_is_that_of_the_conda_environments() -> None:
    (base,) = of("FROM")
    version = re.fullmatch(r"python:(\d+\.\d+)-slim-[a-z]+", base)
    assert version
    for engine in ("gemini", "local"):
        environment = yaml.safe_load((ROOT / f"envs/{engine}.yaml").read_text(encoding="utf-8"))
        assert f"python={version[1]}" in environment["dependencies"]


def test_it_installs_the_locks_that_it_copies_and_no_others() -> None:
    copied = {source.name for source, target in copies() if "requirements" in target}
    (install,) = (line for line in of("RUN") if "pip install" in line)
    assert set(re.findall(r"requirements/(\S+)", install)) == copied
    assert copied == {f"{name}.txt" for name in ("gemini", "local", "youtube", "cluster")}
    assert "--require-hashes" in install


def test_it_has_the_programs_that_formats_need() -> None:
    (install,) = (line for line in of("RUN") if "apt-get" in line)
    assert set(PROGRAMS.values()) <= set(install.split())


def test_what_it_copies_is_enough_for_a_run(tmp_path: Path) -> None:
    image = tmp_path / "image"
    for source, target in copies():
        tracked = subprocess.run(
            ["git", "ls-files", "-z", source], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split("\0")
        for name in filter(None, tracked):
            path = ROOT / name
            inside = path.relative_to(source if source.is_dir() else source.parent)
            destination = image / target.lstrip("/") / inside
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, destination)
    (entry,) = of("ENTRYPOINT")
    program, option, snakefile = yaml.safe_load(entry)
    (folder,) = of("WORKDIR")
    with GeminiDouble() as double:
        project = asking(double, image / folder.lstrip("/"))
        many_videos(project.folder / "videos", 1)
        project.command()
        run = subprocess.run(
            [
                *(Path(sys.executable).with_name(program), option, image / snakefile.lstrip("/")),
                *("-j1", "--configfile", "my.yaml"),
            ],
            cwd=project.folder,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **project.environment},
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    assert project.report("video-0000").exists()
