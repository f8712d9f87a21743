"""Vertex AI instead of an API key: videos in buckets, an account instead of a key."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gemini_double import GeminiDouble
from vertex import CANARY, Vertex, vertex_before
from workflow.conftest import SUMMARY, Project

VIDEOS = ["gs://bucket/one.mp4", "gs://bucket/two.webm"]


@pytest.fixture
def vertex(double: GeminiDouble, tmp_path: Path) -> Iterator[Vertex]:
    with vertex_before(double.url, tmp_path) as service:
        yield service


@pytest.fixture
def project(vertex: Vertex, tmp_path: Path) -> Project:
    (tmp_path / "project").mkdir()
    config = {**SUMMARY, "videos": VIDEOS, "gemini": {"vertex": {"project": "mine"}}}
    return Project(tmp_path / "project", config, vertex.environment)


def test_videos_in_buckets_are_reported_on_and_paid_for_once(
    project: Project, vertex: Vertex, double: GeminiDouble
) -> None:
    doctor = project.telling("doctor")
    assert "Vertex AI, gemini-3.5-flash-lite: can be asked" in doctor.output, doctor.output
    run = project.run()
    assert run.code == 0, run.output
    assert sorted(vertex.videos) == list(zip(VIDEOS, ["video/mp4", "video/webm"], strict=True))
    assert len(double.ledger.billed()) == 2
    assert f'source: "{VIDEOS[0]}"' in project.report("one").read_text()
    assert project.run().had_nothing_to_do
    files = [path for path in project.folder.rglob("*") if path.is_file()]
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("without", "told"),
    [("account", "default credentials were not found"), ("permission", "invalid_grant")],
)
def test_without_an_account_nothing_begins_and_it_says_what_to_do(
    project: Project, vertex: Vertex, tmp_path: Path, without: str, told: str
) -> None:
    if without == "account":
        del project.environment["GOOGLE_APPLICATION_CREDENTIALS"]
        # Nor one of this machine.
        project.environment |= {"HOME": str(tmp_path), "NO_GCE_CHECK": "true"}
    vertex.knows_account = without == "account"
    run = project.run()
    assert run.code == 1
    assert told in run.output
    assert "gcloud auth application-default login" in run.output
    assert "Traceback" not in run.output
    assert vertex.videos == []
