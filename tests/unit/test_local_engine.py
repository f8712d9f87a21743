import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest

from reelmake.analysis import Analysis, Passage, VideoFacts
from reelmake.local.engine import PARTS, Recognition, analyse
from reelmake.local.outline import heading
from reelmake.local.records import Scene, Screen, TextLine
from reelmake.local.text import content_words, guess_language, shorten

TALK = """
The heart is a muscle that pumps blood through the body. Are you ready? It has four chambers.
The left chamber of the heart pumps blood with oxygen to the body. Blood returns to the right side.
Valves keep the blood from flowing back. A valve opens when the pressure rises.
The valves of the heart make the sound that a doctor hears. Exercise makes the heart stronger.
A strong heart pumps more blood with each beat. Athletes have a slow pulse at rest.
Measure the pulse at the wrist with two fingers.
"""


def sentences(text: str, every_s: float = 12.0) -> list[Passage]:
    parts = text.replace("\n", " ").replace("? ", "?|").replace(". ", ".|").strip("| ").split("|")
    return [
        Passage(start_s=n * every_s, end_s=n * every_s + 5, text=part.strip(), confidence=0.9)
        for n, part in enumerate(parts)
    ]


def screen(start_s: float, end_s: float, *lines: str, heights: Any = ()) -> Screen:
    sizes = [*heights, *[0.05] * len(lines)]
    return Screen(
        scene=Scene(start_s=start_s, end_s=end_s, still_s=end_s - 1),
        lines=[
            TextLine(text=text, top=0.1 + 0.1 * number, height=sizes[number])
            for number, text in enumerate(lines)
        ],
    )


def recognition(**changes: Any) -> Recognition:
    values: dict[str, Any] = {
        "speech_version": "ears 1",
        "ocr_version": "eyes 1",
        "container_title": None,
        "has_sound": True,
        "language": "en",
        "language_probability": 0.99,
        "start_s": 0,
        "end_s": 150,
        "sentences": sentences(TALK),
        "scenes": [],
        "screens": [],
        "seconds": 3,
    }
    return Recognition.model_validate(values | changes)


def report(found: Recognition, **changes: Any) -> Analysis:
    values: dict[str, Any] = {
        "name": "the-heart_1",
        "template": "summary_report",
        "language": None,
        "wanted": sorted(PARTS),
        "fields": [],
        "video": VideoFacts(source="a.mp4"),
        "speech_model": "base",
        "created": "2026-01-01T00:00:00Z",
    }
    return analyse(found, **(values | changes))


SLIDES = [
    screen(0, 40, "Vessels", "arteries", "veins", heights=[0.1]),
    screen(40, 90, "Valves", "they open", "they close", heights=[0.1]),
    screen(90, 150, "Exercise", "stronger", "slower", heights=[0.1]),
]


def test_everything_in_a_report_was_said() -> None:
    found = report(recognition())
    said = TALK.replace("\n", " ")
    assert " ".join(passage.text for passage in found.transcript) == said.strip()
    for point in found.key_points:
        assert point.text in said
    for chapter in found.chapters:
        assert chapter.title.rstrip("…") in said
    assert all(term.explanation is None or term.explanation in said for term in found.terms)
    assert found.overview
    assert "Are you ready?" not in found.overview


def test_chapters_of_plain_speech_cover_the_video_without_gaps() -> None:
    found = report(recognition()).chapters
    assert len(found) > 1
    assert (found[0].start_s, found[-1].end_s) == (0, 150)
    assert all(first.end_s == second.start_s for first, second in pairwise(found))
    assert all(chapter.end_s - chapter.start_s >= 30 for chapter in found)


def test_slides_give_the_chapters_the_moments_and_the_title() -> None:
    found = report(recognition(screens=SLIDES))
    assert [(c.start_s, c.title) for c in found.chapters] == [
        (0, "Vessels"),
        (40, "Valves"),
        (90, "Exercise"),
    ]
    assert found.title == "Vessels"
    assert [moment.shown for moment in found.key_moments][1] == "Valves / they open / they close"
    assert 40 < found.key_moments[1].time_s < 89
    assert "Valves" in [term.term for term in found.terms]


def test_the_title_of_the_file_comes_first_and_its_name_last() -> None:
    assert report(recognition(container_title="The heart", screens=SLIDES)).title == "The heart"
    assert report(recognition()).title == "the heart 1"


def test_a_film_with_some_words_in_it_is_told_by_its_speech() -> None:
    film = recognition(screens=[screen(60, 63, "WOW"), screen(145, 150, "THE END")])
    found = report(film)
    assert "WOW" in [moment.shown for moment in found.key_moments]
    assert "THE END" not in [moment.shown for moment in found.key_moments]  # nobody speaks there
    assert "No text on the screen" in [moment.shown for moment in found.key_moments]
    assert found.title == "the heart 1"


def test_a_silent_video_is_told_by_its_screens() -> None:
    found = report(recognition(sentences=[], language=None, has_sound=False, screens=SLIDES))
    assert found.overview == "Vessels · Valves · Exercise"
    assert found.chapters[1].summary == "Valves / they open / they close"
    assert found.key_moments[1].why == "Valves"
    assert (found.transcript, found.key_points, found.terms) == ([], [], [])
    assert [notice.code for notice in found.warnings] == ["no_sound"]


def test_a_video_with_nothing_to_tell_says_so() -> None:
    found = report(recognition(sentences=[], language=None, language_probability=None))
    assert (found.overview, found.chapters, found.key_moments) == ("", [], [])
    assert (found.language, found.title) == ("und", "the heart 1")
    assert [notice.code for notice in found.warnings] == ["no_speech", "no_screen_text"]


def test_what_the_reader_should_know_is_said() -> None:
    doubtful = sentences(TALK)
    doubtful[3] = doubtful[3].model_copy(update={"doubtful": True})
    found = report(
        recognition(sentences=doubtful, language_probability=0.4, screens=SLIDES), language="zh-CN"
    )
    codes = [notice.code for notice in found.warnings]
    assert codes == ["not_translated", "language_unsure", "doubtful_passages"]
    assert "the report is in en" in found.warnings[0].message.casefold()
    assert report(recognition(screens=SLIDES), language="en-GB").warnings == []


def test_only_what_is_wanted_is_given_and_what_is_lacking_is_named() -> None:
    found = report(recognition(), wanted=["overview", "transcript", "speakers"], fields=["goals"])
    assert found.transcript
    assert (found.chapters, found.key_points, found.key_moments) == ([], [], [])
    assert found.not_given == ["speakers", "goals"]
    assert (found.cost_usd, found.usage.calls, found.fields) == (0, 0, {})
    assert found.engine.model_dump() == {
        "name": "local",
        "model": "base",
        "version": "ears 1; eyes 1",
    }


def test_a_report_is_the_same_each_time_also_from_the_stored_recognition() -> None:
    found = recognition(screens=SLIDES)
    stored = Recognition.model_validate_json(found.model_dump_json())
    assert report(stored) == report(found)


def test_choosing_needs_none_of_the_heavy_libraries() -> None:
    heavy = "{'av', 'faster_whisper', 'rapidocr', 'onnxruntime', 'ctranslate2', 'cv2'}"
    code = f"import sys, reelmake.local.engine; sys.exit(bool({heavy} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "scripts"})


@pytest.mark.parametrize(
    ("lines", "heights", "expected"),
    [
        (["Step 2", "Pack it"], [0.1, 0.1], "Step 2: Pack it"),
        (["creative", "commons"], [0.1, 0.1], "creative commons"),
        (["Moon", "Three bodies", "one", "two"], [0.04, 0.08], "Three bodies"),
        (["$ ls", "a.md", "b.md"], [0.05, 0.05, 0.05], None),
        (["42"], [0.3], None),
    ],
)
def test_headings(lines: list[str], heights: list[float], expected: str | None) -> None:
    assert heading(screen(0, 5, *lines, heights=heights)) == expected


def test_words_of_both_scripts() -> None:
    assert content_words("The Sun's light, 光合作用") == ["sun's", "light", "光合", "合作", "作用"]
    assert shorten("one two three four", 10) == "one two…"
    assert shorten("植物怎样制造养分", 4) == "植物怎样…"
    assert guess_language("光合作用 pH") == "zh-CN"
    assert guess_language("Pack it into one file for the drive") == "en"
    assert guess_language("$ tar -czf notes.tar.gz") == "und"
