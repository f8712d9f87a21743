import re
import shutil
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from reelmake.template_advice import advice, describe
from reelmake.templates import PROJECT, available_templates, load_template

BUILT_IN = PROJECT / "templates"


@pytest.mark.parametrize("name", available_templates([BUILT_IN]))
def test_nothing_is_odd_about_the_templates_that_come_along(name: str) -> None:
    assert advice(load_template(name, [BUILT_IN])) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "found"),
    [
        ("template.yaml", "key_points,", "key_points, terms,", "report.md.j2 never shows terms"),
        ("report.md.j2", "fields.conclusion", "overview", "never shows fields.conclusion"),
        ("template.yaml", "  words:", "  pages: {description: x, default: 1}\n  words:", "pages"),
    ],
)
def test_what_is_asked_for_and_never_shown_is_told(
    tmp_path: Path, file: str, old: str, new: str, found: str
) -> None:
    shutil.copytree(BUILT_IN, tmp_path / "t")
    path = tmp_path / "t/summary_report" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert any(found in line for line in advice(load_template("summary_report", [tmp_path / "t"])))


def test_the_template_that_the_docs_show_fits_together(tmp_path: Path) -> None:
    tokens = MarkdownIt().parse((PROJECT / "docs/templates.md").read_text(encoding="utf-8"))
    folder = tmp_path / "risk_review"
    shutil.copytree(BUILT_IN / "summary_report", folder)
    file = ""
    for token in tokens:
        if named := re.match(r"\*\*`([\w.]+)`\*\*:", token.content):
            file = named[1]
        elif token.type == "fence" and token.info in ("yaml", "jinja"):
            (folder / file).write_text(token.content, encoding="utf-8")
    assert {path.name for path in folder.iterdir()} == {
        "fields.schema.yaml", "labels.yaml", "prompt.md.j2", "report.md.j2", "template.yaml",
    }  # fmt: skip
    assert advice(load_template("risk_review", [tmp_path, BUILT_IN])) == []


def test_the_description_says_what_the_offline_engine_lacks() -> None:
    text = describe(load_template("study_notes", [BUILT_IN]))
    assert "not given by the offline engine: questions, flashcards" in text
    assert "parameters: level = '', questions = 8, flashcards = 15" in text
