"""Templates as a model fills them, through the real Snakefile against the double."""

import pytest

from gemini_double import TEST_KEY, GeminiDouble, Settings
from rendering import headings
from sample_videos import RED
from workflow.conftest import Project, add_video, asking

WRITTEN = {
    "chinese_transcript": ["笔记", "我学到了什么", "我的理解", "我的收获"],
    "comprehensive_lesson": ["Audience", "Objectives", "Demonstrations", "Outcomes", "Activities"],
    "meeting_minutes": ["Decisions", "Actions", "Questions"],
    "study_notes": ["Questions", "Answers", "Flashcards"],
    "summary_report": ["Topic", "Points", "Moments", "Conclusion"],
}
"""What only a model writes, by template."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    with GeminiDouble(Settings(keys={TEST_KEY: "first"})) as double:
        project = asking(double, tmp_path_factory.mktemp("templates") / "project")
        add_video(project, "one", RED)
        rows = [f"videos/one.mp4,{template}" for template in WRITTEN]
        (project.folder / "table.csv").write_text("\n".join(["video,template", *rows]) + "\n")
        project.config |= {"videos": "table.csv", "formats": ["md", "html"]}
        run = project.run()
        assert run.code == 0, run.output
        assert len(double.ledger.billed()) == len(WRITTEN)
    return project


@pytest.mark.parametrize("template", WRITTEN)
def test_a_report_has_all_that_its_template_asks_for(built: Project, template: str) -> None:
    report = built.report("one", template)
    text = report.read_text(encoding="utf-8")
    assert set(WRITTEN[template]) <= set(headings(text))
    made = {file.name.removeprefix("one") for file in report.parent.iterdir()}
    assert made == {".md", ".html", *([".anki.txt"] if template == "study_notes" else [])}
