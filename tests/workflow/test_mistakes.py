"""A user's own mistakes are told before anything runs, without a traceback."""

from typing import Any

import pytest

from workflow.conftest import DEMO_VIDEOS, ROOT, Project


def test_a_template_of_ones_own_is_checked_without_building_anything(project: Project) -> None:
    project.add_video(DEMO_VIDEOS / "terminal-backup.webm")
    layout = project.own_template("summary_report") / "report.md.j2"
    assert "everything fits together" in project.run("check_template").output
    layout.write_text(layout.read_text(encoding="utf-8").replace("fields.conclusion", "overview"))
    assert "report.md.j2 never shows fields.conclusion" in project.run("check_template").output
    layout.write_text("{{ overveiw }}")
    run = project.run("check_template")
    assert run.code == 1
    assert "report.md.j2:1: unknown variable 'overveiw'" in run.output
    assert not (project.results / "analyses").exists()


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"Engine": "local"}, "Engine (my.yaml, line 1): unknown key; did you mean 'engine'?"),
        ({"engin": "local"}, "engin (my.yaml, line 1): unknown key; did you mean 'engine'?"),
        (
            {"videos": "nowhere"},
            "nowhere: no such file or folder\n  → Put videos there, or name another place",
        ),
        ({"template": "summery_report"}, "summary_report"),
        (
            {"parameters": {"summary_report": {"words": "many", "wrds": 3}, "summry": {"a": 1}}},
            "  parameters.summary_report.words: expected a whole number, found 'many'\n"
            "  parameters.summary_report.wrds: the template has words, focus_areas\n"
            "  parameters.summry: there is no such template; there are chinese_transcript, ",
        ),
        ({"gemini": {"api_key": "canary"}}, "gemini.api_key (my.yaml, line"),
    ],
)
def test_mistakes_are_told_kindly(project: Project, config: dict[str, Any], told: str) -> None:
    project.add_video(DEMO_VIDEOS / "terminal-backup.webm")
    project.config |= config
    run = project.run("--dry-run")
    assert run.code == 1
    assert told in run.output
    assert "Traceback" not in run.output
    assert "common.smk" not in run.output
    assert "canary" not in run.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--config", "gemini.fps=0.5"], "Config entry must start with a valid identifier"),
        (["--configfile", "my.yaml", "plan"], "No such file or directory: 'plan'"),
        (["plam"], "No rule to produce plam"),
    ],
)
def test_what_snakemake_itself_says_is_explained(
    project: Project, arguments: list[str], told: str
) -> None:
    project.add_video(DEMO_VIDEOS / "terminal-backup.webm")
    assert told in project.run(*arguments).output
    explained = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    assert told.replace("plam", "…") in explained


def test_a_report_that_no_row_makes_is_told(project: Project) -> None:
    project.add_video(DEMO_VIDEOS / "terminal-backup.webm")
    run = project.telling("results/reports/summary_report/terminal.backup.md")
    assert run.code == 1
    assert "no row of `videos:` makes results/reports/summary_report/termin" in run.output
    assert "`snakemake plan` lists all reports" in run.output
    assert "Traceback" not in run.output
    assert "common.smk" not in run.output


def test_a_locale_in_which_no_chinese_file_can_be_named_is_told(project: Project) -> None:
    project.add_video(DEMO_VIDEOS / "terminal-backup.webm", "光合作用.webm")
    project.environment |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    run = project.run()
    assert run.code == 1
    assert "export PYTHONUTF8=1" in run.output
    assert "Traceback" not in run.output
    assert "Logging error" not in run.output


def test_results_that_can_not_be_written_are_told_before_anything_is_asked(
    project: Project,
) -> None:
    project.add_video(DEMO_VIDEOS / "terminal-backup.webm")
    project.config["results"] = "/proc/nowhere"
    run = project.run()
    assert run.code == 1
    assert "`results: /proc/nowhere` can't be written to (" in run.output
    assert "Make the folder writable, or name another one" in run.output
    assert "record.py" not in run.output
