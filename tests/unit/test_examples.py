"""The examples in docs/ are what the layouts give today."""

import importlib.util

import pytest

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
