"""Files and folders that a user, unlike root, may not read or write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gemini_double import GeminiDouble
from ordinary_user import ORDINARY_USER
from sample_videos import many_videos
from workflow.conftest import Project, Run, asking


@contextmanager
def allowed(path: Path, mode: int) -> Iterator[None]:
    """Give these rights, and at the end those that there were."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


def as_user(project: Project, *targets: str) -> Run:
    program, *rest = project.command()
    run = project._finished(project._started([*ORDINARY_USER, program, *targets, *rest]))
    assert "Traceback" not in run.output
    assert 'File "' not in run.output
    return run


def test_what_may_not_be_read_or_written_is_told_and_the_others_are_built(
    double: GeminiDouble, tmp_path: Path
) -> None:
    project = asking(double, tmp_path / "project")
    project.config["on_bad_input"] = "skip"
    videos = project.folder / "videos"
    many_videos(videos, 2)
    many_videos(videos / "of-others", 1)
    (videos / "lost+found").mkdir(mode=0)
    forbidden = videos / "video-0001.mp4"
    with allowed(videos / "of-others", 0), allowed(forbidden, 0):
        assert as_user(project).code == 1
    failures = project.rows("failures.tsv")
    assert {failure["video"] for failure in failures} == {"of-others", "video-0001"}
    assert {failure["code"] for failure in failures} == {"video_forbidden"}
    assert all("may not be read" in failure["message"] for failure in failures)
    assert len(double.ledger.billed()) == 1

    with allowed(project.results, 0):
        for run in (as_user(project), as_user(project, "doctor")):
            assert run.code == 1
            assert "results" in run.output
            assert "Permission denied" in run.output
    with allowed(project.folder, 0o555), allowed(project.folder / ".snakemake", 0):
        run = as_user(project, "-n")
        assert run.code == 1
        assert "nothing can be written to" in run.output
    assert len(double.ledger.billed()) == 1
