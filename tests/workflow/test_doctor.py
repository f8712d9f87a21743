"""`snakemake doctor`: one line each, with what to do."""

import os
import re
from pathlib import Path

import pytest

from gemini_double import TEST_KEY, GeminiDouble
from workflow.conftest import Project, asking


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    project = asking(double, tmp_path / "project")
    project.folder.mkdir()
    return project


def lines(project: Project, *, code: int) -> list[str]:
    run = project.telling("doctor")
    assert run.code == code, run.output
    assert "Traceback" not in run.output
    return [line for line in run.output.splitlines() if line[:5].strip() in ("ok", "warn", "fail")]


def failed(project: Project) -> str:
    return "\n".join(line for line in lines(project, code=1) if line.startswith("fail"))


@pytest.mark.traced
def test_when_all_is_well_it_says_so_also_without_videos(
    project: Project, double: GeminiDouble
) -> None:
    found = lines(project, code=0)
    assert not [line for line in found if line.startswith("fail")]
    assert "ok   key 1 of 1, gemini-3.5-flash-lite: can be asked" in found
    assert "ok   the clock agrees with the service's" in found
    assert [record.kind for record in double.ledger] == ["model_get"]


def test_a_key_that_is_not_valid_and_a_model_that_is_not_there(project: Project) -> None:
    project.environment |= {"GEMINI_API_KEYS": f"{TEST_KEY},not-valid-at-all"}
    project.config["gemini"] = {"fallback_models": ["gemini-99"]}
    found = failed(project)
    assert "key 2 of 2, gemini-3.5-flash-lite: " in found
    assert "key 1 of 2, gemini-99: " in found
    assert "not-valid-at-all" not in found


def test_a_clock_that_is_wrong_is_told_also_where_the_key_is_refused(
    project: Project, double: GeminiDouble
) -> None:
    double.settings.update({"clock_ahead_s": -7200})
    project.environment["GEMINI_API_KEY"] = "not-valid-at-all"
    (line,) = (each for each in lines(project, code=1) if "the clock" in each)
    assert re.match(r"warn the clock is 7[12]\d\d s ahead of the service's → set it", line)


def test_a_package_that_is_missing_is_told_and_the_rest_all_the_same(project: Project) -> None:
    hidden = project.folder / "hidden/google"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").touch()  # stands before the namespace that has the SDK
    project.environment["PYTHONPATH"] = str(hidden.parent)
    found = lines(project, code=1)
    (line,) = (each for each in found if each.startswith("fail"))
    assert re.fullmatch(
        r"fail the engine can't be loaded \(.* from 'google' .*\) → run `make setup`", line
    )
    assert "Slurm" in found[-1]


def test_no_key(project: Project) -> None:
    project.environment["GEMINI_API_KEY"] = ""
    assert "no API key in the environment → export GEMINI_API_KEY" in failed(project)


def test_a_service_that_is_out_of_reach_is_no_fault_of_the_user(project: Project) -> None:
    project.environment["GOOGLE_GEMINI_BASE_URL"] = "http://127.0.0.1:9"
    (line,) = (each for each in lines(project, code=0) if "key 1 of 1" in each)
    assert line.startswith("warn ")


def test_offline_the_weights_are_looked_at_and_no_key_is_needed(project: Project) -> None:
    project.config["engine"] = "local"
    project.environment["GEMINI_API_KEY"] = ""
    assert any("faster-whisper" in line for line in lines(project, code=0))
    project.config["local"] = {"speech_model": "/nowhere"}
    assert "/nowhere" in failed(project)


def test_a_speech_model_that_is_to_be_downloaded_is_not_downloaded_to_find_out(
    project: Project,
) -> None:
    project.config |= {"engine": "local", "local": {"speech_model": "large-v3"}}
    project.environment["HF_HOME"] = str(project.folder / "hub")
    (line,) = (each for each in lines(project, code=0) if "large-v3" in each)
    assert line.startswith("warn the speech model large-v3 is not on this machine yet → ")


def test_a_slurm_that_does_not_answer_holds_nobody_up(project: Project) -> None:
    programs = project.folder / "programs"
    programs.mkdir()
    for name, does in [
        ("sinfo", "exec sleep 600"),
        ("sbatch", ""),
        ("squeue", ""),
        ("scancel", ""),
    ]:
        (programs / name).write_text(f"#!/bin/sh\n{does}\n")
        (programs / name).chmod(0o755)
    project.environment["PATH"] = f"{programs}:{os.environ['PATH']}"
    assert "warn Slurm does not answer → is its controller running?" in lines(project, code=0)


@pytest.mark.parametrize(
    "table", ["video\nmissing.mp4\n", "video,template\nmissing.mp4,none\n", "neither\n", ""]
)
def test_rows_that_can_not_be_used_do_not_keep_it_from_looking(
    project: Project, table: str
) -> None:
    (project.folder / "table.csv").write_text(table)
    project.config["videos"] = "table.csv"
    assert "ok   key 1 of 1, gemini-3.5-flash-lite: can be asked" in lines(project, code=0)


def test_what_it_finds_missing_changes_nothing_among_the_results(project: Project) -> None:
    project.environment["GEMINI_API_KEY"] = ""
    assert failed(project)
    assert not (project.results / "index.html").exists()
    (project.folder / "a file").touch()
    project.config["results"] = "a file"
    assert "a file" in failed(project)
