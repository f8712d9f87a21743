"""The offline engine on real videos: what it hears and reads, compared with what was said."""

import re
from pathlib import Path

import pytest
import yaml

from reelmake.analysis import Analysis, VideoFacts
from reelmake.local.engine import PARTS, Recognition, analyse, recognise

DEMO = Path(__file__).parents[2] / "demo"
EXPLAINER = Path("/usr/share/openboard/library/videos/wannaworktogether.mp4")


def lesson(name: str) -> list[dict[str, str]]:
    content = yaml.safe_load((DEMO / "lessons" / f"{name}.yaml").read_text(encoding="utf-8"))
    slides: list[dict[str, str]] = content.get("slides") or content["screens"]
    return slides


@pytest.fixture(scope="module")
def english() -> Recognition:
    return recognise(DEMO / "videos" / "solar-eclipses.mp4")


@pytest.fixture(scope="module")
def chinese() -> Recognition:
    return recognise(DEMO / "videos" / "光合作用.mp4")


@pytest.fixture(scope="module")
def silent() -> Recognition:
    return recognise(DEMO / "videos" / "terminal-backup.webm")


def report(recognition: Recognition) -> Analysis:
    return analyse(
        recognition,
        name="a",
        template="t",
        language=None,
        wanted=sorted(PARTS),
        fields=[],
        video=VideoFacts(source="a"),
        speech_model="base",
        created="2026-01-01T00:00:00Z",
    )


def errors(expected: list[str], found: list[str]) -> float:
    """Substitutions, deletions and insertions as a share of what was expected."""
    row = list(range(len(found) + 1))
    for number, wanted in enumerate(expected, 1):
        above, row = row, [number]
        for column, got in enumerate(found, 1):
            row.append(min(row[-1] + 1, above[column] + 1, above[column - 1] + (wanted != got)))
    return row[-1] / len(expected)


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.casefold())


def said(recognition: Recognition) -> str:
    return " ".join(sentence.text for sentence in recognition.sentences)


def test_english_words_are_right(english: Recognition) -> None:
    expected = " ".join(slide["narration"] for slide in lesson("solar-eclipses"))
    assert errors(words(expected), words(said(english))) <= 0.05
    assert english.language == "en"


def test_chinese_characters_are_right_and_simplified(chinese: Recognition) -> None:
    expected = "".join(slide["narration"] for slide in lesson("光合作用"))
    assert errors(re.findall(r"\w", expected), re.findall(r"\w", said(chinese))) <= 0.05
    assert chinese.language == "zh-CN"
    assert not re.search(r"[,?!]", said(chinese))


@pytest.mark.parametrize("name", ["solar-eclipses", "光合作用"])
def test_each_slide_is_a_chapter_with_its_heading(
    name: str, english: Recognition, chinese: Recognition
) -> None:
    found = report(english if name == "solar-eclipses" else chinese)
    assert [chapter.title for chapter in found.chapters] == [s["heading"] for s in lesson(name)]
    assert [moment.shown.split(" / ")[0] for moment in found.key_moments] == [
        slide["heading"] for slide in lesson(name)
    ]


def test_sentences_are_timed_to_the_slide_that_they_belong_to(english: Recognition) -> None:
    found = report(english)
    for chapter, slide in zip(found.chapters, lesson("solar-eclipses"), strict=True):
        inside = [
            passage.text
            for passage in found.transcript
            if chapter.start_s <= (passage.start_s + passage.end_s) / 2 < chapter.end_s
        ]
        assert errors(words(slide["narration"]), words(" ".join(inside))) <= 0.15


def test_a_silent_screencast_is_told_by_its_screens(silent: Recognition) -> None:
    found = report(silent)
    headings = [screen["heading"] for screen in lesson("terminal-backup")]
    assert [chapter.title for chapter in found.chapters] == headings
    assert found.overview == " · ".join(headings)
    assert found.language == "en"
    assert found.transcript == []
    assert [notice.code for notice in found.warnings] == ["no_sound"]
    assert "$ tar -czf notes.tar.gz notes" in found.key_moments[1].shown


def test_a_real_explainer_with_music_gives_a_readable_report() -> None:
    assert EXPLAINER.exists(), f"{EXPLAINER} is missing: apt-get install openboard-common"
    whole = recognise(EXPLAINER, start_s=60.0, end_s=130.0)
    assert all(60 <= sentence.start_s <= sentence.end_s <= 130 for sentence in whole.sentences)
    text = said(whole)
    assert "Copyright protects your creativity against uses you don't consent to." in text
    assert "You don't give up your copyright." in text
    assert any("ALL RIGHTS RESERVED" in line.text for s in whole.screens for line in s.lines)
    found = report(whole)
    assert found.title == "a"  # large words in a film are no title
    assert (found.chapters[0].start_s, found.chapters[-1].end_s) == (60, 130)
    assert 1 <= len(found.key_points) <= 10
    for point in found.key_points:
        assert point.text in text
