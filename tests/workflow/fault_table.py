"""Every fault of the double, where it strikes, and what comes of it: see docs/reliability.md.

``outcome``: kind and code in failures.tsv, or the notices on the report. ``billed``: answers that
the double has billed for the video by the end of that run.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gemini_double import Fault


class Row(NamedTuple):
    stage: str
    fault: Fault
    outcome: str
    billed: int
    template: str = "summary_report"
    seconds: float = 24.0
    """Of the video."""


REPORT = "report"
REFUSED = "permanent request_refused"
ASKED = "chinese_transcript"


def _at(stage: str, kind: str) -> list[Row]:
    """What a service does to calls of any kind, and does to one that only brings or looks up."""
    rows = [
        (Fault("http_error", kind=kind, code=400), REFUSED),
        (Fault("http_error", kind=kind, code=408), "transient overloaded"),
        (Fault("http_error", kind=kind, code=500), "transient overloaded"),
        (Fault("overloaded", kind=kind), "transient overloaded"),
        (Fault("rate_limited", kind=kind, retry_delay=0.1), "quota quota_per_minute"),
        (Fault("reset", kind=kind), "transient connection_lost"),
        (Fault("stall", kind=kind), "transient timed_out"),
        (Fault("redirect", kind=kind), "auth redirected"),
        (Fault("latency", kind=kind, seconds=0.5), REPORT),
    ]
    return [Row(stage, fault, outcome, int(outcome == REPORT)) for fault, outcome in rows]


# One video each, in one run, with `max_attempts: 1`.
CALLS: Sequence[Row] = [
    *_at("upload", "upload_start"),
    *_at("upload", "upload_chunk"),
    Row("upload", Fault("http_error", kind="upload_start", code=404), REFUSED, 0),
    Row("upload", Fault("upload_reset"), "transient connection_lost", 0),
    Row("upload", Fault("lost_answer", kind="upload_chunk"), "transient connection_lost", 0),
    Row("upload", Fault("truncated_body", kind="upload_chunk"), "transient connection_lost", 0),
    *_at("processing", "file_get"),
    Row("processing", Fault("file_failed"), "invalid_input video_refused", 0),
    Row("processing", Fault("file_vanished", kind="file_get"), "transient connection_lost", 0),
    Row("processing", Fault("lost_answer", kind="file_get"), "transient connection_lost", 0),
    Row("processing", Fault("truncated_body", kind="file_get"), "transient connection_lost", 0),
    *_at("generate", "generate"),
    Row("generate", Fault("http_error", code=404), REFUSED, 0),
    Row("generate", Fault("file_vanished"), "transient upload_gone", 0),
    Row("generate", Fault("file_vanished", times=1), REPORT, 1),
    Row("generate", Fault("lost_answer"), "transient connection_lost", 1),
    Row("generate", Fault("truncated_body"), "transient connection_lost", 1),
    Row("generate", Fault("slow_body"), "transient timed_out", 1),
    Row("generate", Fault("finish", reason="SAFETY"), "blocked answer_blocked", 1),
    Row("generate", Fault("finish", reason="RECITATION"), "blocked answer_blocked", 1),
    Row("generate", Fault("blocked", reason="OTHER"), "blocked answer_blocked", 1),
    Row("generate", Fault("no_candidates"), "permanent answer_empty", 1),
    Row("generate", Fault("missing_property"), "permanent answer_wrong_shape", 1),
    Row("generate", Fault("past_end", seconds=60), "permanent times_invalid", 1),
    Row("generate", Fault("bad_timestamps"), "permanent times_invalid", 1),
    Row("generate", Fault("no_video_tokens"), "permanent video_not_seen", 1),
    Row("generate", Fault("wrong_language"), "permanent wrong_language", 1),
    # One more try, at two halves.
    Row("generate", Fault("max_tokens"), "permanent answer_truncated", 3),
    Row("generate", Fault("invalid_json"), "permanent answer_not_json", 3),
    Row("generate", Fault("repetition"), "permanent answer_truncated", 3),
    Row("generate", Fault("repeated_text"), "permanent answer_repeats_itself", 3, ASKED, 150.0),
    Row("generate", Fault("half_transcript"), "permanent transcript_incomplete", 3, ASKED, 150.0),
    # What is repaired, and said on the report.
    Row("generate", Fault("max_tokens", times=1), f"{REPORT} asked_in_halves", 3),
    Row("generate", Fault("fenced_json"), f"{REPORT} fences_removed", 1),
    Row("generate", Fault("other_kinds"), REPORT, 1),
    Row("generate", Fault("unordered"), f"{REPORT} times_reordered", 1),
    Row(
        "generate",
        Fault("rerouted", model_version="gemini-9-flash"),
        f"{REPORT} other_model",
        1,
    ),
]

# Of one line of a batch each, with `batch_fallback: []`.
LINES: Sequence[Row] = [
    Row("batch", Fault("line_missing"), "transient batch_unanswered", 1),
    Row("batch", Fault("line_doubled"), REPORT, 1),
    Row("batch", Fault("line_keyless"), REPORT, 1),
    Row("batch", Fault("line_failed", code=500), "transient batch_unanswered", 0),
    Row("batch", Fault("line_failed", code=400), "transient batch_unanswered", 0),
    Row("batch", Fault("missing_property", kind="batch_line"), "permanent answer_wrong_shape", 1),
    Row("batch", Fault("finish", kind="batch_line"), "blocked answer_blocked", 1),
]


def as_markdown() -> str:
    """The table of docs/reliability.md."""
    rows = (
        f"| {row.stage} | {_named(row)} | {_said(row.outcome)} | {row.billed} |"
        for row in (*CALLS, *LINES)
    )
    return "\n".join(["| stage | fault | outcome | billed |", "|---|---|---|---|", *rows])


def _named(row: Row) -> str:
    fault = row.fault
    details = [
        fault.kind if fault.kind not in (None, "generate") else "",
        str(fault.code) if fault.action in ("http_error", "line_failed") else "",
        fault.reason if fault.action in ("finish", "blocked") else "",
        "once" if fault.times == 1 else "",
    ]
    return " ".join(filter(None, [f"`{fault.action}`", *details]))


def _said(outcome: str) -> str:
    kind, _, code = outcome.partition(" ")
    if kind == REPORT:
        return f"report, which says `{code}`" if code else "report"
    return f"`{code}` ({kind})"
