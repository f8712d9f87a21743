"""What people and strangers write: it works, or it is told where it is wrong. Never anything else.

Each generator is seeded; a failure names the case that it came from.
"""

import json
import os
import random
import string
from os.path import expanduser, isdir
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from reelmake.config import Config, GeminiSettings, load_config
from reelmake.connections import checked
from reelmake.errors import ReelmakeError
from reelmake.gemini.validation import InvalidAnswer, Window, check_answer
from reelmake.inputs import targets, video_table
from reelmake.markdown import front_matter
from reelmake.targets import Target
from reelmake.templates import PROJECT, load_template

AWKWARD = [
    "",
    " ",
    "'",
    '"',
    '""',
    "\n",
    "\r",
    "\t",
    "\0",
    "\x1b[2J\x1b]0;owned\x07",
    "-rf",
    "--help",
    "$(touch owned)",
    "`touch owned`",
    "{video}",
    "{{ 7 * 7 }}",
    "%s%n",
    "../../etc/passwd",
    "/etc/passwd",
    "~root",
    "~",
    "C:\\con",
    "CON",
    "nul.mp4",
    ".",
    "..",
    "a/../b.mp4",
    "*",
    "[a-",
    "**/**",
    "\u202e4pm.exe",
    "\ufeff",
    "\u2028",
    "e\u0301",
    "é",
    "名前",
    "😀",
    "#",
    "a,b;c|d",
    "=1+1",
    "x" * 255,
    "長" * 300,
    "9" * 400,
    "9" * 5000,
    "9" * 400 + ":00:00",
    "1e999",
    "nan",
    "-1",
    "0:00",
    "99:99:99",
    "true",
    "null",
    "://",
    "http://",
    "https://[",
    "https://a b",
    "https://youtu.be/" + "x" * 11,
    "<script>alert(1)</script>",
    "good.mp4",
    "a.mp4",
    "\U000e0001",
]


def text(chance: random.Random) -> str:
    return "".join(chance.choice(AWKWARD) for _ in range(chance.randint(1, 3)))


def told(error: ReelmakeError, place: str = "") -> None:
    """It names the place; a terminal can show it as it is; and it is no book."""
    assert place in error.message
    assert all(line.isprintable() for line in error.message.split("\n")), repr(error.message)
    assert len(error.message) < 10_000


# --- tables and names


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


# --- configurations

LAUGHS = "\n".join(
    [
        "a0: &a0 [x, x]",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)),
    ]
)
STRANGE: list[Any] = [
    None,
    True,
    -1,
    0,
    10**400,
    1e308,
    float("inf"),
    float("nan"),
    "x" * 100_000,
    "\x1b[2J",
    [],
    {},
    [[]],
    {"a": {"b": []}},
    [None],
    {1: 2},
    {"": ""},
    b"bytes",
    yaml.safe_load("2001-01-01"),
    set("a"),
]


def keys_of_config() -> list[tuple[str, ...]]:
    sections: dict[tuple[str, ...], type[BaseModel]] = {(): Config, ("gemini",): GeminiSettings}
    return [(*path, key) for path, section in sections.items() for key in section.model_fields]


def test_any_value_at_any_key_works_or_is_told_with_its_key() -> None:
    for path in keys_of_config():
        for value in STRANGE:
            values: dict[str, Any] = {"videos": "x"}
            inner = values
            for key in path[:-1]:
                inner = inner.setdefault(key, {})
            inner[path[-1]] = value
            try:
                config = load_config(values)
                assert value not in (10**400, 1e308), path
            except ReelmakeError as error:
                told(error, path[-1])
            else:  # what is taken reaches the jobs as it is
                assert Config.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    "written",
    [
        LAUGHS + "\nvideos: *a39",
        LAUGHS + "\nvideos: x\nnotify: *a39",
        "videos: &v [*v]",
        "videos: x\ngemini: &g {model: *g}",
        "videos: x\nparameters: {a: {b: &b [*b]}}",
    ],
)
def test_aliases_that_multiply_or_go_in_circles_are_refused(written: str, tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(written)
    with pytest.raises(ReelmakeError) as caught:
        load_config(yaml.safe_load(written), [file])
    told(caught.value)


# --- addresses


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


# --- templates

TEMPLATE = {
    "template.yaml": "description: x\nlanguage: en\nuses: [overview]\n",
    "prompt.md.j2": "Say it in {{ language_name }}.\n",
    "report.md.j2": "{{ overview|paragraphs }}\n",
}
BROKEN: list[tuple[str, str]] = [
    ("report.md.j2", "{{ ''.__class__.__mro__[1].__subclasses__() }}"),
    ("report.md.j2", "{{ overview.__init__.__globals__ }}"),
    ("report.md.j2", "{{ cycler.__init__.__globals__.os.popen('id').read() }}"),
    ("prompt.md.j2", "{{ lipsum.__globals__['os'] }}"),
    ("prompt.md.j2", "{{ language|attr('__class__') }}"),
    ("prompt.md.j2", "{{ '{0.__class__}'.format(language) }}"),
    ("report.md.j2", "{% for a in range(10 ** 12) %}x{% endfor %}"),
    (
        "report.md.j2",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    ),
    (
        "prompt.md.j2",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    ),
    ("prompt.md.j2", "{{ 9 ** (9 ** 9) }}"),
    ("prompt.md.j2", "{{ 'x' * 10 ** 12 }}"),
    ("prompt.md.j2", "{{ ([0] * 10 ** 12)|length }}"),
    ("report.md.j2", "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}"),
    ("report.md.j2", "{% include 'report.md.j2' %}"),
    ("prompt.md.j2", "{% include '../../../etc/passwd' %}"),
    ("prompt.md.j2", "{% include '/etc/passwd' %}"),
    ("prompt.md.j2", "{% include 'link.md' %}"),
    ("prompt.md.j2", "{% include 'huge.md' %}"),
    ("prompt.md.j2", "{% include 'pipe.md' %}"),
    ("prompt.md.j2", "{% import 'os' as os %}"),
    ("prompt.md.j2", "{% for %}"),
    ("report.md.j2", "{{ 1 / 0 }}"),
    ("report.md.j2", "{{ " + "(" * 5000 + " }}"),
    ("prompt.md.j2", "\xff\xfe"),
    ("template.yaml", LAUGHS + "\ndescription: *a39\nlanguage: en\nuses: []"),
    ("template.yaml", "description: &d [*d]\nlanguage: en\nuses: []"),
    ("template.yaml", "description: !!python/object/apply:os.system [id]\nlanguage: en\nuses: []"),
    ("template.yaml", "[" * 5000),
    ("template.yaml", "description: 2001-99-99\nlanguage: en\nuses: []"),
    ("template.yaml", "description: !!timestamp x\nlanguage: en\nuses: []"),
    ("template.yaml", "description: !!bool x\nlanguage: en\nuses: []"),
    ("template.yaml", "description: !!int ''\nlanguage: en\nuses: []"),
    ("template.yaml", "description: " + "9" * 5000 + "\nlanguage: en\nuses: []"),
    ("template.yaml", "x" * 2_000_000),
    ("fields.schema.yaml", "type: object\nproperties: &p {a: {type: object, properties: *p}}"),
    ("fields.schema.yaml", "[]"),
    ("fields.schema.yaml", "type: object\nproperties: {a: {type: array, items: " * 400),
]


@pytest.mark.parametrize(("file", "written"), BROKEN, ids=range(len(BROKEN)))
def test_a_template_that_wants_out_or_never_ends_is_refused_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, written: str
) -> None:
    monkeypatch.setattr("reelmake.templates.LONGEST_CHECK_S", 1.0)
    folder = tmp_path / "templates" / "mine"
    folder.mkdir(parents=True)
    for name, content in {**TEMPLATE, file: written}.items():
        (folder / name).write_text(content, encoding="latin-1")
    (tmp_path / "secret").write_text("a secret")
    (folder / "link.md").symlink_to(tmp_path / "secret")
    (folder / "huge.md").write_bytes(b"x" * 2_000_000)
    os.mkfifo(folder / "pipe.md")
    with pytest.raises(ReelmakeError) as caught:
        load_template("mine", [tmp_path / "templates", PROJECT / "templates"])
    assert caught.value.code == "template_invalid"
    told(caught.value, "mine")
    assert "secret" not in caught.value.message


def test_the_template_that_the_broken_ones_are_made_of_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "mine"
    folder.mkdir(parents=True)
    for name, content in TEMPLATE.items():
        (folder / name).write_text(content)
    assert load_template("mine", [tmp_path / "templates", PROJECT / "templates"]).name == "mine"


@pytest.mark.parametrize("kind", ["folder", "dangling", "pipe"])
def test_a_folder_without_a_readable_template_is_none(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "mine" / "template.yaml"
    file.parent.mkdir()
    {
        "folder": Path.mkdir,
        "dangling": lambda path: path.symlink_to("gone"),
        "pipe": os.mkfifo,
    }[kind](file)
    with pytest.raises(ReelmakeError, match="there is no template 'mine'"):
        load_template("mine", [tmp_path])


# --- answers


def value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(9 if depth < 4 else 6)
    if kind == 6:
        return [value(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    if kind >= 7:
        names = ("title", "time", "start", "end", "text", "summary", "speaker", "x")
        return {name: value(chance, depth + 1) for name in chance.sample(names, 4)}
    if kind == 0:
        return text(chance)
    return chance.choice(
        [None, True, -1, 10**30, 1.5, "00:05", "5", "99:00", "[00:01]", "\ud800", "\0", "NaN"]
    )


def mutated(answer: Any, chance: random.Random) -> Any:
    """The answer, with something else in a place or two."""
    if isinstance(answer, dict) and answer and chance.random() < 0.85:
        key = chance.choice(sorted(answer))
        return {**answer, key: mutated(answer[key], chance)}
    if isinstance(answer, list) and answer and chance.random() < 0.85:
        at = chance.randrange(len(answer))
        return [*answer[:at], mutated(answer[at], chance), *answer[at + 1 :]]
    return value(chance)


def judged(text: str) -> None:
    """Either taken, and then fit to be written; or refused for a reason."""
    template = load_template("comprehensive_lesson")
    answer = {"candidates": [{"finish_reason": "STOP", "content": {"parts": [{"text": text}]}}]}
    window = Window("en", 0.0, 60.0)
    try:
        found = check_answer(answer, template.answer_schema(), window, with_video=True)
    except InvalidAnswer as error:
        told(error)
    else:
        json.dumps(found.content, allow_nan=False).encode("ascii")


def good_answer() -> dict[str, Any]:
    from reelmake.samples import sample_value  # noqa: PLC0415

    found: dict[str, Any] = sample_value(load_template("comprehensive_lesson").answer_schema())
    return found


def test_any_answer_is_taken_or_refused() -> None:
    chance = random.Random(3)  # noqa: S311
    good = good_answer()
    for _ in range(250):
        answer = good
        for _ in range(chance.randint(1, 3)):
            answer = mutated(answer, chance)
        written = json.dumps(answer)
        if chance.random() < 0.2:
            at = chance.randrange(len(written))
            written = written[:at] + chance.choice(string.printable) + written[at + 1 :]
        judged(written)


@pytest.mark.parametrize(
    "written",
    [
        "[" * 100_000,
        '{"title":' * 100_000,
        *('{"chapters": ' + "[" * depth + "]" * depth + "}" for depth in (100, 300, 480, 700, 950)),
        '{"title": ' + "9" * 100_000 + "}",
        '{"title": NaN}',
        '{"title": 1e999}',
        '{"title": "' + "x" * 5_000_000 + '"}',
        '{"title": "a", "title": "b"}',
        "\ufeff{}",
        "null",
        "```json\n```",
    ],
)
def test_an_answer_of_absurd_form_is_refused(written: str) -> None:
    judged(written)
