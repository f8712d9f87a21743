"""Whatever the service does to one video, the others are built: by failures.tsv and the bill.

The rows are in `fault_table`; what is wrong with a folder or a disk is in `test_environment`.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gemini_double import Fault, GeminiDouble, Settings
from gemini_double.faults import ACTIONS, BATCH
from workflow.conftest import add_video, asking
from workflow.fault_table import CALLS, LINES, REPORT, Row

# Of these the whole account is told, or a whole batch: tests of their own, below.
OF_THE_ACCOUNT = {"day_spent"}
OF_A_BATCH = {*BATCH, "line_swapped"}


@pytest.fixture
def double() -> Iterator[GeminiDouble]:
    with GeminiDouble(Settings(processing_polls=1)) as service:
        yield service


def test_no_fault_of_the_double_is_left_out() -> None:
    told = {row.fault.action for row in (*CALLS, *LINES)}
    assert told | OF_THE_ACCOUNT | OF_A_BATCH == set(ACTIONS)
    assert not told & (OF_THE_ACCOUNT | OF_A_BATCH)
    stages = {stage: [r for r in (*CALLS, *LINES) if r.stage == stage] for stage in STAGES}
    assert all(stages.values())


STAGES = ("upload", "processing", "generate", "batch")


class Matrix:
    """A project with one video for each row, and the double that does it."""

    def __init__(self, double: GeminiDouble, folder: Path, rows: Sequence[Row]) -> None:
        self.rows = {f"v{number:02}": row for number, row in enumerate(rows)}
        self.double = double
        self.project = asking(double, folder)
        self.sha256: dict[str, str] = {}
        for number, (name, row) in enumerate(self.rows.items()):
            video = add_video(self.project, name, (number * 3, 99, number * 2), row.seconds)
            self.sha256[name] = hashlib.sha256(video.read_bytes()).hexdigest()
            double.faults.add(_of_video(row.fault, self.sha256[name]))
        lines = [f"videos/{name}.mp4,{row.template}" for name, row in self.rows.items()]
        table = "\n".join(["video,template", *lines, ""])
        (folder / "table.csv").write_text(table, encoding="utf-8")
        self.project.config["videos"] = "table.csv"

    @property
    def failing(self) -> list[str]:
        return [name for name, row in self.rows.items() if not row.outcome.startswith(REPORT)]

    @property
    def blocked(self) -> list[str]:
        return [name for name in self.failing if self.rows[name].outcome.startswith("blocked")]

    def outcome(self, name: str) -> str:
        """As the table says it, by what is on the disk."""
        failures = {row["video"]: row for row in self.project.rows("failures.tsv")}
        template = self.rows[name].template
        report = self.project.report(name, template)
        if failure := failures.get(name):
            assert failure["hint"]
            assert (self.project.folder / failure["log"]).exists()
            assert not report.exists()
            return f"{failure['kind']} {failure['code']}"
        assert report.exists(), name
        notices = self.project.analysis(name, template)["warnings"]
        return " ".join([REPORT, *(notice["code"] for notice in notices)])

    def run_twice(self, cores: int) -> None:
        """With its faults, then without them: only what is missing is asked for."""
        run = self.project.run("--retries", "1", cores=cores)  # which would pay for more answers
        assert run.code == 1
        assert "Traceback" not in run.output
        found = {
            name: (self.outcome(name), len(self.double.ledger.billed(video=self.sha256[name])))
            for name in self.rows
        }
        assert found == {name: (row.outcome, row.billed) for name, row in self.rows.items()}

        self.double.faults.clear()
        self.double.ledger.clear()
        again = self.project.run(cores=cores)
        assert [row["video"] for row in self.project.rows("failures.tsv")] == self.blocked
        assert again.code == int(bool(self.blocked)), again.output
        asked = {record.video for record in self.double.ledger.billed() if record.video}
        expected = set(self.failing) - set(self.blocked)
        assert asked == {self.sha256[name] for name in expected}

        # What was blocked is asked again on request, and then all is there.
        self.double.ledger.clear()
        self.project.config["gemini"]["retry_blocked"] = True
        assert self.project.run(cores=cores).code == 0
        assert len(self.double.ledger.billed()) == len(self.blocked)
        assert self.project.rows("failures.tsv") == []


def _of_video(fault: Fault, sha256: str) -> Fault:
    """Only what concerns this video; before it is uploaded, its name alone says which one it is."""
    by_name = fault.action in ("upload_reset", "file_failed") or (fault.kind or "").startswith(
        ("upload_", "file_")
    )
    return replace(fault, file=sha256[:16]) if by_name else replace(fault, video=sha256)


def test_every_fault_fails_its_own_video_and_no_other(double: GeminiDouble, tmp_path: Path) -> None:
    matrix = Matrix(double, tmp_path / "project", CALLS)
    matrix.project.config["gemini"] = {"max_attempts": 1, "timeout_s": 15}
    matrix.run_twice(cores=16)


def test_every_fault_of_a_batchs_line_fails_its_own_video(
    double: GeminiDouble, tmp_path: Path
) -> None:
    matrix = Matrix(double, tmp_path / "project", LINES)
    matrix.project.config["gemini"] = {"tier": "batch", "batch_fallback": []}
    matrix.run_twice(cores=len(LINES))
    assert {record.service_tier for record in double.ledger.billed()} <= {"batch"}


def test_whatever_happens_to_a_batch_all_is_answered_by_the_next_one(
    double: GeminiDouble, tmp_path: Path
) -> None:
    """Two videos a batch, and a fault each; in the run itself no other tier may answer."""
    project = asking(double, tmp_path / "project")
    faults = sorted(OF_A_BATCH)
    for number in range(2 * len(faults)):
        add_video(project, f"v{number:02}", (number * 9, 99, 9))
    project.config["gemini"] = {
        "tier": "batch",
        "batch_size": 2,
        "batch_fallback": [],
        "batch_max_wait_hours": 5 / 3600,
    }
    double.faults.add(*(Fault(action, times=1) for action in faults))
    assert project.run(cores=16).code == 1
    assert double.faults.fired() == len(faults)
    failed = {row["video"]: row["code"] for row in project.rows("failures.tsv")}
    assert set(failed.values()) == {"batch_unanswered"}
    there = {path.stem for path in project.results.glob("reports/*/*.md")}
    assert there.isdisjoint(failed)
    assert len(there | set(failed)) == 2 * len(faults)
    # Only what was answered and yet never arrived is paid for twice.
    lost = len(double.ledger.billed()) - len(there)
    assert project.run(cores=16).code == 0
    assert len(double.ledger.billed()) == 2 * len(faults) + lost
    assert {record.service_tier for record in double.ledger.billed()} == {"batch"}
    assert project.rows("failures.tsv") == []


def test_a_spent_day_is_said_once_and_the_next_run_makes_what_is_missing(
    double: GeminiDouble, tmp_path: Path
) -> None:
    project = asking(double, tmp_path / "project")
    for number in range(4):
        add_video(project, f"v{number}", (number * 9, 99, 9))
    double.faults.add(Fault("day_spent", nth=2))
    run = project.run(cores=1)
    assert run.code == 1
    assert run.output.count("It is renewed at") == 2  # as it happens, and in the summary
    assert len(double.ledger.billed()) == 1
    assert {row["code"] for row in project.rows("failures.tsv")} == {"quota_per_day"}
    double.faults.clear()
    assert project.run(cores=4).code == 0
    assert len(double.ledger.billed()) == 4
