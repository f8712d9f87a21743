"""Reports that are as a run left them are not looked at, and nothing that has changed is missed."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gemini_double import Fault, GeminiDouble, Settings
from sample_videos import many_videos
from snakemake_records import Records
from workflow.conftest import Project, asking

REPORT = "results/reports/summary_report/video-0000.md"


def video(project: Project, number: int) -> Path:
    return project.folder / f"videos/video-000{number}.mp4"


def report(project: Project, number: int, ending: str = "md") -> Path:
    return project.folder / f"results/reports/summary_report/video-000{number}.{ending}"


def analysis(project: Project, number: int) -> Path:
    return project.folder / f"results/analyses/summary_report/video-000{number}.json"


def another_video(project: Project, number: int) -> None:
    """As old as the one that it replaces, and as large."""
    path = video(project, number)
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-8] + bytes(8))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns - 1))


def edit(project: Project, file: str) -> None:
    path = project.folder / "templates/summary_report" / file
    path.write_text(path.read_text().replace("\n", "\n\nAll of it:\n", 1))


def give_another_tag(project: Project, number: int) -> None:
    table = project.folder / "table.csv"
    table.write_text(table.read_text().replace(f"{number}.mp4,500,", f"{number}.mp4,500,new"))


OF_ONE: dict[str, Callable[[Project, int], object]] = {
    "a touch of the video": lambda project, number: video(project, number).touch(),
    "another video": another_video,
    "an edit": lambda project, number: report(project, number).write_text("mine"),
    "a lost page": lambda project, number: report(project, number, "html").unlink(),
    "a lost export": lambda project, number: report(project, number, "json").unlink(),
    "lost pictures": lambda project, number: shutil.rmtree(report(project, number, "assets")),
    "a touch of the analysis": lambda project, number: analysis(project, number).touch(),
    "a row": give_another_tag,
}
"""What happens to one report each, from the second on."""

OF_ALL: dict[str, Callable[[Project], object]] = {
    "the layout": lambda project: edit(project, "report.md.j2"),
    "the prompt": lambda project: edit(project, "prompt.md.j2"),
    "one format less": lambda project: project.config.update(formats=["md", "html"]),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Reports that are there, but for the last one, which has failed."""
    with GeminiDouble(Settings()) as double:
        project = asking(double, tmp_path_factory.mktemp("made") / "project")
        count = len(OF_ONE) + 2
        many_videos(project.folder / "videos", count)
        words = ["500"] * (count - 1) + ["777"]
        rows = [f"videos/video-000{number}.mp4,{words[number]},tag" for number in range(count)]
        (project.folder / "table.csv").write_text("\n".join(["video,words,tags", *rows, ""]))
        project.config |= {"videos": "table.csv", "frames": True, "formats": ["md", "html", "json"]}
        project.own_template("summary_report")
        double.faults.add(Fault("http_error", code=400, prompt="777"))
        run = project.run(cores=4)
        assert "9 of 10 reports are there" in run.output, run.output
        yield project


@pytest.fixture
def project(made: Project, tmp_path: Path) -> Project:
    return made.copy(tmp_path / "project")


def to_be_made(project: Project, *arguments: str) -> set[str]:
    """The jobs of a dry run, by what each makes."""
    run = project.run("-n", *arguments)
    assert run.code == 0, run.output
    return set(re.findall(r"^ +output: (.*)$", run.output, re.MULTILINE))


def forget(project: Project) -> None:
    (project.folder / ".snakemake/reelmake/settled.json").unlink()


def make_unlike_its_record(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Snakemake finds only if it looks at this report."""
    monkeypatch.chdir(project.folder)
    Records().restore(REPORT, None)


def test_what_has_changed_is_made_as_if_all_had_been_looked_at(project: Project) -> None:
    for number, change in enumerate(OF_ONE.values(), start=1):
        change(project, number)
    settled = to_be_made(project)
    forget(project)
    assert settled == to_be_made(project)
    assert not any("video-0000." in outputs for outputs in settled)
    assert sum("analyses/" in outputs for outputs in settled) >= 3


@pytest.mark.parametrize("change", OF_ALL)
def test_what_all_reports_share_makes_all_of_them_looked_at(project: Project, change: str) -> None:
    OF_ALL[change](project)
    settled = to_be_made(project)
    forget(project)
    assert settled == to_be_made(project)


def test_a_settled_report_is_looked_at_only_where_all_are_meant(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_unlike_its_record(project, monkeypatch)
    assert not any(REPORT in outputs for outputs in to_be_made(project))
    (project.folder / "profile").mkdir()
    (project.folder / "profile/config.yaml").write_text("forceall: true\n")
    for arguments in ([REPORT], ["--forceall"], ["-R", "render_report"], ["--profile", "profile"]):
        assert any(REPORT in outputs for outputs in to_be_made(project, *arguments)), arguments
    assert REPORT in project.run("--summary").output
    forget(project)
    assert any(REPORT in outputs for outputs in to_be_made(project))


def test_a_run_that_calls_more_up_to_date_settles_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_unlike_its_record(project, monkeypatch)
    forget(project)
    assert project.run("--rerun-triggers", "mtime", "--until", "render_report").code == 1
    assert project.run("--rerun-triggers", "mtime").code == 1
    assert any(REPORT in outputs for outputs in to_be_made(project))


def test_a_run_that_finds_nothing_to_do_settles_what_it_looked_at(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (project.folder / "table.csv").read_text().splitlines()
    (project.folder / "table.csv").write_text("\n".join([*rows[:-1], ""]))
    assert project.run().code == 0
    forget(project)
    found = project.run()
    assert found.had_nothing_to_do, found.output
    make_unlike_its_record(project, monkeypatch)
    found = project.run()
    assert found.had_nothing_to_do, found.output
