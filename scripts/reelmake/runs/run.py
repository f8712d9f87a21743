"""One run, followed from its first job to its last: shown, recorded, and told to who wants it."""

import atexit
import logging
import signal
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from reelmake.config import Config
from reelmake.errors import ReelmakeError
from reelmake.jobs import BEGINS, Failure, failure_of, keep_failure, read_failure
from reelmake.meter import read_meter
from reelmake.results import Results
from reelmake.runs.notify import Notifier
from reelmake.runs.progress import Job, Key, Progress
from reelmake.runs.record import Reports, begin_run, mark_vanished, told_of_vanished, write_run
from reelmake.runs.screen import Figures, screen_for
from reelmake.runs.summary import Line, concerns_the_account, next_step, summary
from reelmake.runs.texts import shown
from reelmake.runs_table import refresh_runs_table
from reelmake.translation import ENGLISH, say_on_terminal

log = logging.getLogger(__name__)


class Run:
    """Follows the jobs of one run.

    ``asked`` are all reports that were asked for, also those without a job; unless it
    ``makes_reports``, only something that they are made of.
    """

    def __init__(
        self,
        config: Config,
        jobs: Mapping[int, Job],
        *,
        asked: Collection[Key],
        cores: int | None,
        console: Console,
        notifier: Notifier,
        makes_reports: bool = True,
        quiet: bool = False,
        plain: bool = False,
    ) -> None:
        self._results = Results(Path(config.results))
        self._settings = config.model_dump_json(exclude={"notify", "videos"})
        self._asks_gemini = config.engine == "gemini"
        self._jobs = jobs
        self._asked = asked
        self._console = console
        self._say = say_on_terminal()
        self._notifier = notifier
        self._quiet = quiet
        self._interrupted = threading.Event()
        self._hinted: set[str] = set()
        self._unrecorded: dict[Key, Failure] = {}
        self._several_templates = len({template for template, _ in asked}) > 1
        self._vanished = mark_vanished(self._results)
        self._record = begin_run(config, jobs=cores, makes_reports=makes_reports)
        self._earlier = {path: _written(path) for path in self._results.failures()}
        self.progress = Progress(jobs)
        read = partial(read_meter, self._results.meter) if self._asks_gemini else None
        figures = Figures(self.progress, read, config.budget_usd, self._interrupted, self._say)
        self._screen = screen_for(console, figures, quiet=quiet, plain=plain)

    def begin(self) -> None:
        """Show that it begins, and hear of signals."""
        log.info(
            "begins: %d of %d reports to make, -j%s, %s",
            self.progress.total,
            len(self._asked),
            self._record.jobs,
            self._settings,
        )
        if self._vanished:
            log.info("%s", told_of_vanished(self._vanished, ENGLISH))
            self._screen.tell(Text(told_of_vanished(self._vanished, self._say)))
        _hear_of_signals(self._interrupted)
        atexit.register(self._screen.end)  # whatever happens, the terminal is as it was
        self._screen.begin()

    def tell(self, message: str) -> None:
        """Show lines that stay, from any thread, without tearing what moves."""
        if message:
            log.info("%s", message.strip())
        for line in message.splitlines():
            self._screen.tell(Text(shown(line)))

    def know(self, failure: Failure) -> None:
        """A job has failed, or is about to, that could leave no record."""
        self._unrecorded[failure.template, failure.video] = failure

    def start(self, number: int) -> None:
        """A job begins."""
        self.progress.start(number)

    def finish(self, number: int) -> None:
        """A job has succeeded."""
        for key in self.progress.finish(number):
            self._screen.done(self._named(key))

    def fail(self, number: int) -> None:
        """A job has failed: tell why, from the record that it left."""
        job = self._jobs.get(number)
        if job is None:
            return
        if job.record is None:
            self._record.other_failures.append(job.rule)
            line = self._say("✗ {rule} failed: see {log}", rule=job.rule, log=job.log)
            self._screen.tell(Text(line, style="red"))
            self.progress.fail(number)
            return
        failure = self._failure(job.record) or self._crash(job)
        if failure is None:
            self.progress.drop(number)  # it was interrupted, and may be as good as done
            return
        self.progress.fail(number)
        self._show(job, failure)

    def refuse(self, error: ReelmakeError) -> None:
        """The run can't begin: nothing was asked."""
        self._screen.end()
        self._screen.tell(Text(error.told(self._say), style="bold red"))
        log.error("the run can't begin: %s", error)
        self._record.stopped_by = error.code
        unfinished = Reports(
            asked=len(self._asked),
            up_to_date=len(self._asked) - self.progress.total,
            unfinished=self.progress.total,
        )
        self._record.end(unfinished, [], read_meter(self._results.meter), ending="refused")
        write_run(self._results, self._record)
        title = self._say("reelmake could not begin")
        self._notifier.send(title, error.told(self._say), "failure")
        self._wait_for_notifier()

    def settle(self) -> None:
        """No job runs any more: from here on, lines are only told."""
        self._screen.end()

    def end(self) -> None:
        """Record what came of it, say so on the screen, and to who wants to be told."""
        self._screen.end()
        failures = self._failures()
        needed = self.progress.total
        done = len(self.progress.done)
        reports = Reports(
            asked=len(self._asked),
            up_to_date=len(self._asked) - needed,
            done=done,
            failed=len(failures),
            unfinished=needed - done - len(failures),
        )
        meter = read_meter(self._results.meter) if self._asks_gemini else None
        self._record.end(reports, failures, meter)
        try:
            write_run(self._results, self._record)
            refresh_runs_table(self._results)
        except OSError as error:  # what else there is to say is said all the same
            self.tell(f"The record of this run could not be written: {error}")
        for line in summary(self._record, failures, self._results.root, ENGLISH):
            if line.text:
                log.info("%s%s", " " * line.indent, line.text)
        lines = list(summary(self._record, failures, self._results.root, self._say))
        if self._quiet:
            lines = [lines[1]]
            if self._record.ending != "complete":
                lines.append(Line(next_step(self._record, failures, self._say)))
        self._print(lines)
        self._notify_of_the_end(failures)

    def _print(self, lines: Iterable[Line]) -> None:
        for line in lines:
            text = Text(line.text, style=line.style)
            if self._console.is_terminal:  # lines that are too long stay indented
                self._console.print(Padding(text, (0, 0, 0, line.indent)))
            else:
                self._console.print(Text(" " * line.indent) + text, soft_wrap=True)

    def _named(self, key: Key) -> str:
        template, name = key
        return f"{name} ({template})" if self._several_templates else name

    def _failure(self, record: Key) -> Failure | None:
        """What a job of this run left."""
        if record in self._unrecorded:
            return self._unrecorded[record]
        path = self._results.failure(*record)
        written = _written(path)
        # Not by the time: clocks of file servers differ, and others jump.
        if written is None or written == self._earlier.get(path):
            return None
        return read_failure(path)

    def _failures(self) -> list[Failure]:
        without = [key for key in self._asked if key not in self.progress.done]
        found = (self._failure(key) for key in without if self.progress.needs(key))
        return [failure for failure in found if failure]

    def _crash(self, job: Job) -> Failure | None:
        """It left no record: whatever killed it gave it no time to."""
        if self._interrupted.is_set() or job.record is None or _says_interrupted(Path(job.log)):
            return None
        message = "its job ended before it could say why"
        error = ReelmakeError("job_killed", message)
        for key in (job.record, *job.reports):
            try:
                keep_failure(self._results, error, key, job.log)
            except OSError:
                self.know(failure_of(error, key, job.log))
        return failure_of(error, job.record, job.log)

    def _show(self, job: Job, failure: Failure) -> None:
        account = concerns_the_account(failure)
        if account and self._record.stopped_by:
            return  # the same for every report that is left
        line = Text("✗ ", style="bold red")
        name = self._named(job.reports[0]) if len(job.reports) == 1 else job.label
        line.append(shown(name), style="bold")
        told = self._say(
            " ({kind}): {message}", kind=self._say(failure.kind), message=shown(failure.message)
        )
        line.append(told, style="not bold default")
        if failure.code not in self._hinted:
            self._hinted.add(failure.code)
            line.append(f" → {shown(self._say(failure.hint))}", style="not bold yellow")
        self._screen.tell(line)
        if account:
            self._record.stopped_by = failure.code
            lines = "\n".join([failure.message, f"→ {self._say(failure.hint)}"])
            self._notifier.send(self._say("reelmake: no more can be asked"), lines, "failure")

    def _notify_of_the_end(self, failures: Sequence[Failure]) -> None:
        lines = summary(self._record, failures, self._results.root.resolve(), self._say)
        _, title, *rest = [" " * line.indent + line.text for line in lines]
        ok = self._record.ending == "complete"
        self._notifier.send(
            f"reelmake: {title}",
            "\n".join(rest),
            "success" if ok else "warning",
        )
        self._wait_for_notifier()

    def _wait_for_notifier(self) -> None:
        for problem in self._notifier.wait():
            self.tell(problem)


def _says_interrupted(log: Path) -> bool:
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
        return " interrupted (" in text.rpartition(BEGINS)[2]
    except OSError:
        return False


def _hear_of_signals(interrupted: threading.Event) -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        before: Callable[..., Any] | int | None = signal.getsignal(number)

        def handle(number: int, frame: FrameType | None, before: Any = before) -> None:
            interrupted.set()
            # In a thread: what this interrupts may be writing to the log just now.
            name = signal.Signals(number).name
            threading.Thread(target=log.warning, args=("%s: no new call begins", name)).start()
            if callable(before):
                before(number, frame)

        signal.signal(number, handle)


def _written(path: Path) -> tuple[int, int] | None:
    """Tells one writing of a file from the next; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
