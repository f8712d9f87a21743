"""The main job with the offline engine, on the videos of the demo.

The demo is built once; each test has a copy of it.
"""

import os
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin

from workflow.conftest import DEMO_VIDEOS, ROOT, Project, Run

NAMES = ("solar-eclipses", "terminal-backup", "光合作用")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Run]:
    config = yaml.safe_load((ROOT / "demo/config.yaml").read_text())
    project = Project(tmp_path_factory.mktemp("demo") / "project", config)
    for video in DEMO_VIDEOS.iterdir():
        target = project.folder / "demo/videos" / video.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(video.read_bytes())
    return project, project.run(cores=4)


@pytest.fixture
def demo(built: tuple[Project, Run], tmp_path: Path) -> Project:
    return built[0].copy(tmp_path / "project")


def test_a_report_of_every_video_is_there(built: tuple[Project, Run]) -> None:
    demo, run = built
    assert run.code == 0, run.output
    for name in NAMES:
        text = demo.report(name).read_text(encoding="utf-8")
        front_matter = yaml.safe_load(text.split("---\n")[1])
        assert front_matter["template"] == "summary_report"
        assert front_matter["title"]
    assert [row["status"] for row in demo.rows("summary.tsv")] == ["done"] * 3
    assert demo.rows("failures.tsv") == []
    assert "reports/summary_report/solar-eclipses.md" in (demo.results / "index.html").read_text()


def test_what_is_said_and_shown_is_in_the_reports(built: tuple[Project, Run]) -> None:
    demo, _ = built
    assert demo.analysis("solar-eclipses")["language"] == "en"
    assert demo.analysis("光合作用")["language"].startswith("zh")
    assert "光合作用" in demo.report("光合作用").read_text(encoding="utf-8")
    silent = demo.analysis("terminal-backup")
    assert silent["transcript"] == []
    assert silent["key_moments"]


def test_the_pictures_that_a_report_shows_are_there(built: tuple[Project, Run]) -> None:
    demo, _ = built
    report = demo.report("solar-eclipses")
    pictures = list(report.with_suffix(".assets").glob("*.jpg"))
    assert pictures
    for picture in pictures:
        assert f"solar-eclipses.assets/{picture.name}" in report.read_text(encoding="utf-8")


def test_a_second_run_has_nothing_to_do(demo: Project) -> None:
    run = demo.run()
    assert (run.code, run.had_nothing_to_do) == (0, True), run.output


def test_a_dry_run_says_what_would_be_built(demo: Project) -> None:
    demo.report("光合作用").unlink()
    run = demo.run("--dry-run")
    assert run.jobs == {"render_report": 1, "build_index": 1}
    assert not demo.report("光合作用").exists()


def test_one_deleted_report_is_rebuilt_alone(demo: Project) -> None:
    before = demo.report("光合作用").read_text(encoding="utf-8")
    demo.report("光合作用").unlink()
    run = demo.run()
    assert run.jobs == {"render_report": 1, "build_index": 1}
    assert demo.report("光合作用").read_text(encoding="utf-8") == before


def test_what_was_deleted_of_reports_that_are_there_is_made_again(demo: Project) -> None:
    page = demo.report("光合作用").with_suffix(".html")
    pictures = demo.report("solar-eclipses").with_suffix(".assets")
    analysis = demo.results / "analyses/summary_report/terminal-backup.json"
    page.unlink()
    shutil.rmtree(pictures)
    analysis.unlink()
    run = demo.run()
    assert run.code == 0, run.output
    assert run.jobs["analyze_video"] == 1
    for path in (page, pictures / "00-07.jpg", analysis):
        assert path.exists()
    assert demo.run().had_nothing_to_do


def test_an_edit_of_the_layout_only_renders(demo: Project) -> None:
    layout = demo.own_template("summary_report") / "report.md.j2"
    assert demo.run().had_nothing_to_do
    layout.write_text(layout.read_text(encoding="utf-8") + "\nA line of my own.\n")
    run = demo.run()
    assert run.jobs == {"render_report": 3, "build_index": 1}
    assert "A line of my own." in demo.report("solar-eclipses").read_text(encoding="utf-8")


def test_a_report_edited_by_hand_is_kept(demo: Project) -> None:
    layout = demo.own_template("summary_report") / "report.md.j2"
    report = demo.report("solar-eclipses")
    mine = report.read_text(encoding="utf-8") + "\nMy own words.\n"
    report.write_text(mine, encoding="utf-8")
    assert demo.run().jobs == {"build_index": 1}
    assert "My own words." in report.with_suffix(".html").read_text(encoding="utf-8")

    layout.write_text(layout.read_text(encoding="utf-8") + "\nA new line.\n")
    run = demo.run()
    assert run.code == 0, run.output
    assert "was edited and is kept; its new version is" in run.output
    assert report.read_text(encoding="utf-8") == mine
    newer = report.with_name("solar-eclipses.new.md")
    assert "A new line." in newer.read_text(encoding="utf-8")
    assert "solar-eclipses.new.md" in (demo.results / "index.html").read_text(encoding="utf-8")
    assert demo.run().had_nothing_to_do


def test_every_link_and_picture_of_a_report_resolves(built: tuple[Project, Run]) -> None:
    demo, _ = built
    for name in NAMES:
        report = demo.report(name)
        text = report.read_text(encoding="utf-8").partition("\n---\n")[2]
        tokens = MarkdownIt("commonmark").use(anchors_plugin, max_level=3).parse(text)
        inside = [child for token in tokens for child in token.children or []]
        ids = {token.attrs["id"] for token in tokens if "id" in token.attrs}
        links = [child.attrs.get("href") or child.attrs.get("src") for child in inside]
        targets = [unquote(str(link)) for link in links if link]
        assert any(".assets/" in target for target in targets)
        for target in targets:
            file, _, fragment = target.partition("#")
            assert (report.parent / file).exists()
            assert file or fragment in ids


def test_other_formats_come_from_the_same_analysis(demo: Project) -> None:
    demo.config["formats"] = ["md", "json", "docx", "pdf"]
    run = demo.run()
    assert run.code == 0, run.output
    assert run.jobs == {"export_report": 9, "build_index": 1}
    for ending in (".json", ".docx", ".pdf"):
        assert demo.report("光合作用").with_suffix(ending).stat().st_size > 1000


def test_a_digest_depends_on_the_reports_of_its_group(demo: Project) -> None:
    demo.config["digest"] = "template"
    run = demo.run()
    assert run.code == 0, run.output
    assert run.jobs == {"build_digest": 1, "export_digest": 1, "build_index": 1}
    digest = demo.results / "digests/summary_report.md"
    text = digest.read_text(encoding="utf-8")
    for name in NAMES:
        assert demo.analysis(name)["title"] in text
    assert "digests/summary_report.html" in (demo.results / "index.html").read_text()
    digest.write_text(f"{text}\nMine.\n", encoding="utf-8")
    assert demo.run().jobs == {"export_digest": 1, "build_index": 1}
    assert "Mine." in digest.with_suffix(".html").read_text(encoding="utf-8")
    demo.report("solar-eclipses").unlink()
    run = demo.run()
    assert run.jobs["build_digest"] == 1
    assert "Mine." in digest.read_text(encoding="utf-8")


def test_a_touched_video_is_recognised_from_the_store(demo: Project) -> None:
    video = demo.folder / "demo/videos/solar-eclipses.mp4"
    os.utime(video)
    before = demo.analysis("solar-eclipses")
    run = demo.run()
    assert run.jobs["analyze_video"] == 1
    log = (demo.folder / "logs/analyze_video/summary_report/solar-eclipses.log").read_text()
    assert "is in the store" in log
    assert demo.analysis("solar-eclipses")["transcript"] == before["transcript"]


def test_content_that_changed_and_looks_older_is_seen(demo: Project) -> None:
    video = demo.folder / "demo/videos/terminal-backup.webm"
    video.write_bytes((DEMO_VIDEOS / "solar-eclipses.mp4").read_bytes())
    os.utime(video, (1, 1))
    assert demo.run("--dry-run").jobs["analyze_video"] == 1


def test_a_removed_video_leaves_the_index(demo: Project) -> None:
    (demo.folder / "demo/videos/terminal-backup.webm").unlink()
    run = demo.run()
    assert run.jobs == {"build_index": 1}
    assert len(demo.rows("summary.tsv")) == 2


def test_a_broken_video_fails_alone_and_the_next_run_redoes_only_it(demo: Project) -> None:
    broken = demo.folder / "demo/videos/broken.mp4"
    broken.write_bytes(b"no video at all" * 100)
    refused = demo.run()
    assert refused.code == 1
    assert refused.jobs == {}
    assert "demo/videos/broken.mp4 can't be read as a video" in refused.output

    demo.config["on_bad_input"] = "skip"
    run = demo.run()
    assert run.code != 0
    assert "Traceback" not in run.output
    (failure,) = demo.rows("failures.tsv")
    assert failure["video"] == "broken"
    assert (failure["kind"], failure["code"]) == ("invalid_input", "video_unreadable")
    assert (demo.folder / failure["log"]).exists()
    assert [row["status"] for row in demo.rows("summary.tsv")].count("done") == 3
    assert "broken" in (demo.results / "index.html").read_text(encoding="utf-8")

    broken.unlink()
    without = demo.run()
    assert (without.code, without.jobs) == (0, {"build_index": 1}), without.output
    assert demo.rows("failures.tsv") == []

    broken.write_bytes((DEMO_VIDEOS / "terminal-backup.webm").read_bytes())
    again = demo.run()
    assert again.code == 0, again.output
    assert again.jobs["analyze_video"] == 1
    assert demo.rows("failures.tsv") == []
