import os
import re
from pathlib import Path
from typing import Any

import pytest

from reelmake.config import Config
from reelmake.errors import ReelmakeError
from reelmake.inputs.table import targets, video_table
from reelmake.targets import Target


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with some videos, and with what is none."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.mp4", "a.MKV", "week 2/c.webm", ".hidden/d.mp4", "week 2/.e.mp4", "notes.md"):
        path = tmp_path / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def built(videos: str | list[str], *, probe: bool = False, **settings: Any) -> list[Target]:
    """The reports that this makes; the files here are no videos, so most tests don't open them."""
    config = Config.model_validate({"videos": videos, **settings})
    return list(targets(video_table(config, probe=probe)).values())


@pytest.mark.parametrize(
    ("videos", "expected"),
    [
        ("videos", ["videos/a.MKV", "videos/b.mp4", "videos/week 2/c.webm"]),
        ("videos/*.mp4", ["videos/b.mp4"]),
        ("videos/**/*", ["videos/a.MKV", "videos/b.mp4", "videos/week 2/c.webm"]),
        ("videos/b.mp4", ["videos/b.mp4"]),
        (["videos/b.mp4", "videos", "./videos/b.mp4"], ["videos/b.mp4", "videos/a.MKV"]),
    ],
)
def test_folders_globs_and_files_mix(
    folder: Path, videos: str | list[str], expected: list[str]
) -> None:
    found = [target.video for target in built(videos)]
    assert found[: len(expected)] == expected
    assert len(found) == len(set(found))


def test_a_target_carries_what_the_config_says_of_all(folder: Path) -> None:
    (target,) = built("videos/b.mp4", template="summary_report", language="en")
    assert target == Target(
        video="videos/b.mp4", name="b", template="summary_report", language="en"
    )
    assert target.key == ("summary_report", "b")


def test_a_folder_whose_name_looks_like_a_glob_is_a_folder(folder: Path) -> None:
    (folder / "talks [2026]").mkdir()
    (folder / "talks [2026]/x.mp4").touch()
    assert [target.video for target in built("talks [2026]")] == ["talks [2026]/x.mp4"]


def test_what_can_not_be_used_is_told_all_at_once(folder: Path) -> None:
    with pytest.raises(ReelmakeError) as caught:
        built(["videos", "gone.mp4", "videos/notes.md"])
    assert "gone.mp4: no such file" in caught.value.message
    assert "videos/notes.md: expected a video (3gp avi" in caught.value.message


@pytest.mark.parametrize(
    ("video", "settings", "problem"),
    [
        ("https://youtu.be/dQw4w9WgXcQ", {"engine": "gemini"}, None),
        ("https://example.org/a.mp4", {"engine": "local"}, None),
        ("https://user:pass@example.org/a.mp4", {"engine": "gemini"}, "without a name or password"),
        ("https:///a.mp4", {"engine": "gemini"}, "with a host"),
        ("https://example.org:port/a.mp4", {"engine": "gemini"}, "ort"),
        ("https://example.org/a b.mp4", {"engine": "gemini"}, "no blanks"),
        ("https://www.youtube.com/@somebody", {"engine": "gemini"}, "leads to no video"),
        ("s3://bucket", {"engine": "local"}, "names a bucket"),
        ("sftp://host/a.mp4", {"engine": "local"}, "`pip install snakemake-storage-plugin-sftp`"),
        ("http://example.org/a.mp4", {"engine": "gemini"}, "expected an https:// address"),
        ("file:///etc/passwd", {"engine": "gemini"}, "expected an https:// address"),
        ("gs://bucket/a.mp4", {"engine": "gemini"}, "gs:// needs `gemini.vertex`"),
        ("gs://bucket/a.mp4", {"engine": "gemini", "gemini": {"vertex": {"project": "p"}}}, None),
        ("videos/b.mp4", {"engine": "gemini", "gemini": {"vertex": {"project": "p"}}}, "bucket"),
    ],
)
def test_addresses_go_only_where_they_can_be_read(
    folder: Path, video: str, settings: dict[str, Any], problem: str | None
) -> None:
    (target,) = built(video, on_bad_input="skip", **settings)
    assert (target.problem is None) == (problem is None)
    assert (problem or "") in (target.problem or "")


def test_with_skip_the_row_stays_and_says_its_problem(folder: Path) -> None:
    found = built(["videos/b.mp4", "gone.mp4"], on_bad_input="skip")
    assert [target.problem for target in found] == [None, "gone.mp4: no such file or folder"]


def test_no_videos_at_all_is_an_error(folder: Path) -> None:
    (folder / "empty").mkdir()
    for policy in ("fail", "skip"):
        with pytest.raises(ReelmakeError, match="no videos found in empty"):
            built("empty", on_bad_input=policy)


def table_of(folder: Path, *lines: str) -> str:
    (folder / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "t.csv"


def names_of(found: list[Target]) -> set[tuple[str, str, str | None]]:
    return {(target.name, target.template, target.language) for target in found}


def test_a_video_with_several_templates_and_languages_is_a_matrix(folder: Path) -> None:
    cells = table_of(
        folder, "video;template;language", 'videos/b.mp4;"summary_report,chinese_transcript";en, fr'
    )
    rows = table_of(
        folder / "videos",
        *("video,template,language", "b.mp4,chinese_transcript,fr", "b.mp4,summary_report,fr"),
        *("b.mp4,chinese_transcript,en", "b.mp4,summary_report,en"),
    )
    expected = {
        (f"b.{language}", template, language)
        for template in ("summary_report", "chinese_transcript")
        for language in ("en", "fr")
    }
    assert names_of(built(cells)) == expected
    assert names_of(built(f"videos/{rows}")) == expected


def test_several_templates_alone_need_no_longer_name(folder: Path) -> None:
    table = table_of(folder, "video,template", "videos/b.mp4,summary_report", "videos/b.mp4,")
    found = built(table, template="comprehensive_lesson")
    assert names_of(found) == {("b", "summary_report", None), ("b", "comprehensive_lesson", None)}


def test_a_further_language_leaves_the_first_report_its_name(folder: Path) -> None:
    table = table_of(folder, "video,language", "videos/b.mp4,", "videos/b.mp4,en")
    assert {target.name for target in built(table)} == {"b", "b.en"}


def test_parts_of_a_video_are_reports_of_their_own(folder: Path) -> None:
    table = table_of(
        folder,
        *("video,start,end", "videos/b.mp4,0:30,2:00", "videos/b.mp4,2:00,", "videos/b.mp4,,"),
    )
    assert {(target.name, target.start_s, target.end_s) for target in built(table)} == {
        ("b 00.30-02.00", 30.0, 120.0),
        ("b 02.00-end", 120.0, None),
        ("b", None, None),
    }


def test_a_video_named_twice_is_built_once(folder: Path) -> None:
    table = table_of(
        folder,
        *("video,name,priority,tags", "videos/b.mp4,Intro,3,x", "./videos/../videos/b.mp4,,,y"),
    )
    found = built(["videos", str(folder / "videos/b.mp4"), table])
    (intro,) = (target for target in found if target.video == "videos/b.mp4")
    assert (intro.name, intro.priority, intro.tags) == ("Intro", 3, ("x",))
    assert len(found) == 3


def test_names_do_not_depend_on_the_order_of_rows(folder: Path) -> None:
    (folder / "b").mkdir()
    (folder / "b/b.mp4").touch()
    rows = [
        *("videos/b.mp4,en,,", "videos/b.mp4,fr,,", "videos/b.mp4,fr,5,", "b/b.mp4,en,,"),
        *("videos/a.MKV,en,,b.fr", "b/b.mp4,,1,"),
    ]
    names = [
        {(t.video, t.language, t.start_s, t.name) for t in built(table_of(folder, head, *order))}
        for head in ["video,language,start,name"]
        for order in (rows, rows[::-1], rows[3:] + rows[:3])
    ]
    assert names[0] == names[1] == names[2]
    assert len({name.casefold() for *_, name in names[0]}) == len(rows)


def test_two_videos_that_are_given_one_name_are_told_apart(folder: Path) -> None:
    rows = ["videos/b.mp4,Intro,", "videos/a.MKV,intro,", "videos/b.mp4,Intro,study_notes"]

    def names(*order: str) -> dict[tuple[str, str], str]:
        found = built(table_of(folder, "video,name,template", *order))
        return {(target.video, target.template): target.name for target in found}

    first, second, third = names(*rows).values()
    assert re.fullmatch("Intro-[0-9a-f]{6}", first)
    assert re.fullmatch("intro-[0-9a-f]{6}", second)
    assert first[-6:] != second[-6:]
    assert third == first
    assert names(*rows) == names(*rows[::-1])


def test_all_problems_of_a_table_are_told_at_once_with_their_lines(folder: Path) -> None:
    table = table_of(
        folder,
        *("video,template,priority,start", "gone.mp4,,,", "videos/b.mp4,summery_report,,"),
        *("videos/b.mp4,,first,", "videos/a.MKV,,later,x", "https://u:p@example.org/x.mp4,,,"),
    )
    with pytest.raises(ReelmakeError) as caught:
        built([table, "missing.mp4"])
    told = caught.value.message.splitlines()[1:]
    assert [line.strip()[:40] for line in told] == [
        "t.csv, line 2: gone.mp4: no such file or",
        "t.csv, line 3: template: there is no 'su",
        "t.csv, line 4: priority: expected a whol",
        "t.csv, line 5: start: expected seconds, ",
        "t.csv, line 6: https://u:p@example.org/x",
        "missing.mp4: no such file or folder",
    ]
    assert "; t.csv, line 5: priority: expected a whole number, found 'later'" in told[3]
    others = built([table, "videos"], on_bad_input="skip")
    assert [target.name for target in others if not target.problem] == ["c"]


def test_patterns_leave_out_videos_and_folders(folder: Path) -> None:
    def kept(*patterns: str) -> list[str]:
        return [target.video for target in built(["videos", "b.txt"], exclude=list(patterns))]

    (folder / "b.txt").write_text("videos/b.mp4\n")
    assert kept("week 2/") == kept("week 2/*") == ["videos/a.MKV", "videos/b.mp4"]
    assert kept("*.mp4") == kept("videos/b.mp4") == ["videos/a.MKV", "videos/week 2/c.webm"]
    assert kept("?.[mM]*") == ["videos/week 2/c.webm"]


def test_what_is_still_being_written_is_left_out(folder: Path) -> None:
    names = ["x.mp4.part", "x.mp4.crdownload", "~$x.mp4", "._x.mp4", "x.part.mp4", "x.temp.mp4"]
    for name in names:
        (folder / "videos" / name).touch()
    assert len(built("videos")) == 3


def test_links_are_followed_and_never_in_circles(folder: Path) -> None:
    (folder / "videos/week 2/again").symlink_to(folder / "videos")
    (folder / "else").mkdir()
    (folder / "else/e.mp4").touch()
    (folder / "videos/linked").symlink_to(folder / "else")
    expected = {"videos/a.MKV", "videos/b.mp4", "videos/week 2/c.webm", "videos/linked/e.mp4"}
    assert {target.video for target in built("videos")} == expected
    assert {target.video for target in built("videos/**/*")} == expected


def test_a_name_that_is_no_utf8_is_told(folder: Path) -> None:
    (folder / "videos" / os.fsdecode(b"caf\xe9.mp4")).touch()
    (bad,) = (target for target in built("videos", on_bad_input="skip") if target.problem)
    assert bad.problem == "videos/caf\\xe9.mp4: a name that is no UTF-8; rename the file"
    assert bad.model_dump_json()


def test_fetched_videos_have_a_safe_place_and_keep_their_source(folder: Path) -> None:
    urls = ["https://example.org/a/..%2f..%2fetc/x%20y.webm?k=1", "youtu.be/dQw4w9WgXcQ"]
    for target in built(urls, download=True, results="out"):
        assert target.source
        assert target.source.startswith("https://")
        path = Path(target.video)
        assert path.parent == Path("out/.reelmake/fetched/web")
        assert re.fullmatch(r"[A-Za-z0-9-]+\.(webm|mp4)", path.name)
    assert all(target.source is None for target in built(urls))
