import csv
import json
import os
import shutil
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import av
import pytest
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from reelmake.analysis import Analysis, Engine, Passage, Term, VideoFacts, write_analysis
from reelmake.config import Format
from reelmake.errors import ReelmakeError
from reelmake.exports.anki import to_anki
from reelmake.exports.export import export
from reelmake.exports.formats import check_formats, ending, formats_of
from reelmake.exports.subtitles import cues, to_srt, to_vtt
from reelmake.media import Frame, write_jpeg
from reelmake.pages import refresh_report_page, write_report_page
from reelmake.templates import PROJECT, Template, load_template
from sample_videos import checkerboard

EVIL = "<i>x</i> --> {\\an8} & <v Eve> 00:00:01,000 --> 00:00:02,000\n\n7\nNOTE x"
NOTHING = Path("not-looked-at")
FORMATS: tuple[Format, ...] = get_args(Format)


def load(name: str) -> Template:
    return load_template(name, [PROJECT / "templates"])


def analysis(**values: Any) -> Analysis:
    content = {
        "name": "descent 1",
        "template": "study_notes",
        "language": "en",
        "engine": Engine(name="gemini", model="m", version="v"),
        "video": VideoFacts(source="videos/descent 1.mp4", duration_s=60),
        "title": "Descent",
        "overview": "…",
        "created": "2026-11-24T12:00:00Z",
    }
    return Analysis.model_validate(content | values)


def parsed(text: str, kind: str, folder: Path) -> Any:
    file = folder / f"a.{kind}"
    file.write_text(text, encoding="utf-8")
    return webvtt.from_srt(str(file)) if kind == "srt" else webvtt.read(str(file))


TALK = [
    Passage(start_s=0.5, end_s=9, text="We go down. " * 20, speaker="Ada"),
    Passage(start_s=9, end_s=3723.25, text="我们沿着负梯度的方向往下走，一步一步。" * 9),
]


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_subtitles_are_read_by_a_parser(kind: str, tmp_path: Path) -> None:
    found = parsed(to_srt(TALK) if kind == "srt" else to_vtt(TALK, "en"), kind, tmp_path)
    assert [found[0].start, found[-1].end] == ["00:00:00.500", "01:02:03.250"]
    assert found[0].text.startswith("Ada: We go down.")
    said = "".join(caption.text.replace("Ada: ", "") for caption in found)
    whole = "".join(passage.text for passage in TALK)
    assert said.replace(" ", "") == whole.replace(" ", "")
    assert len(found) == len(list(cues(TALK)))


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_what_is_said_never_becomes_a_cue_or_a_tag(kind: str, tmp_path: Path) -> None:
    evil = [Passage(start_s=0, end_s=5, text=EVIL, speaker=EVIL)]
    text = to_srt(evil) if kind == "srt" else to_vtt(evil, "en")
    found = parsed(text, kind, tmp_path)
    assert len(found) == len(list(cues(evil)))
    assert text.count("-->") == len(found)
    assert not {"<i>", "<v ", "{\\"} & {text[at : at + 3] for at in range(len(text))}


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_a_silent_video_has_empty_subtitles(kind: str, tmp_path: Path) -> None:
    text = to_srt([]) if kind == "srt" else to_vtt([], "en")
    assert text == ("" if kind == "srt" else "WEBVTT\nLanguage: en\n")


@given(st.text(max_size=400))
def test_cues_are_in_order_short_and_leave_nothing_out(text: str) -> None:
    passage = Passage(start_s=3, end_s=8, text=text)
    found = list(cues([passage]))
    kept = "".join("".join(cue.text.split()) for cue in found)
    assert all(cue.start_s <= cue.end_s for cue in found)
    assert all(first.end_s <= second.start_s + 1e-9 for first, second in pairwise(found))
    assert set(kept) <= set(text)
    if text.isprintable():
        assert kept == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("答案就在叶子里，叶子的细胞中，有许多绿色的小工厂，能够吸收阳光，", "，"),
        ("the Moon, which is small, hides the Sun, which is huge, and this is rare, ", ","),
    ],
)
def test_cues_end_with_a_clause_and_fit_two_lines(text: str, ends: str) -> None:
    found = list(cues([Passage(start_s=0, end_s=60, text=text * 5)]))
    for cue in found:
        assert cue.text[-1] in ends
        assert sum(2 if character > "\u2e80" else 1 for character in cue.text) <= 84


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("#")]
    return list(csv.reader(lines, delimiter="\t"))


def test_flashcards_become_notes_with_settings_that_anki_reads() -> None:
    cards = [
        {"front": "Why?\tNow", "back": '"So" <b>it</b>\n#x', "time": "00:05"},
        {"front": "#html:true", "back": "b", "time": "00:06"},
    ]
    text = to_anki(analysis(fields={"flashcards": cards}), "descent 1.mp4")
    assert text.startswith("#separator:Tab\n#html:false\n#notetype:Basic\n#deck:Descent\n")
    assert "\n#html:true" not in text
    assert rows(text) == [
        ["Why? Now", '"So" <b>it</b> #x (descent 1.mp4)', "reelmake::descent-1"],
        ["#html:true", "b (descent 1.mp4)", "reelmake::descent-1"],
    ]


def test_without_cards_the_terms_are_cards() -> None:
    terms = [Term(term="Gradient", translation="梯度", explanation="A slope."), Term(term="X")]
    text = to_anki(analysis(terms=terms, title="A::B\n#html:true"), "")
    assert "#deck:A:B #html:true\n" in text
    assert rows(text) == [["Gradient", "梯度 – A slope.", "reelmake::descent-1"]]


def test_which_template_has_which_formats() -> None:
    found = {
        name: set(FORMATS) - set(formats_of(load(name), FORMATS))
        for name in ("chinese_transcript", "study_notes", "meeting_minutes")
    }
    assert found == {
        "chinese_transcript": set(),
        "study_notes": {"srt", "vtt"},
        "meeting_minutes": {"srt", "vtt", "anki"},
    }
    assert formats_of(load("study_notes"), ["md"]) == ["md", "anki"]
    assert [ending("html"), ending("anki")] == [".html", ".anki.txt"]


def test_a_format_that_nothing_fits_is_told_before_a_run() -> None:
    with pytest.raises(ReelmakeError, match="srt needs a template with a transcript; study_notes"):
        check_formats([load("study_notes")], ["md", "srt"])
    check_formats([load("study_notes"), load("chinese_transcript")], ["md", "srt"])


def test_a_program_that_is_not_installed_is_told_before_a_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReelmakeError, match="'pandoc', which is not installed") as caught:
        check_formats([load("study_notes")], ["docx"])
    assert caught.value.code == "program_missing"
    check_formats([load("study_notes")], ["md", "html", "json"])


@pytest.fixture
def report(tmp_path: Path) -> Path:
    report = tmp_path / "reports/study_notes/讲 1.md"
    folder = report.with_suffix(".assets")
    folder.mkdir(parents=True)
    write_jpeg(Frame(0, checkerboard()), folder / "00-01.jpg")
    picture = "![A board](%E8%AE%B2%201.assets/00-01.jpg)"
    report.write_text(
        f"---\ntitle: 梯度\nlanguage: zh-CN\n---\n\n# 梯度\n\n{picture}\n\n&lt;b&gt; 下山。\n",
        encoding="utf-8",
    )
    return report


def test_a_word_document_has_the_text_and_the_picture(report: Path) -> None:
    document = report.with_suffix(".docx")
    export(report, NOTHING, document)
    with zipfile.ZipFile(document) as parts:
        text = parts.read("word/document.xml").decode()
        assert [name for name in parts.namelist() if name.startswith("word/media/")] != []
    assert "梯度" in text
    assert "&lt;b&gt; 下山。" in text


def test_a_pdf_has_the_text(report: Path) -> None:
    document = report.with_suffix(".pdf")
    export(report, NOTHING, document)
    assert document.read_bytes().startswith(b"%PDF-")
    assert b"/Image" in document.read_bytes()


def test_a_program_that_fails_says_why_and_leaves_nothing(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    broken = programs / "pandoc"
    broken.write_text("#!/bin/sh\necho no fonts here >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{Path(shutil.which('sh') or '').parent}")
    document = report.with_suffix(".docx")
    with pytest.raises(ReelmakeError, match=r"pandoc can't make 讲 1\.docx: no fonts here"):
        export(report, NOTHING, document)
    assert not document.exists()


def test_a_page_knows_the_way_to_the_index(report: Path) -> None:
    page = report.with_suffix(".html")
    write_report_page(report, page, index=report.parents[2] / "index.html")
    assert 'href="../../index.html"' in page.read_text(encoding="utf-8")


def test_a_page_is_written_again_when_its_report_was_edited_since(report: Path) -> None:
    page, index = report.with_suffix(".html"), report.parents[2] / "index.html"
    refresh_report_page(report, page, index=index)
    made = page.stat().st_mtime_ns
    refresh_report_page(report, page, index=index)
    assert page.stat().st_mtime_ns == made
    report.write_text(report.read_text(encoding="utf-8") + "\nMine.\n", encoding="utf-8")
    os.utime(report, ns=(made + 1, made + 1))
    refresh_report_page(report, page, index=index)
    assert "Mine." in page.read_text(encoding="utf-8")


def test_a_report_that_is_not_there_has_no_page(tmp_path: Path) -> None:
    refresh_report_page(tmp_path / "a.md", tmp_path / "a.html", index=tmp_path / "index.html")
    assert list(tmp_path.iterdir()) == []


def test_json_is_the_analysis(tmp_path: Path) -> None:
    write_analysis(analysis(), tmp_path / "analysis.json")
    export(NOTHING, tmp_path / "analysis.json", tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text())["title"] == "Descent"


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_a_player_reads_the_subtitles(kind: str, tmp_path: Path) -> None:
    write_analysis(analysis(transcript=TALK), tmp_path / "analysis.json")
    file = tmp_path / f"a.{kind}"
    export(NOTHING, tmp_path / "analysis.json", file)
    with av.open(str(file)) as container:
        packets = [packet for packet in container.demux() if packet.size]
    assert len(packets) == len(list(cues(TALK)))
