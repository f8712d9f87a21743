"""A machine that is not as it should be is said kindly; nothing is lost, or bought twice."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gemini_double import GeminiDouble, Settings
from sample_videos import many_videos
from workflow.conftest import Project, Run, asking
from workflow.disks import fill, make_room, remount, small_disk
from workflow.interruptions import calls_begun, left_over, wait_until

VIDEOS = 4


@pytest.fixture
def double() -> Iterator[GeminiDouble]:
    with GeminiDouble(Settings()) as service:
        yield service


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    made = asking(double, tmp_path / "project")
    many_videos(made.folder / "videos", VIDEOS)
    return made


def reports(project: Project) -> set[str]:
    return {path.stem for path in project.results.glob("reports/*/*.md")}


def all_is_there(project: Project, double: GeminiDouble, run: Run, *, billed: int) -> None:
    assert run.code == 0, run.output
    assert len(reports(project)) == VIDEOS
    assert project.rows("failures.tsv") == []
    assert len(double.ledger.billed()) == billed
    assert left_over(project.folder) == []


def test_on_a_full_disk_nothing_is_bought_that_could_not_be_kept(
    project: Project, double: GeminiDouble
) -> None:
    with small_disk(project.results) as disk:
        fill(disk)
        run = project.run()
        assert run.code == 1
        assert "`results: results` can't be written to (No space left on device)" in run.output
        fill(disk, leave=64 * 1024)
        run = project.run()
        assert run.code == 1
        assert "Make room on the disk" in run.output
        assert run.output.count("✗") == 1  # the same for all
        assert f"{VIDEOS} × disk_full" in run.output
        assert double.ledger.billed() == []
        fill(disk, leave=700 * 1024)  # room for one answer at a time
        run = project.run(cores=VIDEOS)
        assert "Traceback" not in run.output
        make_room(disk)
        all_is_there(project, double, project.run(), billed=VIDEOS)


def test_when_the_disk_of_the_whole_project_is_full_it_is_said_at_once(
    double: GeminiDouble, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "project") as disk:
        project = asking(double, disk)
        many_videos(disk / "videos", VIDEOS)
        project.command()
        fill(disk)
        run = project.run()
        assert run.code == 1
        assert f"nothing can be written to {disk / 'logs'} (No space left" in run.output
        assert "Traceback" not in run.output
        make_room(disk)
        all_is_there(project, double, project.run(), billed=VIDEOS)


def test_a_disk_that_becomes_read_only_loses_no_answer(
    project: Project, double: GeminiDouble
) -> None:
    with small_disk(project.results) as disk:
        remount(disk, "ro")
        run = project.run()
        assert run.code == 1
        assert "`results: results` can't be written to (Read-only file system)" in run.output
        assert "Traceback" not in run.output
        remount(disk, "rw")
        double.settings.update({"latency": 3.0})
        process = project.start(cores=1)
        wait_until(lambda: calls_begun(project) == 2)
        # What has room set aside keeps the disk as it is: an answer that is paid for has a place.
        refused = subprocess.run(
            ["mount", "-o", "remount,ro", str(disk)], capture_output=True, check=False
        )
        output, _ = process.communicate(timeout=120)
        if refused.returncode == 0:
            assert "Read-only file system" in output
            assert process.returncode == 1
        double.settings.update({"latency": 0.0})
        remount(disk, "rw")
        all_is_there(project, double, project.run(), billed=VIDEOS)


@pytest.mark.parametrize("place", ["plain", "plain/results", "videos/video-0000.mp4/x/y"])
def test_results_below_a_file_are_refused_before_anything_runs(
    project: Project, place: str
) -> None:
    (project.folder / "plain").touch()
    project.config["results"] = place
    run = project.run()
    assert run.code == 1
    assert "is a file; expected a folder" in run.output
    assert "Make the folder writable, or name another one" in run.output
    assert "Traceback" not in run.output


def a_folder(path: Path) -> None:
    """Put a folder with something in it where a file should be."""
    if path.is_file():
        path.unlink()
    path.mkdir(parents=True)
    (path / "something").touch()


def spoil_store(project: Project, key: str, name: str) -> Path:
    folder = project.results / "responses" / key[:2]
    shutil.rmtree(folder)
    folder.touch()
    return folder


def spoil_lock(project: Project, key: str, name: str) -> Path:
    (project.results / "responses" / key[:2] / f"{key}.json").unlink()
    a_folder(path := project.results / "responses/locks" / key)
    return path


def spoil_analysis(project: Project, key: str, name: str) -> Path:
    a_folder(path := project.results / f"analyses/summary_report/{name}.json")
    return path


def spoil_report(project: Project, key: str, name: str) -> Path:
    a_folder(path := project.report(name))
    return path


def spoil_page(project: Project, key: str, name: str) -> Path:
    a_folder(path := project.report(name).with_suffix(".html"))
    return path


def spoil_record(project: Project, key: str, name: str) -> Path:
    """Of a failure: the analysis can't be written, and not even that can be recorded."""
    spoil_analysis(project, key, name)
    a_folder(path := project.results / f".reelmake/failures/summary_report/{name}.json")
    return path


SPOILT: list[Callable[[Project, str, str], Path]] = [
    spoil_store,
    spoil_lock,
    spoil_analysis,
    spoil_report,
    spoil_page,
    spoil_record,
]


def test_what_stands_in_the_way_of_one_file_stops_its_report_alone(
    double: GeminiDouble, tmp_path: Path
) -> None:
    project = asking(double, tmp_path / "project")
    many_videos(project.folder / "videos", len(SPOILT) + 1)
    assert project.run(cores=4).code == 0
    places = []
    names = sorted(reports(project))
    for number, name in enumerate(names):
        key = project.analysis(name)["request_digests"][0]
        for path in (
            project.results / f"analyses/summary_report/{name}.json",
            project.report(name),
        ):
            path.unlink()
        if number < len(SPOILT):
            places.append(SPOILT[number](project, key, name))
    a_folder(project.results / "index.html")
    double.ledger.clear()

    run = project.run(cores=4)
    assert run.code == 1
    assert "Traceback" not in run.output
    assert f"{len(SPOILT)} × results_unwritable" in run.output
    assert "Cannot restore" not in run.output  # Snakemake's, of reports that never were there
    assert project.report(names[-1]).is_file()
    assert "The index and the tables could not be written" in run.output
    assert "index.html" in run.output.partition("could not be written")[2]
    assert double.ledger.billed() == []

    analyses = (project.results / "analyses/summary_report").iterdir()
    folders = [path for path in analyses if path.is_dir()]
    for place in {*places, *folders, project.results / "index.html"}:
        place.unlink() if place.is_file() else shutil.rmtree(place)
    assert project.run(cores=4).code == 0
    assert project.rows("failures.tsv") == []
    # The store of the first was thrown away, and the answer to the second: bought once more.
    assert len(double.ledger.billed()) <= 2
    assert project.run().had_nothing_to_do


def test_few_open_files_and_no_folder_for_temporary_ones_are_enough(
    project: Project, double: GeminiDouble
) -> None:
    project.environment["TMPDIR"] = "/nowhere"
    project.config["gemini"] = {"tier": "batch"}
    command = ["bash", "-c", 'ulimit -n 64; exec "$@"', "bash", *project.command(cores=16)]
    run = project._finished(project._started(command))
    all_is_there(project, double, run, billed=VIDEOS)


def test_a_second_run_in_the_same_folder_is_told_to_wait_also_after_status(
    project: Project, double: GeminiDouble
) -> None:
    double.settings.update({"latency": 15.0})
    process = project.start(cores=VIDEOS)
    wait_until(lambda: calls_begun(project) == VIDEOS)
    assert project.telling("status").code == 0
    second = project.run()
    assert second.code == 1
    assert "Traceback" not in second.output
    assert "Directory cannot be locked" in second.output
    output, _ = process.communicate(timeout=120)
    all_is_there(project, double, Run(process.returncode, output), billed=VIDEOS)


def test_results_and_projects_that_move_are_not_bought_again(
    project: Project, double: GeminiDouble
) -> None:
    assert project.run(cores=4).code == 0
    (project.folder / "results").rename(project.folder / "reports of autumn")
    project.config["results"] = "reports of autumn"
    all_is_there(project, double, project.run(), billed=VIDEOS)
    moved = project.folder.parent / "moved"
    project.folder.rename(moved)
    project = Project(moved, project.config, project.environment)
    all_is_there(project, double, project.run(), billed=VIDEOS)
    # Videos of the next century, as a camera with a wrong clock makes them, and of the last one.
    for number, path in enumerate(sorted((moved / "videos").iterdir())):
        when = time.time() + (-1) ** number * 40 * 365 * 86_400
        os.utime(path, (when, when))
    all_is_there(project, double, project.run(), billed=VIDEOS)
    assert project.run().had_nothing_to_do
