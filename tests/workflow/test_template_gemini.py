"""Templates that only a model can fill, through the real Snakefile against the double."""

from pathlib import Path

import pytest

from gemini_double import TEST_KEY, GeminiDouble, Settings
from sample_videos import RED
from workflow.conftest import add_video, asking


@pytest.mark.parametrize(
    ("template", "headings", "files"),
    [
        ("study_notes", ["Questions", "Answers", "Flashcards"], [".md", ".html", ".anki.txt"]),
        ("meeting_minutes", ["Decisions", "Actions", "Questions"], [".md", ".html"]),
    ],
)
def test_a_report_has_all_that_its_template_asks_for(
    tmp_path: Path, template: str, headings: list[str], files: list[str]
) -> None:
    with GeminiDouble(Settings(keys={TEST_KEY: "first"})) as double:
        project = asking(double, tmp_path / "project")
        project.config |= {"template": template, "formats": ["md", "html"]}
        add_video(project, "one", RED)
        run = project.run()
        assert run.code == 0, run.output
        assert len(double.ledger.billed()) == 1
    report = project.report("one", template)
    text = report.read_text(encoding="utf-8")
    for heading in headings:
        assert f"\n## {heading}\n" in text
    made = {file.name.removeprefix("one") for file in report.parent.iterdir()}
    assert made == set(files)
