"""A hundred thousand videos are run in parts, as docs/scale.md says; here they are four."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from gemini_double import Fault, GeminiDouble
from workflow.conftest import ROOT, Project, add_video, asking

PARTS = {"1998": ["opening", "closing"], "1999": ["opening", "interview"]}


def loop(project: Project) -> "subprocess.CompletedProcess[str]":
    """Run the loop of the page, word for word, where its `snakemake` finds this workflow."""
    page = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```sh\n(for .+?)```", page, re.DOTALL)
    del project.config["videos"]
    (project.folder / "my.yaml").write_text(yaml.safe_dump(project.config))
    project.config["videos"] = "videos"
    snakemake = project.folder / "bin/snakemake"
    snakemake.parent.mkdir(exist_ok=True)
    real = Path(sys.executable).with_name("snakemake")
    snakemake.write_text(f'#!/bin/sh\nexec "{real}" --snakefile "{ROOT}/Snakefile" "$@"\n')
    snakemake.chmod(0o755)
    path = f"{snakemake.parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", script],
        cwd=project.folder,
        env={**os.environ, **project.environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def test_parts_share_a_configuration_and_what_fails_stops_no_other(
    double: GeminiDouble, tmp_path: Path
) -> None:
    project = asking(double, tmp_path / "project")
    names = [(part, name) for part, them in PARTS.items() for name in them]
    for number, (part, name) in enumerate(names):
        add_video(project, f"{part}/{name}", (number * 40, 99, 9))
    double.faults.add(Fault("overloaded", times=1))
    project.config["gemini"] = {"max_attempts": 1}

    first = loop(project)
    reports = sorted(project.folder.glob("results/*/reports/summary_report/*.md"))
    assert len(reports) == len(names) - 1, first.stdout + first.stderr
    assert len(double.ledger.billed()) == len(names) - 1
    assert {path.parents[2].name for path in reports} == set(PARTS)
    for part, them in PARTS.items():
        page = (project.folder / f"results/{part}/index.html").read_text(encoding="utf-8")
        assert all(name in page for name in them)

    double.ledger.clear()
    again = loop(project)
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(double.ledger.billed()) == 1
    assert len(list(project.folder.glob("results/*/reports/summary_report/*.md"))) == len(names)

    # Moved to another part, with the store taken along: not paid for again.
    double.ledger.clear()
    (project.folder / "videos/1999/interview.mp4").rename(
        project.folder / "videos/1998/interview.mp4"
    )
    old, new = (project.folder / f"results/{part}/responses" for part in ("1999", "1998"))
    shutil.copytree(old, new, dirs_exist_ok=True)
    moved = loop(project)
    assert moved.returncode == 0, moved.stdout + moved.stderr
    assert (project.folder / "results/1998/reports/summary_report/interview.md").exists()
    assert double.ledger.billed() == []
