"""Every way in, through the real Snakefile: tables, names, addresses, buckets, and what is left."""

import hashlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from gemini_double import TEST_KEY, Fault, GeminiDouble, Settings
from reelmake.connections import TEST_CERTIFICATE
from sample_videos import BLACK, BLUE, GREEN, RED, make_video
from web_server import Page, WebServer, web_server
from workflow.conftest import Project, add_video, asking


@pytest.fixture(scope="module")
def service() -> Iterator[GeminiDouble]:
    with GeminiDouble(Settings(keys={TEST_KEY: "first"})) as double:
        yield double


@pytest.fixture
def double(service: GeminiDouble) -> GeminiDouble:
    service.ledger.clear()
    service.faults.clear()
    return service


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    (tmp_path / "project").mkdir()
    return asking(double, tmp_path / "project")


@pytest.fixture
def web(tmp_path: Path, project: Project) -> Iterator[WebServer]:
    with web_server(tmp_path) as server:
        project.environment[TEST_CERTIFICATE] = str(server.certificate)
        yield server


def front_matter(report: Path) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(report.read_text(encoding="utf-8").split("---\n")[1])
    return found


NASTY = [
    'it\'s "quoted" & $(touch owned) `touch owned`',
    "{video} {{x}} %s [a](b) <b> #1 ; rm -rf ~",
    "two\nlines\tand a tab",
    "-rf",
    "～课程　第一讲：光合作用？",
    "Intro",
    "intro",
    "caf\u00e9",
    "cafe\u0301",
    "x" * 251,
    "长" * 83,
    "con",
    " ... ",
    "a,b;c=d",
]


def test_videos_of_any_name_are_built_and_stay_built(
    project: Project, double: GeminiDouble
) -> None:
    sample = add_video(project, "sample", RED)
    for number, name in enumerate(NASTY):
        # Contents differ, so that each is a request of its own.
        content = sample.read_bytes() + b"\0\0\0\x0cfree" + number.to_bytes(4)
        (sample.parent / f"{name}.mp4").write_bytes(content)
    sample.unlink()
    run = project.run(cores=4)
    assert run.code == 0, run.output
    reports = list((project.results / "reports/summary_report").glob("*.md"))
    assert len(reports) == len(NASTY)
    assert len(double.ledger.billed()) == len(NASTY)
    for report in reports:
        assert not set(report.name) & set("{}[]()<>\"'`$\n\t:?*|\\")
        assert Path(report.parent, str(front_matter(report)["source"])).exists()
    assert not list(project.folder.rglob("owned"))
    assert project.run().had_nothing_to_do


def test_a_table_says_what_is_built_and_what_can_not_be(
    project: Project, double: GeminiDouble
) -> None:
    add_video(project, "one", RED)
    add_video(project, "two", GREEN)
    (project.folder / "videos/broken.mp4").write_bytes(b"no video")
    (project.folder / "videos/table.csv").write_text(
        "Video;template;language;name;tags;end;Course\n"
        "one.mp4;summary_report;en, de;;biology;;Cells\n"
        "# not this one\n"
        "two.mp4;;;Second;;0:10;\n"
        "broken.mp4;;;;;;Cells\n"
        "two.mp4;no_such_one;;;;;\n"
        "gone.mp4;;;;;;\n",
        encoding="utf-16",
    )
    project.config["videos"] = "videos/table.csv"
    refused = project.run()
    assert (refused.code, refused.jobs) == (1, {})
    assert "Traceback" not in refused.output
    for told in (
        "videos/table.csv, line 5: videos/broken.mp4 can't be read as a video",
        "videos/table.csv, line 6: template: there is no 'no_such_one'",
        "videos/table.csv, line 7: videos/gone.mp4: no such file or folder",
    ):
        assert told in refused.output
    assert double.ledger.billed() == []

    project.config |= {"on_bad_input": "skip", "digest": "Course"}
    run = project.run(cores=4)
    assert run.code == 1
    assert (project.results / "digests/Cells.md").exists()
    failures = project.rows("failures.tsv")
    assert {(row["video"], row["template"], row["code"]) for row in failures} == {
        ("broken", "summary_report", "video_unreadable"),
        ("two", "no_such_one", "template_invalid"),
        ("gone", "summary_report", "video_missing"),
    }
    assert len(double.ledger.billed()) == 3 + 1
    german = front_matter(project.report("one.de"))
    assert (german["language"], german["Course"], german["tags"]) == ("de", "Cells", ["biology"])
    assert front_matter(project.report("one.en"))["language"] == "en"
    assert project.analysis("Second")["video"]["end_s"] == 10


def test_a_growing_folder_has_only_its_new_videos_built(
    project: Project, double: GeminiDouble
) -> None:
    first = add_video(project, "first", RED)
    assert project.run().code == 0
    add_video(project, "second", BLUE)
    shutil.copy(first, first.with_name("again.mp4"))
    run = project.run()
    assert run.jobs == {"analyze_video": 2, "render_report": 2, "build_index": 1}
    assert len(double.ledger.billed()) == 2
    assert "analysed once for each template: videos/again.mp4, videos/first.mp4\n" in run.output

    first.unlink()
    listed = project.run("prune")
    assert listed.code == 0
    assert "results/reports/summary_report/first.md" in listed.output
    assert "second" not in listed.output
    assert project.report("first").exists()
    assert "Deleted" in project.run("prune", "--config", "prune=yes").output
    assert not project.report("first").exists()
    assert project.report("again").exists()
    assert project.run().jobs == {"build_index": 1}
    assert {row["video"] for row in project.rows("summary.tsv")} == {"again", "second"}
    (project.folder / "videos/again.mp4").rename(first)
    assert project.run().code == 0
    assert len(double.ledger.billed()) == 2


def test_videos_of_the_web_are_fetched_when_bytes_are_needed(
    project: Project, double: GeminiDouble, web: WebServer
) -> None:
    video = make_video(web.certificate.with_name("v.mp4"), [(RED, 20.0)], size=(64, 64), fps=2)
    web.pages["/talks/Week%201.mp4"] = Page(video.read_bytes())
    web.pages["/page.mp4"] = Page(b"<html>", kind="text/html")
    good, bad = f"{web.url}/talks/Week%201.mp4", f"{web.url}/page.mp4"
    project.config |= {"videos": [good, bad], "download": True}
    run = project.run()
    assert run.code == 1
    (failure,) = project.rows("failures.tsv")
    assert (failure["video"], failure["code"]) == ("page", "fetch_refused")
    assert (project.folder / failure["log"]).exists()
    report = project.report("Week 1")
    assert front_matter(report)["source"] == good
    assert f"{good}#t=" in report.read_text(encoding="utf-8")
    assert len(double.ledger.billed()) == 1

    project.config["videos"] = good
    asked = len(web.requests)
    assert project.run().jobs == {"build_index": 1}
    assert project.run().had_nothing_to_do
    assert len(web.requests) == asked


def test_loopback_is_out_of_reach_without_the_variable_of_the_tests(
    project: Project, web: WebServer
) -> None:
    del project.environment[TEST_CERTIFICATE]
    project.config |= {"videos": f"{web.url}/a.mp4", "download": True}
    assert project.run().code == 1
    assert "no public address" in project.rows("failures.tsv")[0]["message"]
    assert web.requests == []


def s3_client(url: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "secret-canary"}
    untyped: Any = boto3
    return untyped.client("s3", endpoint_url=url, region_name="us-east-1", **keys)


@pytest.fixture
def bucket(project: Project, tmp_path: Path) -> Iterator[str]:
    """The address of an S3 service of its own process, with an empty bucket ``talks``."""
    plugin = Path(sys.prefix) / "storage"
    assert plugin.is_dir(), "`make test` installs the storage plugin, which is missing here"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (tmp_path / "s3.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with suppress(OSError), urllib.request.urlopen(url, timeout=5):
                break
            time.sleep(0.1)
        client = s3_client(url)
        client.create_bucket(Bucket="talks")
        project.environment |= {
            "PYTHONPATH": str(plugin),
            "SNAKEMAKE_STORAGE_S3_ENDPOINT_URL": url,
            "SNAKEMAKE_STORAGE_S3_ACCESS_KEY": "test",
            "SNAKEMAKE_STORAGE_S3_SECRET_KEY": "secret-canary",
        }
        yield url
        client.close()
    finally:
        server.terminate()
        server.wait()


def test_videos_in_a_bucket_are_built(
    project: Project, double: GeminiDouble, bucket: str, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "v.mp4", [(RED, 20.0)], size=(64, 64), fps=2)
    client = s3_client(bucket)
    client.upload_file(str(video), "talks", "week 1/光合作用.mp4")
    client.close()
    project.config["videos"] = ["s3://talks/week 1/光合作用.mp4"]
    run = project.run()
    assert run.code == 0, run.output
    assert front_matter(project.report("光合作用"))["source"] == "s3://talks/week 1/光合作用.mp4"
    assert len(double.ledger.billed()) == 1
    assert project.run().had_nothing_to_do
    written = [path for path in project.folder.rglob("*") if path.is_file()]
    assert not any(b"secret-canary" in path.read_bytes() for path in written)
    assert "secret-canary" not in run.output


def test_what_gemini_reads_by_its_address_is_built_without_being_fetched(
    project: Project, double: GeminiDouble
) -> None:
    addresses = ["https://www.youtube.com/watch?v=dQw4w9WgXcQ", "https://videos.example.org/1.mp4"]
    project.folder.mkdir(exist_ok=True)
    project.config |= {"videos": addresses, "frames": True}
    run = project.run()
    assert run.code == 0, run.output
    assert sorted(str(record.video) for record in double.ledger.billed()) == sorted(addresses)
    assert front_matter(project.report("youtube-dQw4w9WgXcQ"))["source"] == addresses[0]
    assert "youtube.com/watch?v=dQw4w9WgXcQ&t=" in project.report("youtube-dQw4w9WgXcQ").read_text()
    assert project.run().had_nothing_to_do


def test_rows_with_a_higher_priority_are_asked_first(
    project: Project, double: GeminiDouble
) -> None:
    videos = {
        name: add_video(project, name, colour)
        for name, colour in [("a", RED), ("b", GREEN), ("c", BLUE), ("d", BLACK)]
    }
    (project.folder / "t.csv").write_text(
        "video,priority\nvideos/a.mp4,\nvideos/b.mp4,1\nvideos/c.mp4,9\nvideos/d.mp4,5\n"
    )
    project.config["videos"] = "t.csv"
    # The others are ready before it.
    names = {hashlib.sha256(path.read_bytes()).hexdigest(): name for name, path in videos.items()}
    slow = next(sha256 for sha256, name in names.items() if name == "c")
    double.faults.add(Fault("latency", kind="upload_chunk", file=slow[:20], seconds=1.0))
    assert project.run(cores=1).code == 0
    assert double.faults.fired("latency") == 1
    asked = [names[str(record.video)] for record in double.ledger.billed()]
    assert asked == ["c", "d", "b", "a"]
