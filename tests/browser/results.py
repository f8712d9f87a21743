"""A results folder as runs leave it: done, failed, missing, edited, with warnings, hostile."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reelmake.analysis import Analysis, Engine, Passage, VideoFacts, read_analysis, write_analysis
from reelmake.edits import signed, write_report
from reelmake.index import write_index
from reelmake.jobs import Failure
from reelmake.pages import write_report_page
from reelmake.report import render_report
from reelmake.results import Results
from reelmake.templates import PROJECT, load_template

HOSTILE = (
    "<img src=x onerror=alert(1)><script>alert(2)</script></script> ' \" --> ]]> {{ 7 }} \u202egpj"
)


def add_report(root: Path, name: str, template: str = "summary_report", **values: Any) -> Path:
    """An analysis with its report and page; tags and link go into the report."""
    results = Results(root)
    tags, source_link = values.pop("tags", []), values.pop("source_link", None)
    analysis = Analysis.model_validate(
        {
            "name": name,
            "template": template,
            "language": "en",
            "engine": Engine(name="gemini", model="gemini-3.5-flash-lite", version="001"),
            "video": VideoFacts(source=f"https://videos.example/{name}", duration_s=83.4),
            "title": f"About {name}",
            "overview": "What it is about.",
            "created": "2026-11-24T12:00:00+00:00",
            **values,
        }
    )
    write_analysis(analysis, results.analysis(template, name))
    report = results.report(template, name)
    text = render_report(
        read_analysis(results.analysis(template, name)),
        load_template(template, [PROJECT / "templates"]),
        source_link=source_link,
        frames=[],
        tags=tags,
        extra={},
    )
    write_report(report, signed(text))
    page = report.with_name(f"{name}.html")
    write_report_page(report, page, index=root / "index.html")
    return report


def add_failure(root: Path, name: str, message: str, template: str = "summary_report") -> None:
    failure = Failure(
        video=name,
        template=template,
        kind="invalid_input",
        code="video_unreadable",
        message=message,
        hint="Check that it plays, or take it out of `videos:`.",
        attempts=1,
        log="logs/x.log",
    )
    record = Results(root).failure(template, name)
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(asdict(failure)), encoding="utf-8")


def said(text: str) -> list[Passage]:
    return [Passage(start_s=0, end_s=60, text=text)]


def write_page(
    root: Path,
    targets: list[tuple[str, str]],
    digests: Sequence[str] = (),
    language: str = "en",
) -> str:
    """The address of the index of these reports."""
    write_index(root, targets, digests=digests, language=language)
    return (root / "index.html").as_uri()
