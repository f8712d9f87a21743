"""Videos at the service: deleted when nothing needs them any more, or when the user says so."""

from pathlib import Path

import pytest

from gemini_double import Fault, GeminiDouble
from sample_videos import many_videos
from workflow.conftest import Project, asking
from workflow.interruptions import WAYS, left_over, wait_until


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    project = asking(double, tmp_path / "project")
    many_videos(project.folder / "videos", 2)
    return project


def uploads(double: GeminiDouble) -> int:
    return len(double.ledger.uploads())


def of_templates(project: Project, *templates: str) -> None:
    rows = [f"videos/video-0000.mp4,{template}" for template in templates]
    (project.folder / "table.csv").write_text("\n".join(["video,template", *rows]) + "\n")
    project.config["videos"] = "table.csv"


def test_they_are_gone_after_a_run(project: Project, double: GeminiDouble) -> None:
    assert project.run().code == 0
    assert uploads(double) == 2
    assert len(double.files) == 0
    assert project.telling("cleanup_remote").output.count("Nothing is on record") == 1


@pytest.mark.traced
def test_they_stay_if_the_user_wants_that_until_they_are_cleaned_up(
    project: Project, double: GeminiDouble
) -> None:
    project.config["keep_uploads"] = True
    assert project.run().code == 0
    assert len(double.files) == 2
    run = project.telling("cleanup_remote")
    assert run.code == 0, run.output
    assert "2 deleted, 0 were gone already" in run.output
    assert len(double.files) == 0


def test_kept_they_serve_a_later_run_with_another_prompt(
    project: Project, double: GeminiDouble
) -> None:
    project.config["keep_uploads"] = True
    assert project.run().code == 0
    prompt = project.own_template("summary_report") / "prompt.md.j2"
    prompt.write_text(prompt.read_text().replace("busy readers", "hurried readers"))
    assert project.run().code == 0
    assert len(double.ledger.billed()) == 4
    assert uploads(double) == 2


def test_one_video_of_two_templates_is_uploaded_once(
    project: Project, double: GeminiDouble
) -> None:
    of_templates(project, "summary_report", "study_notes")
    assert project.run(cores=1).code == 0
    assert uploads(double) == 1
    assert len(double.files) == 0


def test_what_a_failed_report_needs_again_stays(project: Project, double: GeminiDouble) -> None:
    of_templates(project, "summary_report", "study_notes")
    double.faults.add(Fault("missing_property", times=1))
    assert project.run().code == 1
    assert len(double.files) == 1
    assert project.run().code == 0
    assert uploads(double) == 1
    assert len(double.files) == 0


def test_that_one_can_not_be_deleted_harms_nothing(project: Project, double: GeminiDouble) -> None:
    double.faults.add(Fault("http_error", kind="file_delete", code=500))
    assert project.run().code == 0
    assert len(double.files) == 2
    run = project.telling("cleanup_remote")
    assert run.code == 1
    assert "2 could not be deleted" in run.output
    double.faults.clear()
    assert "2 deleted" in project.telling("cleanup_remote").output


def test_what_has_expired_and_what_belongs_to_another_key_is_told(
    project: Project, double: GeminiDouble
) -> None:
    project.config["keep_uploads"] = True
    assert project.run().code == 0
    records = project.results / ".reelmake/uploads"
    project_of_key = next(records.iterdir()).name[-8:]
    (records / f"reelmake-{'0' * 22}-{project_of_key}").touch()
    (records / f"reelmake-{'0' * 22}-00000000").touch()
    run = project.telling("cleanup_remote")
    assert run.code == 1
    assert "2 deleted, 1 were gone already" in run.output
    assert "1 of keys that are not in the environment now" in run.output


def test_without_a_key_nothing_can_be_deleted(project: Project, double: GeminiDouble) -> None:
    project.config["keep_uploads"] = True
    assert project.run().code == 0
    project.environment["GEMINI_API_KEY"] = ""
    run = project.telling("cleanup_remote")
    assert run.code == 1
    assert "there is no key to delete them with" in run.output
    assert "Traceback" not in run.output
    assert len(double.files) == 2


@pytest.mark.parametrize("way", ["Ctrl-C", "kill -9 of Snakemake"])
def test_what_an_interrupted_run_leaves_is_on_record(
    project: Project, double: GeminiDouble, way: str
) -> None:
    project.config["gemini"] = {"max_in_flight": 1}
    double.settings.update({"latency": 5.0})
    process = project.start()
    wait_until(lambda: uploads(double) == 2)
    WAYS[way](process)
    process.communicate(timeout=60)
    wait_until(lambda: not left_over(project.folder))
    assert len(double.files) > 0
    if way != "Ctrl-C":
        project.run("--unlock")
    run = project.telling("cleanup_remote")
    assert run.code == 0, run.output
    assert len(double.files) == 0
    assert not list((project.results / ".reelmake/uploads").iterdir())


@pytest.mark.parametrize("videos", ["nowhere", "table.csv"])
def test_cleaning_up_needs_no_videos_and_touches_no_results(
    project: Project, double: GeminiDouble, videos: str
) -> None:
    project.config["keep_uploads"] = True
    assert project.run().code == 0
    before = (project.results / "summary.tsv").read_text()
    (project.folder / "videos").rename(project.folder / "moved")
    (project.folder / "table.csv").write_text("neither\n")
    project.config["videos"] = videos
    double.faults.add(Fault("http_error", kind="file_delete", code=500, times=1))
    assert project.telling("cleanup_remote").code == 1
    assert project.telling("cleanup_remote").code == 0
    assert len(double.files) == 0
    assert (project.results / "summary.tsv").read_text() == before


def test_only_what_it_did_is_shown(project: Project) -> None:
    project.config["keep_uploads"] = True
    assert project.run().code == 0
    lines = project.telling("cleanup_remote").output.splitlines()
    told = [line for line in lines if not line.startswith("Using workflow specific profile")]
    assert told == ["2 deleted, 0 were gone already: uploads expire after 48 hours."]
