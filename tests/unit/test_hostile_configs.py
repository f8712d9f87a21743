"""Configurations and templates of any kind: they work, or are told with their place."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from snakemake.common.configfile import load_configfile
from snakemake_interface_common.exceptions import WorkflowError

from hostile_words import LAUGHS, told
from reelmake.config import Config, GeminiSettings, load_config
from reelmake.errors import ReelmakeError
from reelmake.templates import PROJECT, load_template

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


def test_a_configuration_makes_no_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is Snakemake that reads it."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "my.yaml"
    file.write_text("videos: !!python/object/apply:os.system [touch owned]")
    with pytest.raises(WorkflowError, match="not valid JSON or YAML"):
        load_configfile(str(file))  # type: ignore[no-untyped-call]
    assert not (tmp_path / "owned").exists()


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


# The limit of time may be reached in a finaliser of another library's.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
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
