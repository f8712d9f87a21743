"""Tables, names and addresses of any kind: they work, or are told with their place."""

import random
from os.path import expanduser, isdir
from pathlib import Path
from typing import Any

import pytest

from hostile_words import AWKWARD, text, told
from reelmake.config import Config
from reelmake.connections import checked
from reelmake.errors import ReelmakeError
from reelmake.inputs.table import targets, video_table
from reelmake.markdown import front_matter
from reelmake.targets import Target


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.mp4").write_bytes(b"not looked into here")
    return tmp_path


def table_of(videos: Any, **settings: Any) -> list[Target]:
    config = Config.model_validate({"videos": videos, "on_bad_input": "skip", **settings})
    rows = list(targets(video_table(config, probe=False)).values())
    for row in rows:
        assert row.name
        assert "/" not in row.name
        assert row.name.isprintable()
        assert len(row.name.encode()) < 255
        assert Target.model_validate_json(row.model_dump_json()) == row
        front_matter(row.extra)
        if row.problem:
            told(ReelmakeError(row.problem_code or "row_unusable", row.problem))
    assert len({row.key for row in rows}) == len(rows)
    return rows


@pytest.mark.parametrize("seed", range(40))
def test_a_table_of_anything_is_read_or_told_of(folder: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    columns = ["video", "name", "template", "language", "priority", "start", "end", "tags", "words"]
    header = chance.sample(columns, chance.randint(1, len(columns)))
    if chance.random() < 0.3:
        header.append(text(chance))
    quoted = chance.random() < 0.6
    lines = [header, *([text(chance) for _ in header] for _ in range(6))]
    for line in lines[1:4]:
        if "video" in header:
            line[header.index("video")] = "good.mp4"
    written = "\n".join(
        ",".join('"' + cell.replace('"', '""') + '"' if quoted else cell for cell in line)
        for line in lines
    )
    file = folder / chance.choice(["t.csv", "t.tsv", "t.txt"])
    data = bytearray(written.encode("utf-8", "surrogatepass"))
    if chance.random() < 0.3:
        data[chance.randrange(len(data))] = chance.randrange(256)
    file.write_bytes(data)
    try:
        table_of(file.name, template="summary_report")
    except ReelmakeError as error:
        told(error, file.name)
    assert not (folder / "owned").exists()


@pytest.mark.parametrize("seed", range(30))
def test_entries_of_anything_are_read_or_told_of(folder: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    written = (text(chance) for _ in range(4))
    paths = (entry for entry in written if not isdir(expanduser(entry)))  # noqa: PTH111, PTH112  bare
    entries = [path for path in paths if path and "**" not in path]  # nor all of this disk
    try:
        table_of([*entries, "good.mp4"])
    except ReelmakeError as error:
        told(error)


def test_files_of_any_name_are_found(folder: Path) -> None:
    names = {part.replace("/", "-").replace("\0", "")[:60] for part in AWKWARD}
    for name in sorted(names):
        if not name.startswith((".", "~")):
            (folder / f"{name}.mp4").write_bytes(b"")
    (folder / ("y" * 251 + ".mp4")).write_bytes(b"")
    (folder / "circle.mp4").symlink_to("circle.mp4")
    rows = table_of(str(folder))
    hidden, circle = 1, 1
    assert len(rows) == len(list(folder.glob("*.mp4"))) - hidden - circle


def test_lists_that_name_lists_without_end_are_told_of(folder: Path) -> None:
    for number in range(30):
        (folder / f"{number}.txt").write_text(f"{number + 1}.txt\n")
    (row,) = table_of("0.txt")
    assert "20 deep" in (row.problem or "")


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "data:video/mp4;base64,AAAA",
        "ftp://host/a.mp4",
        "https://user@host/a.mp4",
        "https://user:word@host/a.mp4",
        "https://host:99999/a.mp4",
        "https://host:x/a.mp4",
        "https:///a.mp4",
        "https://[::1/a.mp4",
        "https://ho st/a.mp4",
        "https://host/a\r\nX: y",
        "https://" + "a" * 100_000,
        "https://\u202ehost/a.mp4",
        "javascript://%0aalert(1)",
        "HTTPS://",
    ],
)
def test_an_address_is_taken_as_it_is_or_told_of(address: str, folder: Path) -> None:
    for download in (False, True):
        try:
            rows = table_of([address], download=download)
        except ReelmakeError as error:
            told(error)
        else:
            assert all(row.problem or row.video.startswith(("https", "results")) for row in rows)
    try:
        parts = checked(address)
    except ReelmakeError as error:
        told(error)
    else:
        assert parts.scheme == "https"
        assert parts.path.isascii()
