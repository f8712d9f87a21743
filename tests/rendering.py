"""Analyses with all that there can be, or as little, and what reports are made of them."""

import re
from typing import Any

import yaml
from markdown_it import MarkdownIt

from reelmake.analysis import (
    Analysis,
    Chapter,
    Engine,
    KeyMoment,
    KeyPoint,
    Passage,
    Term,
    Usage,
    VideoFacts,
)
from reelmake.report import Picture, render_report
from reelmake.templates import PROJECT, load_template

NAMES = [
    "chinese_transcript",
    "comprehensive_lesson",
    "meeting_minutes",
    "study_notes",
    "summary_report",
]
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
FIELDS: dict[str, dict[str, Any]] = {
    "chinese_transcript": {
        "learned": ["我学到了负梯度。"],
        "understanding": "像下山。\n\n一步一步。",
        "take_away": ["明天试 0.1。"],
    },
    "comprehensive_lesson": {
        "audience": "Beginners.",
        "objectives": ["Explain descent."],
        "demonstrations": [{"time": "01:23", "shown": "A ball rolls.", "teaches": "Steps."}],
        "opening": "A question.",
        "conclusion": "An answer.",
        "outcomes": [{"outcome": "Can compute a step.", "check": "Compute one."}],
        "activities": [{"title": "Try it", "task": "Alone.\n\nThen in pairs.", "minutes": 10}],
        "further_reading": [{"topic": "Momentum", "why": "Faster."}],
    },
    "meeting_minutes": {
        "participants": ["Ada (chair)"],
        "decisions": [{"decision": "We ship it.", "reason": "It works.", "time": "01:23"}],
        "actions": [
            {"action": "Write the note.", "owner": "Ada", "due": "Friday", "time": "01:23"}
        ],
        "open_questions": [{"question": "Who pays for it?", "time": "01:23"}],
    },
    "study_notes": {
        "questions": [{"question": "Why go down?", "answer": "To be low.", "time": "01:23"}],
        "flashcards": [{"front": "The way down?", "back": "Against it.", "time": "01:23"}],
    },
    "summary_report": {"conclusion": "It converges."},
}


def rich(template: str, **changes: Any) -> Analysis:
    """What Gemini gives for a long lecture."""
    values: dict[str, Any] = {
        "name": "descent",
        "template": template,
        "language": "zh-CN" if template == "chinese_transcript" else "en",
        "engine": Engine(name="gemini", model="gemini-x", version="gemini-x-001"),
        "video": VideoFacts(source="videos/a b.mp4", sha256="ab" * 32, duration_s=4000.4),
        "title": "Gradient Descent",
        "overview": "First.\n\nSecond.",
        "chapters": [Chapter(start_s=0, end_s=83, title="Start", summary="It begins.")],
        "transcript": [
            Passage(
                start_s=60 * i,
                end_s=60 * i + 59,
                text=f"第 {i} 段。" * 40,
                speaker="甲" if i < 20 else "乙",
                doubtful=i == 3,
            )
            for i in range(60)
        ],
        "key_points": [KeyPoint(time_s=83.4, text="A point.")],
        "key_moments": [
            KeyMoment(time_s=83.9, why="The curve.", shown="A curve"),
            KeyMoment(time_s=3723, why="The end.", shown="The end"),
        ],
        "terms": [
            Term(term="Gradient", translation="梯度", explanation="A slope."),
            Term(term="X"),
        ],
        "fields": FIELDS[template],
        "usage": Usage(calls=1, input_tokens=82345, output_tokens=9321, thought_tokens=12),
        "cost_usd": 0.04821,
        "request_digests": ["cd" * 32],
        "created": "2026-11-24T17:59:03Z",
    }
    return Analysis(**(values | changes))


def poor(template: str, **changes: Any) -> Analysis:
    """What the offline engine gives for a silent clip."""
    return rich(
        template,
        engine=Engine(name="local", model="base", version="whisper-base"),
        chapters=[],
        transcript=[],
        key_points=[],
        key_moments=[KeyMoment(time_s=1, why="A new picture.", shown="")],
        terms=[],
        fields={},
        not_given=list(FIELDS[template]),
        usage=Usage(),
        cost_usd=0.0,
        request_digests=[],
        **changes,
    )


def render(analysis: Analysis, source_link: str | None = "../a b.mp4", **changes: Any) -> str:
    values: dict[str, Any] = {
        "frames": [Picture(83.0, "x.assets/01-23.jpg")],
        "tags": [],
        "extra": {},
    }
    template = load_template(analysis.template, [PROJECT / "templates"])
    return render_report(analysis, template, source_link=source_link, **(values | changes))


def parts(report: str) -> tuple[dict[str, Any], str]:
    head, body = report.removeprefix("---\n").split("\n---\n", 1)
    return yaml.safe_load(head), body


def headings(body: str) -> list[str]:
    return re.findall(r"^##+ (.+)$", body, re.MULTILINE)
