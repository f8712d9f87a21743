"""The examples in docs/ are what the layouts give today, and nothing in them leads nowhere."""

import importlib.util
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

from reelmake.templates import PROJECT, available_templates

EXAMPLES = PROJECT / "docs/examples"
spec = importlib.util.spec_from_file_location("make_examples", PROJECT / "demo/make_examples.py")
assert spec
assert spec.loader
make_examples = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make_examples)


@pytest.mark.parametrize("name", available_templates([PROJECT / "templates"]))
def test_an_example_is_in_step(name: str) -> None:
    text = (EXAMPLES / f"{name}.md").read_text(encoding="utf-8")
    assert text == make_examples.example(name), "run demo/make_examples.py"


@pytest.mark.parametrize("file", [*EXAMPLES.glob("*.md"), *(PROJECT / "docs").glob("*.md")])
def test_every_link_and_picture_in_docs_resolves(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    tokens = MarkdownIt("commonmark").parse(text)
    inside = [child for token in tokens for child in token.children or []]
    links = [child.attrs.get("href") or child.attrs.get("src") for child in inside]
    for link in (unquote(str(link)) for link in links if link):
        assert "://" in link or (file.parent / link.partition("#")[0]).exists(), link
