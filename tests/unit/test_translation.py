"""What is said in other languages: chosen by the locale, complete, and with nothing left over."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
import yaml
from jinja2 import Environment
from jinja2.nodes import Call, Const, Getattr, Name

from reelmake.analysis import Notice
from reelmake.errors import Kind
from reelmake.notices import TEXTS, notice, told
from reelmake.planning.reasons import Reason
from reelmake.runs.record import Ending
from reelmake.translation import ENGLISH, most_of, say_in, say_on_terminal

SCRIPTS = Path(__file__).parents[2] / "scripts"
PACKAGE = SCRIPTS / "reelmake"
CHINESE: Mapping[str, str] = yaml.safe_load(
    (PACKAGE / "translations/zh-CN.yaml").read_text(encoding="utf-8")
)

PLACES = {
    "say": (0,),
    "_say": (0,),
    "say_on_terminal()": (0,),
    "translatable": (0,),
    "_found": (1, 2),
}
"""Which arguments of a function are texts."""
CODE = re.compile(r"`[^`]+`")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "zh_TW"}, "zh-CN"),
        ({"LANG": "zh"}, "zh-CN"),
        ({"LANG": "ZH_CN.utf8@pinyin"}, "zh-CN"),
        ({"LANG": "zha_CN.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": ""}, "zh-CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.GB18030"}, "zh-CN"),
        ({"LANG": "en_US.UTF-8", "LC_CTYPE": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_terminal_speaks_the_language_of_the_locale(
    environment: dict[str, str], language: str
) -> None:
    assert say_on_terminal(environment).language == language


@pytest.mark.parametrize(
    ("languages", "language"),
    [
        ([], "en"),
        (["zh-CN"], "zh-CN"),
        (["zh", "zh-Hans", "en"], "zh-CN"),
        (["en", "fr", "zh-CN"], "en"),
    ],
)
def test_a_page_about_many_reports_speaks_as_most_of_them(
    languages: list[str], language: str
) -> None:
    assert most_of(languages) == language


@pytest.mark.parametrize("number", [0, 1, 2, 1200])
def test_only_english_tells_one_from_many(number: int) -> None:
    texts = ("{count:,} retry", "{count:,} retries", number)
    assert ENGLISH.count(*texts) == (f"{number:,} retry" if number == 1 else f"{number:,} retries")
    assert say_in("zh").count(*texts) == CHINESE[texts[1]].format(count=number)


def texts_in_python(source: str) -> Iterator[str]:
    """What is said, or marked to be said later."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func).split(".")
        if called[-1] in PLACES:
            chosen = [node.args[place] for place in PLACES[called[-1]] if place < len(node.args)]
            for text in chosen:
                either = [text.body, text.orelse] if isinstance(text, ast.IfExp) else [text]
                yield from (
                    ast.literal_eval(part) for part in either if isinstance(part, ast.Constant)
                )
        elif called[-2:] == ["say", "count"]:
            one, many = (ast.literal_eval(text) for text in node.args[:2])
            assert placeholders(one) == placeholders(many) or "next day" in one
            yield many


def texts_in_pages(source: str) -> Iterator[str]:
    for call in Environment(autoescape=True).parse(source).find_all(Call):
        function = call.node
        if (
            isinstance(function, Name)
            and function.name == "say"
            and isinstance(call.args[0], Const)
        ):
            yield call.args[0].value
        elif isinstance(function, Getattr) and function.attr == "count":
            assert isinstance(call.args[1], Const)
            yield call.args[1].value


def texts() -> set[str]:
    found: set[str] = {*Kind, *Reason, *TEXTS.values()} - {Reason.NONE}
    found |= set(get_args(Ending)) - {"running", "complete", "failures"}  # which pages don't name
    failures = yaml.safe_load((PACKAGE / "failures.yaml").read_text(encoding="utf-8"))
    found |= {failure["hint"] for failure in failures.values()}
    for path in SCRIPTS.rglob("*.py"):
        found |= set(texts_in_python(path.read_text(encoding="utf-8")))
    for path in (PACKAGE / "web").glob("*.j2"):
        found |= set(texts_in_pages(path.read_text(encoding="utf-8")))
    return found


def placeholders(text: str) -> set[tuple[str, str | None]]:
    return {(name, spec) for _, name, spec, _ in Formatter().parse(text) if name is not None}


def test_all_that_is_said_is_translated_and_nothing_else() -> None:
    said = texts()
    assert sorted(said - set(CHINESE)) == []
    assert sorted(set(CHINESE) - said) == []


@pytest.mark.parametrize("text", CHINESE)
def test_a_translation_keeps_values_and_code_and_has_chinese_punctuation(text: str) -> None:
    translation = CHINESE[text]
    assert placeholders(translation) == placeholders(text)
    assert set(CODE.findall(translation)) == set(CODE.findall(text))
    assert not re.search(r"[\u4e00-\u9fff][,;:()]", translation)


def test_a_notice_is_told_anew_in_chinese_and_as_it_was_written_by_another_version() -> None:
    made = notice("times_clamped", count=3)
    assert told(made, ENGLISH) == made.message == TEXTS["times_clamped"].format(count=3)
    assert told(made, say_in("zh-CN")) == CHINESE[TEXTS["times_clamped"]].format(count=3)
    for other in (
        Notice(code="times_clamped", message="3 times were moved."),
        Notice(code="of_another_version", message="3 times were moved."),
    ):
        assert told(other, say_in("zh-CN")) == "3 times were moved."


def test_tables_are_shown_on_a_terminal_whose_encoding_lacks_some_signs() -> None:
    program = "from reelmake.planning.tables import show; show('光合作用 \\U0001f331 – 失败')"
    encoding = {**os.environ, "PYTHONPATH": str(SCRIPTS), "PYTHONIOENCODING": "gbk:strict"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=encoding, capture_output=True, check=True
    )
    assert done.stdout.decode("gbk").strip() == "光合作用 \\U0001f331 – 失败"
