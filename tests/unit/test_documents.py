"""Links in all Markdown lead somewhere, the contents page names every page, and YAML is valid."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin

from reelmake.config import Config, load_config
from reelmake.templates import PROJECT

DOCS = PROJECT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
LEFT_OUT = {".venv", ".git", "results", "node_modules", ".pytest_cache"}
DOCUMENTS = sorted(
    file
    for pattern in ("*.md", "docs/**/*.md", ".github/**/*.md", "tests/**/*.md")
    for file in PROJECT.glob(pattern)
    if not LEFT_OUT & set(file.relative_to(PROJECT).parts)
)


@cache
def links_and_anchors(file: Path) -> tuple[list[str], set[str]]:
    """All that it links to or shows, and the anchors of its headings, as GitHub makes them."""
    markdown = MarkdownIt("commonmark").enable("table").use(anchors_plugin, max_level=6)
    tokens = markdown.parse(file.read_text(encoding="utf-8"))
    inside = [child for token in tokens for child in token.children or []]
    links = [child.attrs.get("href") or child.attrs.get("src") for child in inside]
    anchors = {str(token.attrs["id"]) for token in tokens if "id" in token.attrs}
    return [unquote(str(link)) for link in links if link], anchors


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(PROJECT)))
def test_every_link_leads_somewhere(file: Path) -> None:
    for link in links_and_anchors(file)[0]:
        if "://" in link:
            assert link.startswith("https://"), link
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), link
        if target.suffix == ".md":
            assert not anchor or anchor in links_and_anchors(target)[1], link


def test_the_contents_page_names_every_page() -> None:
    links = {link.partition("#")[0] for link in links_and_anchors(DOCS / "README.md")[0]}
    assert {page.name for page in PAGES} - {"README.md"} <= links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_configurations_that_are_shown_are_valid(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        shown = yaml.safe_load(block)
        assert set(shown) <= set(Config.model_fields), block
        load_config({"videos": "videos"} | shown)


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(PROJECT)))
def test_files_of_the_tree_that_are_named_are_there(file: Path) -> None:
    folders = "benchmarks|demo|tests|scripts|rules|requirements|schemas"
    ours = rf"`[^`\n]*?\b((?:{folders})/[\w./-]+\w)[^`\n]*`"
    for path in re.findall(ours, file.read_text(encoding="utf-8")):
        made_by_runs = path.startswith("demo/results")
        assert made_by_runs or (PROJECT / path).exists(), path
