import re
from pathlib import Path
from typing import Any

import pytest

from reelmake.analysis import (
    Analysis,
    Chapter,
    KeyMoment,
    Notice,
    Passage,
    VideoFacts,
)
from reelmake.moments import moment_destination
from reelmake.notices import notice
from reelmake.report import Picture, render_report
from reelmake.templates import PROJECT, load_template
from rendering import FIELDS, NAMES, PARSER, headings, parts, poor, render, rich


@pytest.mark.parametrize("make", [rich, poor])
@pytest.mark.parametrize("name", NAMES)
def test_reports_are_tidy_and_the_same_each_time(name: str, make: Any) -> None:
    report = render(make(name))
    assert report == render(make(name))
    assert report.endswith("\n")
    assert not report.endswith("\n\n")
    assert "\n\n\n" not in report
    assert not re.search(r"[ \t]$", report, re.MULTILINE)
    _, body = parts(report)
    assert body.startswith("\n# Gradient Descent\n")
    assert not re.search(r"None|Undefined|\{\{|\{%|\*{3,}", body)
    html = PARSER.render(body)
    assert not re.search(r"\*\*|\]\(|(?m:^#)", html)


@pytest.mark.parametrize("name", NAMES)
def test_a_rich_analysis_leaves_nothing_out(name: str) -> None:
    _, body = parts(render(rich(name)))
    for value in re.findall(r"'([^']+)'", str(FIELDS[name])):
        if value not in FIELDS[name] and not re.fullmatch(r"\w+|\d\d:\d\d", value):
            for line in value.split("\\n\\n"):
                assert line in body
    assert "![A curve](x.assets/01-23.jpg)\n\n*A curve*" in body
    assert "ab" * 32 in body
    assert "cd" * 32 in body
    assert "82,345" in body
    assert "0.0482" in body


def test_headings_of_each_template() -> None:
    found = {name: headings(parts(render(rich(name)))[1]) for name in NAMES}
    assert found["chinese_transcript"] == [
        "概述", "逐字稿", "笔记", "我学到了什么", "我的理解", "我的收获", "关键画面", "术语",
        "生成信息",
    ]  # fmt: skip
    assert found["comprehensive_lesson"] == [
        "Overview", "Audience", "Objectives", "Analysis", "Knowledge points", "Demonstrations",
        "Structure", "Opening", "Sections", "Conclusion", "Moments", "Outcomes", "Activities",
        "Try it (10 min)", "Terms", "Reading", "Provenance",
    ]  # fmt: skip
    assert found["meeting_minutes"] == [
        "Overview", "Participants", "Decisions", "Actions", "Questions", "Topics", "Points",
        "Moments", "Provenance",
    ]  # fmt: skip
    assert found["study_notes"] == [
        "Overview", "Outline", "Start", "Concepts", "Terms", "Questions", "Answers", "Flashcards",
        "Provenance",
    ]  # fmt: skip
    assert found["summary_report"] == ["Topic", "Points", "Moments", "Conclusion", "Provenance"]


def test_an_offline_report_says_what_it_is_and_lacks() -> None:
    body = parts(render(poor("comprehensive_lesson")))[1]
    assert "The offline engine does not write: audience, objectives, demonstrations," in body
    assert "Made offline" in body
    assert "extractive" in body
    assert "Cost" not in body
    assert headings(body) == ["Overview", "Moments", "Provenance"]
    chinese = parts(render(poor("chinese_transcript")))[1]
    assert "离线引擎不撰写以下内容：我学到了什么、我的理解、我的收获。" in chinese
    assert "视频中没有人说话。" in chinese


@pytest.mark.parametrize("name", NAMES)
def test_chinese_signs_have_no_blanks_beside_them(name: str) -> None:
    notices = [notice("times_clamped", count=3)]
    for analysis in (rich(name, warnings=notices), poor(name)):
        body = parts(render(analysis.model_copy(update={"language": "zh-CN"})))[1]
        plain = body.replace(" *(?)*", "")  # without a blank it would not be italic
        assert re.findall(r".[：（。；] | [：（）。；].", plain) == []
        assert ("3 处时间略微超出视频范围" in body) == bool(analysis.warnings)


def test_other_languages_have_english_headings() -> None:
    assert "Topic" in headings(render(rich("summary_report", language="fr")))
    assert "主题" in headings(render(rich("summary_report", language="zh-Hans")))
    assert "主题" in headings(render(rich("summary_report", language="zh-cn")))


def test_speakers_are_named_where_they_change() -> None:
    body = render(rich("chinese_transcript"))
    assert body.count("**甲：**") == body.count("**乙：**") == 1
    assert "[20:00](../a%20b.mp4#t=1200) **乙：** 第 20 段。" in body


def test_doubtful_passages_are_marked_and_the_mark_is_explained() -> None:
    body = render(rich("chinese_transcript"))
    assert body.count("*(?)*") == 2
    assert body.index("*(?)* 表示") < body.index("第 3 段。 *(?)*\n")
    clear = [Passage(start_s=0, end_s=1, text="Clear.")]
    assert "*(?)*" not in render(rich("chinese_transcript", transcript=clear))


def test_what_was_left_open_in_a_meeting_is_a_question_mark() -> None:
    action = {"action": "Call them.", "owner": None, "due": None, "time": "00:05"}
    fields = FIELDS["meeting_minutes"] | {"actions": [action]}
    body = render(rich("meeting_minutes", fields=fields))
    assert "| Call them. | ? | ? | [00:05](../a%20b.mp4#t=5) |" in body


def test_every_moment_of_an_outline_is_in_one_chapter() -> None:
    chapters = [
        Chapter(start_s=10, end_s=60, title="One", summary=""),
        Chapter(start_s=60, end_s=90, title="Two", summary=""),
    ]
    moments = [KeyMoment(time_s=time_s, why=f"At {time_s}.", shown="") for time_s in (5, 60, 99)]
    body = render(rich("study_notes", chapters=chapters, key_moments=moments))
    assert [body.count(f"**At {time_s}.**") for time_s in (5, 60, 99)] == [1, 1, 1]
    assert body.index("At 5") < body.index("### Two") < body.index("At 60") < body.index("At 99")


@pytest.mark.parametrize("name", ["comprehensive_lesson", "meeting_minutes", "study_notes"])
def test_a_chapter_without_a_key_moment_has_a_picture_of_its_own(name: str) -> None:
    chapters = [
        Chapter(start_s=0, end_s=83, title="One", summary="S."),
        Chapter(start_s=83, end_s=90, title="Two", summary="S."),
    ]
    frames = [Picture(2.0, "x.assets/00-02.jpg"), Picture(83.0, "x.assets/01-23.jpg")]
    body = render(rich(name, chapters=chapters), frames=frames)
    assert body.count("![One](x.assets/00-02.jpg)") == 1
    assert "![Two]" not in body
    (item,) = [token for token in PARSER.parse(body) if "![One]" in token.content]
    assert item.type == "inline"


def test_warnings_are_announced_and_listed() -> None:
    notices = [Notice(code="a", message="Moved 2 *times*."), Notice(code="b", message="Cut.")]
    body = render(rich("summary_report", warnings=notices))
    assert (
        "> [!WARNING]\n> Before you rely on this report, read its [Warnings](#warnings) (2)" in body
    )
    assert "## Warnings\n\n- Moved 2 \\*times\\*.\n- Cut.\n" in body
    assert "WARNING" not in render(rich("summary_report"))


def test_a_report_begins_with_working_contents() -> None:
    body = render(rich("chinese_transcript"))
    contents = next(line for line in body.splitlines() if line.startswith("**目录：**"))
    targets = re.findall(r"\]\(#([^)]+)\)", contents)
    # One word each: GitHub's anchor and Obsidian's link to a heading are then the same.
    assert targets == ["概述", "逐字稿", "笔记", "关键画面", "术语"]
    assert "[Topic](#topic) · [Points](#points)" in render(rich("summary_report"))
    assert "Contents" not in render(poor("summary_report"))


def test_a_model_without_price() -> None:
    report = render(rich("summary_report", cost_usd=None))
    assert "Cost: not known" in report
    assert parts(report)[0]["cost_usd"] is None


def test_a_stretch_of_a_video() -> None:
    video = VideoFacts(source="a.mp4", duration_s=600, start_s=30, end_s=90)
    assert "Analysed: 00:30–01:30" in render(rich("summary_report", video=video))


def test_front_matter() -> None:
    values, _ = parts(
        render(
            rich("summary_report", title="A: *b*\n[[c]]"),
            tags=["Physics 101", "#a", "a", "  "],
            extra={"course": "no", "Title": "mine", "duration": "12:34", "table_title": "x"},
        )
    )
    assert values == {
        "title": "A: *b* [[c]]",
        "source": "../a b.mp4",
        "duration": "1:06:40",
        "duration_s": 4000.4,
        "template": "summary_report",
        "language": "en",
        "engine": "gemini",
        "model": "gemini-x",
        "model_version": "gemini-x-001",
        "input_tokens": 82345,
        "output_tokens": 9321,
        "cost_usd": 0.04821,
        "created": "2026-11-24T17:59:03Z",
        "tags": ["Physics-101", "a"],
        "course": "no",
        "table_Title": "mine",
        "table_duration": "12:34",
        "table_table_title": "x",
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("https://www.youtube.com/watch?v=abc-_1", "https://www.youtube.com/watch?v=abc-_1&t=83s"),
        ("https://youtube.com/watch?v=a&list=b&t=5", "https://youtube.com/watch?v=a&list=b&t=83s"),
        ("http://m.youtube.com/watch?t=1m2s&v=a#x", "http://m.youtube.com/watch?v=a&t=83s"),
        ("https://youtu.be/abc", "https://youtu.be/abc?t=83s"),
        ("https://youtu.be/abc?si=x", "https://youtu.be/abc?si=x&t=83s"),
        ("https://www.youtube.com/live/abc", "https://www.youtube.com/live/abc?t=83s"),
        ("https://www.youtube.com/shorts/abc", "https://www.youtube.com/watch?v=abc&t=83s"),
        (
            "https://www.youtube-nocookie.com/embed/a?start=4",
            "https://www.youtube.com/watch?v=a&t=83s",
        ),
        ("https://notyoutube.com/watch?v=a", "https://notyoutube.com/watch?v=a#t=83"),
        ("https://x.y/a b.mp4?k=1#t=5", "https://x.y/a%20b.mp4?k=1#t=83"),
        ("video.mp4", "video.mp4#t=83"),
        ("../../讲/a (1)#2.mp4", "../../%E8%AE%B2/a%20%281%29%232.mp4#t=83"),
        ("gs://bucket/a.mp4", None),
        ("javascript:alert(1)", None),
        ("/a.mp4", None),
        (None, None),
    ],
)
def test_where_a_moment_leads(source: str | None, expected: str | None) -> None:
    assert moment_destination(source, 83.4) == expected
    point = f"[01:23]({expected}) A point." if expected else "- 01:23 A point."
    assert point in render(rich("summary_report"), source_link=source)


def test_timestamps_in_fields_lead_there_too() -> None:
    body = render(rich("comprehensive_lesson"))
    assert "- [01:23](../a%20b.mp4#t=83) A ball rolls. **Teaches:** Steps." in body
    odd = FIELDS["comprehensive_lesson"] | {
        "demonstrations": [{"time": "*soon*", "shown": "x", "teaches": "y"}]
    }
    assert "- \\*soon\\* x" in render(rich("comprehensive_lesson", fields=odd))


HOSTILE = "</p><script>x()</script> ![x](https://t.example/p.gif) [[n]]\n\n---\n- `a` | **b** # $c$"


def poison(value: Any) -> Any:
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, dict):
        return {key: poison(item) for key, item in value.items()}
    return [poison(item) for item in value] if isinstance(value, list) else value


def shape(body: str) -> tuple[int, int, int]:
    """How many tables, rows and cells there are: a bar in a cell makes no other one."""
    kinds = [token.type for token in PARSER.parse(body)]
    return kinds.count("table_open"), kinds.count("tr_open"), kinds.count("td_open")


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_answer_is_only_text(name: str) -> None:
    good = rich(name, warnings=[Notice(code="a", message="b")])
    bad = good.model_dump()
    texts = ("title", "overview", "chapters", "transcript", "key_points", "key_moments", "terms")
    bad |= {key: poison(bad[key]) for key in (*texts, "fields", "warnings", "not_given")}
    bad["video"]["source"] = bad["engine"]["model"] = bad["engine"]["version"] = HOSTILE
    report = render(Analysis.model_validate(bad))
    values, body = parts(report)
    assert values["title"].startswith("</p><script>")
    tokens = [child for token in PARSER.parse(body) for child in [token, *(token.children or [])]]
    kinds = {token.type for token in tokens}
    assert not kinds & {"html_block", "html_inline", "fence", "hr"}
    assert shape(body) == shape(parts(render(good))[1])
    code = {token.content for token in tokens if token.type in ("code_inline", "code_block")}
    assert code == {"ab" * 32, "cd" * 32}
    sources = {token.attrs["src"] for token in tokens if token.type == "image"}
    assert sources <= {"x.assets/01-23.jpg"}
    links = {str(token.attrs["href"]) for token in tokens if token.type == "link_open"}
    assert all(link.startswith(("../a%20b.mp4", "#")) for link in links)


def test_a_layout_of_ones_own_with_words_of_its_own(tmp_path: Path) -> None:
    built_in = PROJECT / "templates"
    folder = tmp_path / "mine"
    folder.mkdir()
    for file in ("template.yaml", "prompt.md.j2"):
        (folder / file).write_bytes((built_in / "summary_report" / file).read_bytes())
    (folder / "labels.yaml").write_text("en: {hello: Hello *you*}\n", encoding="utf-8")
    (folder / "report.md.j2").write_text("## {{ labels.hello }}\n\n{{ title }}", encoding="utf-8")
    report = render_report(
        rich("summary_report"),
        load_template("mine", [tmp_path, built_in]),
        source_link=None,
        frames=[],
        tags=[],
        extra={},
    )
    assert "\n## Hello \\*you\\*\n\nGradient Descent\n" in parts(report)[1]
