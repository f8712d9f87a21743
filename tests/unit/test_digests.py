"""Digests: groups, their names, and what stands on their pages."""

import os
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt
from snakemake.io import PeriodicityDetector

from reelmake import digests
from reelmake.analysis import (
    Analysis,
    Chapter,
    Engine,
    KeyPoint,
    Term,
    VideoFacts,
)
from reelmake.digests import (
    Group,
    Member,
    Summary,
    Thread,
    groups_of,
    render_digest,
    write_digest,
    write_digest_page,
)
from reelmake.errors import ReelmakeError
from reelmake.targets import Target


def target(name: str, **values: Any) -> Target:
    return Target(video=f"videos/{name}.mp4", name=name, template="summary_report", **values)


def analysis(name: str, **values: Any) -> Analysis:
    content = {
        "name": name,
        "template": "summary_report",
        "language": "en",
        "engine": Engine(name="local", model="base", version="v"),
        "video": VideoFacts(source=f"videos/{name}.mp4", duration_s=60),
        "title": f"About {name}",
        "overview": f"The overview of {name}.",
        "key_points": [KeyPoint(time_s=5, text=f"A point of {name}.")],
        "created": "2026-11-24T12:00:00Z",
    }
    return Analysis.model_validate(content | values)


def member(name: str, **values: Any) -> Member:
    return Member(analysis(name, **values), f"../reports/x/{name}.md", f"../../{name}.mp4")


def titles(targets: list[Target], by: str | None) -> dict[str, list[str]]:
    groups = groups_of(targets, by)
    assert all(name == group.name for name, group in groups.items())
    return {group.title: [one.name for one in group.targets] for group in groups.values()}


TARGETS = [
    target("a", tags=("physics", "week 1"), extra={"course": "Optics"}),
    target("b", tags=("physics",), extra={"course": "optics"}),
    target("c", extra={"course": ""}),
]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (None, {}),
        ("tags", {"physics": ["a", "b"], "week 1": ["a"]}),
        ("course", {"Optics": ["a"], "optics": ["b"]}),
        ("template", {"summary_report": ["a", "b", "c"]}),
    ],
)
def test_groups(by: str | None, expected: dict[str, list[str]]) -> None:
    assert titles(TARGETS, by) == expected


def test_a_row_is_in_a_group_once_and_one_that_can_not_be_used_in_none() -> None:
    rows = [
        target("a", tags=("physics", "physics")),
        target("b", tags=("physics", "lost"), problem="video_missing"),
    ]
    assert titles(rows, "tags") == {"physics": ["a"]}


def test_a_column_that_is_not_there_is_told() -> None:
    with pytest.raises(ReelmakeError, match="some row fills, but no row has anything in 'curse'"):
        groups_of(TARGETS, "curse")
    with pytest.raises(ReelmakeError, match="some row fills, but no row of the table has a tag"):
        groups_of([], "tags")


def test_names_of_groups_are_safe_distinct_and_independent_of_order() -> None:
    hostile = ["../../etc/passwd", "a/b", "a:b", "CON", "讲座 1", "{template}", "..."]
    hostile += ["词" * 9 * 30, "".join(map(str, range(200))), "Cafe\u0301", "Caf\u00e9"]
    targets = [target(str(number), tags=(tag,)) for number, tag in enumerate(hostile)]
    names = list(groups_of(targets, "tags"))
    folded = {unicodedata.normalize("NFKC", name).casefold() for name in names}
    assert len(folded) == len(hostile)
    assert set(names) == set(groups_of(reversed(targets), "tags"))
    assert "讲座 1" in names
    assert max(len(name.encode()) for name in names) == 160
    detector = PeriodicityDetector()  # type: ignore[no-untyped-call]
    for name in names:
        assert not detector.is_periodic(name)  # type: ignore[no-untyped-call]
        assert not set(name) & set("/\\:{}")
        assert not name.startswith(".")


def test_a_digest_is_made_again_when_its_template_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests.digest_of_digests.__wrapped__()
    shutil.copytree(digests._FOLDER, tmp_path / "digest")
    monkeypatch.setattr(digests, "_FOLDER", tmp_path / "digest")
    assert digests.digest_of_digests.__wrapped__() == before
    edited = next((tmp_path / "digest").iterdir())
    edited.write_text(edited.read_text() + "\n")
    assert digests.digest_of_digests.__wrapped__() != before


def test_what_is_not_known_of_a_report_counts_as_nothing_and_only_eight_points_are_shown() -> None:
    unknown = member(
        "a",
        video=VideoFacts(source="https://youtu.be/a"),
        cost_usd=None,
        key_points=[KeyPoint(time_s=each, text=f"Point {each}.") for each in range(9)],
    )
    known = member("b", cost_usd=0.25)
    group = Group(name="g", title="G", targets=(target("a"), target("b")))
    text = render_digest(group, [unknown, known])
    head = yaml.safe_load(text.removeprefix("---\n").partition("\n---\n")[0])
    assert (head["duration_s"], head["cost_usd"]) == (60, 0.25)
    assert "Point 7." in text
    assert "Point 8." not in text


def test_a_digest_has_every_report_with_its_points_and_all_terms_once() -> None:
    members = [
        member("b", terms=[Term(term="Lens", explanation="Bends light.")]),
        member("a", terms=[Term(term="lens", explanation="Again."), Term(term="Axis")]),
    ]
    text = render_digest(Group(name="Optics", title="Optics", targets=()), members)
    head, body = text.removeprefix("---\n").split("\n---\n", 1)
    assert yaml.safe_load(head) == {
        "title": "Optics",
        "reports": 2,
        "duration_s": 120.0,
        "language": "en",
        "cost_usd": 0.0,
        "created": "2026-11-24T12:00:00Z",
    }
    assert "2 reports, 02:00 of video." in body
    assert "## [About b](../reports/x/b.md)\n\nThe overview of b." in body
    assert "- [00:05](../../b.mp4#t=5) A point of b." in body
    assert body.index("**Axis**") < body.index("**Lens** – Bends light.")
    assert "Again." not in body


def test_its_language_is_that_of_most_and_its_date_that_of_the_last() -> None:
    days = {"a": ("en", 24), "b": ("zh-CN", 26), "c": ("en", 25), "d": ("de", 25)}
    members = [
        member(name, language=language, created=f"2026-11-{day}T12:00:00Z")
        for name, (language, day) in days.items()
    ]
    text = render_digest(Group(name="x", title="x", targets=()), members)
    head = yaml.safe_load(text.removeprefix("---\n").partition("\n---\n")[0])
    assert (head["language"], head["created"]) == ("en", "2026-11-26T12:00:00Z")


def test_parts_of_one_video_are_all_counted() -> None:
    parts = [
        member(f"part {start_s}", video=VideoFacts(source="v.mp4", duration_s=60, start_s=start_s))
        for start_s in (0, 60)
    ]
    text = render_digest(Group(name="x", title="x", targets=()), parts)
    assert "2 reports, 02:00 of video." in text


def test_reports_with_the_same_title_are_told_apart_and_a_video_counts_once() -> None:
    a, b = (member("a", title="Same", template=template) for template in ("first", "second"))
    text = render_digest(Group(name="x", title="x", targets=()), [a, b, member("c")])
    for heading in ("Same (first/a)", "Same (second/a)", "About c"):
        assert f"## [{heading}](" in text
    assert "3 reports, 02:00 of video." in text


def test_chapters_stand_in_for_missing_points() -> None:
    chapters = [Chapter(start_s=83, end_s=90, title="The lens", summary="")]
    text = render_digest(
        Group(name="x", title="x", targets=()), [member("a", key_points=[], chapters=chapters)]
    )
    assert "- [01:23](../../a.mp4#t=83) The lens" in text


def test_what_an_engine_wrote_about_all_stands_above() -> None:
    summary = Summary(
        overview="*All* <b>of it</b>.",
        threads=[Thread(title="[Light](javascript:x)", summary="<i>Both.</i>", members=[1, 0])],
        model="m",
        cost_usd=0.25,
    )
    members = [member("a", cost_usd=0.5), member("b")]
    text = render_digest(Group(name="x", title="x", targets=()), members, summary=summary)
    head, body = text.split("\n---\n", 1)
    assert "\\*All\\* &lt;b>of it&lt;/b>." in body
    assert "### \\[Light\\](javascript:x)\n\n&lt;i>Both." in body
    assert body.index("[About b](../reports/x/b.md)") < body.index("(../reports/x/a.md)")
    assert body.index("\\*All") < body.index("## [About a]")
    assert yaml.safe_load(head.removeprefix("---\n"))["cost_usd"] == 0.75


def test_hostile_titles_and_texts_are_text() -> None:
    evil = "](javascript:x) <script>alert(1)</script> ![p](https://t.example/p.gif)\n\n# Heading"
    hostile = member("a", title=evil, overview=evil, key_points=[KeyPoint(time_s=1, text=evil)])
    text = render_digest(Group(name="x", title=evil, targets=()), [hostile, member("b")])
    tokens = MarkdownIt("commonmark").parse(text.split("\n---\n", 1)[1])
    inside = [child for token in tokens for child in [token, *(token.children or [])]]
    kinds = {token.type for token in inside}
    assert not kinds & {"html_block", "html_inline", "image"}
    links = {str(token.attrs["href"]) for token in inside if token.type == "link_open"}
    assert all(link.startswith(("../reports/x/", "../../")) for link in links)


def test_the_page_leads_to_the_pages_of_the_reports(tmp_path: Path) -> None:
    reports = [tmp_path / f"reports/x/{name}.md" for name in "ab"]
    group = Group(name="g", title="G", targets=(target("a"), target("b")))
    digest, page = tmp_path / "digests/g.md", tmp_path / "digests/g.html"
    assert write_digest(group, [analysis("a"), analysis("b")], reports, digest) == digest
    text = digest.read_text(encoding="utf-8")
    assert "(../reports/x/a.md)" in text
    assert f"({os.path.relpath('videos/a.mp4', digest.parent)}#t=5)" in text
    write_digest_page(digest, page)
    assert 'href="../reports/x/a.html"' in page.read_text(encoding="utf-8")
