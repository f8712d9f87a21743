"""Lists and tables, as people and spreadsheets write them."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.inputs.expand import expand
from reelmake.inputs.mentions import Mention
from reelmake.inputs.tables import TableError, read_table


def mentions(path: Path, content: str | bytes) -> list[Mention]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return expand([str(path)])


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table in a folder of its own, which is not the working directory."""
    (tmp_path / "lists").mkdir()
    monkeypatch.chdir(tmp_path)
    return Path("lists/t.csv")


def test_a_list_holds_paths_and_addresses_comments_and_blank_lines(table: Path) -> None:
    found = mentions(
        table.with_suffix(".txt"),
        "# week 1\r\n\r\na b.mp4\r\n  ../up.mp4  \r\nhttps://example.org/x.mp4\r\nyoutu.be/dQw4w9WgXcQ",
    )
    assert [(mention.video, mention.where) for mention in found] == [
        ("lists/a b.mp4", "lists/t.txt, line 3"),
        ("up.mp4", "lists/t.txt, line 4"),
        ("https://example.org/x.mp4", "lists/t.txt, line 5"),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "lists/t.txt, line 6"),
    ]


def test_a_row_says_all_that_a_table_can_say(table: Path) -> None:
    (found,) = mentions(
        table,
        "Video , NAME,template,language,priority,start,end,tags,Course,empty\n"
        'a.mp4,Intro,"summary_report; chinese_transcript","en, zh-CN",5,1:30,0:10:00,'
        '"x, y; x",Biology,\n',
    )
    assert found == Mention(
        video="lists/a.mp4",
        where="lists/t.csv, line 2",
        name="Intro",
        templates=("summary_report", "chinese_transcript"),
        languages=("en", "zh-CN"),
        priority=5,
        start_s=90.0,
        end_s=600.0,
        tags=("x", "y"),
        extra={"Course": "Biology"},
        explicit=True,
    )


@pytest.mark.parametrize(
    "content",
    [
        "video,name\na.mp4,Größe\n",
        "video;name\r\na.mp4;Größe\r\n",
        "video\tname\na.mp4\tGröße\n",
        "sep=;\nvideo;name\na.mp4;Größe",
        '"sep=;"\nvideo;name\na.mp4;Größe',
        '"video","name"\n"a.mp4","Größe"\n',
        "# made by hand\n\nvideo,name\n# the first\na.mp4,Größe\n",
        "video,name\ra.mp4,Größe\r",
        "name,video,\nGröße,a.mp4,\n,,\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_what_spreadsheets_write_is_read_alike(table: Path, content: str, encoding: str) -> None:
    (found,) = mentions(table, content.encode(encoding))
    assert (found.video, found.name) == ("lists/a.mp4", "Größe")


def test_chinese_spreadsheets_are_read(table: Path) -> None:
    text = "video,name\r\n讲座/第一课.mp4,光合作用\r\n讲座/第二课.mp4,细胞呼吸\r\n"
    found = mentions(table, text.encode("gb18030"))
    assert [mention.name for mention in found] == ["光合作用", "细胞呼吸"]


def test_lines_are_counted_over_line_breaks_in_cells(table: Path) -> None:
    found = mentions(table, 'video,note\na.mp4,"two\nlines"\n\n# c\nb.mp4,x\n')
    assert [mention.where for mention in found] == ["lists/t.csv, line 2", "lists/t.csv, line 6"]
    assert found[0].extra == {"note": "two\nlines"}


def test_a_quoted_cell_may_begin_with_a_hash(table: Path) -> None:
    (found,) = mentions(table, 'video\n"#1.mp4"\n')
    assert found.video == "lists/#1.mp4"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("vidoe,name\na.mp4,x\n", "line 1: has a column 'vidoe'; did you mean 'video'?"),
        ("video,langauge\na.mp4,en\n", "line 1: has a column 'langauge'; did you mean 'language'"),
        ("video,tag\na.mp4,x\n", "line 1: has a column 'tag'; did you mean 'tags'?"),
        ("path,name\na.mp4,x\n", "line 1: has no column 'video' in its header; found 'path'"),
        ("video,Video\na.mp4,x\n", "line 1: has two columns 'video'"),
        ('video,name\na.mp4,"x\nb.mp4,y\n', "line 2: a quoted cell is never closed"),
        (b"PK\x03\x04\x00\x00\xff\xfe\x00", "is no text that can be read; save it as CSV in UTF-8"),
        (b"\xff\xfev\x00i", "is not utf-16 as its first bytes say"),
        ("", "has no column 'video' in its header; found nothing"),
        ("video\n\n# none yet\n", "names no videos"),
    ],
)
def test_a_table_that_can_not_be_read_is_told(
    table: Path, content: str | bytes, problem: str
) -> None:
    (found,) = mentions(table, content)
    assert found.problems[0].message.startswith("lists/t.csv")
    assert problem in found.problems[0].message


@pytest.mark.parametrize("column", ["stars", "length", "id", "title", "speaker", "date"])
def test_other_columns_are_no_slips(table: Path, column: str) -> None:
    (found,) = mentions(table, f"video,{column}\na.mp4,x\n")
    assert found.extra == {column: "x"}


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ("a.mp4,high,,,", "priority: expected a whole number, found 'high'"),
        ("a.mp4,,1:75,,", "start: expected seconds, MM:SS or H:MM:SS, found '1:75'"),
        ("a.mp4,,nan,,", "start: expected seconds, MM:SS or H:MM:SS, found 'nan'"),
        ("a.mp4,,-5,,", "start: expected seconds, MM:SS or H:MM:SS, found '-5'"),
        ("a.mp4,,2:00,1:30,", "end: expected a time after 02:00, found 01:30"),
        ("a.mp4,,,0,", "end: expected a time after 00:00, found 00:00"),
        ("a.mp4,,,,english!", "language: expected a tag such as en or zh-CN, found 'english!'"),
        (",1,,,", "no video: the cell is empty"),
        ("a.mp4,1,,,en,surplus", "6 cells where the header has 5"),
    ],
)
def test_each_cell_that_can_not_be_understood_is_told(
    table: Path, cells: str, problem: str
) -> None:
    (found,) = mentions(table, f"video,priority,start,end,language\n{cells}\n")
    assert found.where == "lists/t.csv, line 2"
    assert problem in found.problems[0].message


def test_lists_mix_all_kinds_and_tell_what_they_say_of_it(table: Path) -> None:
    folder = table.parent
    (folder / "week").mkdir()
    for name in ("week/a.mp4", "week/b.mkv", "c.mp4"):
        (folder / name).touch()
    (folder / "inner.txt").write_text("c.mp4\n")
    found = mentions(
        table, "video,tags\nweek,w\n*.mp4,g\ninner.txt,i\nhttps://example.org/x.mp4,u\n"
    )
    assert [(mention.video, mention.tags) for mention in found] == [
        ("lists/week/a.mp4", ("w",)),
        ("lists/week/b.mkv", ("w",)),
        ("lists/c.mp4", ("g",)),
        ("lists/c.mp4", ("i",)),
        ("https://example.org/x.mp4", ("u",)),
    ]


def test_lists_that_name_each_other_end(table: Path) -> None:
    (table.parent / "b.txt").write_text("t.csv\n")
    (found,) = mentions(table, "video\nb.txt\n")
    assert "names itself" in found.problems[0].message


def test_one_name_for_many_videos_is_told(table: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        (table.parent / name).touch()
    (found,) = mentions(table, "video,name\n*.mp4,x\n")
    assert "name: one name, but *.mp4 leads to 2 videos" in found.problems[0].message


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20)


@given(st.lists(st.tuples(cells, cells), max_size=6), st.sampled_from(",;\t|"))
def test_any_cells_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("video", "Note"), *rows])
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(text.getvalue().encode())
    found = [(row.cells.get("video", ""), row.cells.get("Note", "")) for row in read_table(path)]
    assert found == [
        (video.strip(), note.strip()) for video, note in rows if video.strip() or note.strip()
    ]


@given(st.binary(max_size=200), st.sampled_from([".csv", ".tsv", ".txt"]))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"bytes{suffix}"
    path.write_bytes(content)
    try:
        rows = list(read_table(path))
    except TableError:
        return
    assert all(row.line > 0 for row in rows)
