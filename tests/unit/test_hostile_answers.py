"""Answers of any kind: they are taken, and then fit to be written, or refused for a reason."""

import json
import random
import string
from typing import Any

import pytest

from hostile_words import text, told
from reelmake.gemini.checked import InvalidAnswer, Window
from reelmake.gemini.validation import check_answer
from reelmake.samples import sample_value
from reelmake.templates import load_template


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
