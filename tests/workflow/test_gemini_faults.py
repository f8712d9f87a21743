"""Whatever the service does to one video, the others are built: by failures.tsv and the bill."""

import hashlib
from dataclasses import replace
from pathlib import Path

from gemini_double import Fault, GeminiDouble
from workflow.conftest import add_video, asking

# What the service does to one video; what failures.tsv says of it, and the answers paid for then.
FAULTS: list[tuple[Fault, str, int]] = [
    (Fault("finish", reason="SAFETY"), "blocked answer_blocked", 1),
    (Fault("finish", reason="RECITATION"), "blocked answer_blocked", 1),
    (Fault("blocked", reason="OTHER"), "blocked answer_blocked", 1),
    (Fault("no_candidates"), "permanent answer_empty", 1),
    (Fault("missing_property"), "permanent answer_wrong_shape", 1),
    (Fault("past_end", seconds=60), "permanent times_invalid", 1),
    (Fault("bad_timestamps"), "permanent times_invalid", 1),
    (Fault("no_video_tokens"), "permanent video_not_seen", 1),
    (Fault("wrong_language"), "permanent wrong_language", 1),
    # One more try, at two halves.
    (Fault("max_tokens"), "permanent answer_truncated", 3),
    (Fault("invalid_json"), "permanent answer_not_json", 3),
    (Fault("repetition"), "permanent answer_truncated", 3),
    (Fault("file_failed"), "invalid_input video_refused", 0),
    (Fault("http_error", code=400), "permanent request_refused", 0),
    (Fault("overloaded"), "transient overloaded", 0),
    (Fault("reset"), "transient connection_lost", 0),
    (Fault("rate_limited", retry_delay=0.1), "quota quota_per_minute", 0),
    (Fault("truncated_body"), "transient connection_lost", 1),
]
# What is repaired, or passes by itself: done all the same.
REPAIRED: list[tuple[Fault, str]] = [
    (Fault("fenced_json"), "fences_removed"),
    (Fault("unordered"), "times_reordered"),
    (Fault("rerouted", model_version="gemini-9-flash"), "other_model"),
    (Fault("max_tokens", times=1), "asked_in_halves"),
]


def test_every_fault_fails_its_own_video_and_no_other(double: GeminiDouble, tmp_path: Path) -> None:
    project = asking(double, tmp_path / "project")
    project.config["gemini"] = {"max_attempts": 1}
    faults = [fault for fault, *_ in FAULTS] + [fault for fault, _ in REPAIRED]
    for number, fault in enumerate(faults):
        video = add_video(project, f"v{number:02}", (number * 9, 99, 9), seconds=24.0)
        sha256 = hashlib.sha256(video.read_bytes()).hexdigest()
        if fault.action == "file_failed":
            double.faults.add(replace(fault, file=sha256[:16]))
        else:
            double.faults.add(replace(fault, video=sha256))

    run = project.run(cores=8)
    assert run.code == 1
    assert "Traceback" not in run.output
    failures = {row["video"]: row for row in project.rows("failures.tsv")}
    for number, (fault, expected, billed) in enumerate(FAULTS):
        row = failures.pop(f"v{number:02}")
        assert f"{row['kind']} {row['code']}" == expected, fault
        assert row["hint"]
        assert (project.folder / row["log"]).exists()
        assert not project.report(row["video"]).exists()
        content = (project.folder / f"videos/v{number:02}.mp4").read_bytes()
        bill = double.ledger.billed(video=hashlib.sha256(content).hexdigest())
        assert len(bill) == billed, fault
    assert failures == {}
    for number, (fault, code) in enumerate(REPAIRED, start=len(FAULTS)):
        notices = [notice["code"] for notice in project.analysis(f"v{number:02}")["warnings"]]
        assert code in notices, fault
        assert project.report(f"v{number:02}").exists()

    # The next run asks again for the failed ones alone, and not for what was blocked.
    double.faults.clear()
    double.ledger.clear()
    again = project.run(cores=8)
    assert again.code == 1
    blocked = [f"v{n:02}" for n, (_, expected, _) in enumerate(FAULTS) if "blocked" in expected]
    assert [row["video"] for row in project.rows("failures.tsv")] == blocked
    asked = {record.video for record in double.ledger.billed() if record.video}
    assert len(asked) == len(FAULTS) - len(blocked)

    # What was blocked is asked again on request, and then all is there.
    double.ledger.clear()
    project.config["gemini"]["retry_blocked"] = True
    assert project.run(cores=8).code == 0
    assert len(double.ledger.billed()) == len(blocked)
    assert project.rows("failures.tsv") == []
