"""What Gemini writes about a group of reports, from their analyses alone."""

import re
from collections.abc import Iterator, Sequence
from functools import cache, partial
from typing import Any

from reelmake.analysis import Analysis
from reelmake.config import GeminiSettings
from reelmake.digests import Summary, Thread
from reelmake.gemini.asking import Asker
from reelmake.gemini.calling import Bill, Source
from reelmake.gemini.checked import Window
from reelmake.gemini.request import Request
from reelmake.gemini.validation import check_answer
from reelmake.pricing import cost_usd
from reelmake.template_files import read_yaml
from reelmake.templates import PROJECT, language_name, prompt_environment

_FOLDER = PROJECT / "templates" / "_digest"
# About 600,000 tokens of Chinese, fewer of English; models take a million.
_LONGEST_PROMPT = 600_000


async def summarise(
    title: str,
    analyses: Sequence[Analysis],
    language: str,
    *,
    asker: Asker,
    settings: GeminiSettings,
) -> Summary:
    """Find in the store, or buy, what is common to them. Raises ReelmakeError.

    Their order does not matter to what is asked, only to the numbers in what is returned.
    """
    order = sorted(range(len(analyses)), key=lambda i: (analyses[i].template, analyses[i].name))
    request = Request(
        model=settings.model,
        prompt=_prompt(title, [analyses[i] for i in order], language),
        schema=_schema(),
    )
    check = partial(check_answer, schema=request.schema, window=Window(language), with_video=False)
    bill = Bill()
    checked = await asker.ask(request, Source(f"digest:{request.key}"), check, bill)
    (stored,) = bill.answers.values()
    usage = stored.answer.get("usage_metadata", {})
    return Summary(
        overview=checked.content["overview"],
        threads=[
            Thread(
                title=thread["title"],
                summary=thread["summary"],
                members=sorted({order[i - 1] for i in thread["videos"] if 1 <= i <= len(order)}),
            )
            for thread in checked.content["threads"]
        ],
        model=stored.answer.get("model_version", settings.model),
        cost_usd=cost_usd(stored.request["model"], usage, tier=stored.request["tier"]),
    )


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = read_yaml(_FOLDER / "answer.schema.yaml")
    return schema


def _prompt(title: str, analyses: Sequence[Analysis], language: str) -> str:
    """With as much of each report as all of them leave room for."""
    template = prompt_environment((_FOLDER,)).get_template("prompt.md.j2")
    prompt = ""
    for most_lines in (None, 12, 1, 0):
        notes = [
            {"title": one.title or one.name, "lines": list(_lines(one))[:most_lines]}
            for one in analyses
        ]
        text = template.render(
            title=title,
            count=len(notes),
            notes=notes,
            language=language,
            language_name=language_name(language),
        )
        prompt = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
        if len(prompt) <= _LONGEST_PROMPT:
            break
    return prompt


def _lines(analysis: Analysis) -> Iterator[str]:
    """What a report says, the most important first; each in one line."""
    texts = [
        analysis.overview,
        *(point.text for point in analysis.key_points),
        *(f"{part.title}: {part.summary}" for part in analysis.chapters),
        *(f"{term.term}: {term.explanation}" for term in analysis.terms if term.explanation),
    ]
    return (" ".join(text.split()) for text in texts if text.strip())
