"""What a run shows while it goes: a live view on a terminal, plain lines anywhere else."""

import contextlib
import threading
from collections.abc import Callable
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reelmake.meter import Meter
from reelmake.runs.progress import Progress
from reelmake.runs.texts import shown, usd
from reelmake.timestamps import format_clock
from reelmake.translation import Say

_REFRESHES_A_SECOND = 2
_SAY_EVERY_S = 30.0
_EACH_IS_SAID = 100
"""With more reports than this, plain lines tell only failures, and how far it is."""
_NAME_CELLS = 30
_LONGEST = 3


class Screen(Protocol):
    """Where a run is shown."""

    def begin(self) -> None: ...

    def tell(self, text: Text) -> None:
        """Show a line that stays, above whatever moves."""

    def done(self, name: str) -> None:
        """A report is complete."""

    def end(self) -> None:
        """Show no more progress; called once or more. Lines can still be told."""


class Figures:
    """What can be said at a moment: of the reports, and of the calls to Gemini."""

    def __init__(
        self,
        progress: Progress,
        read: Callable[[], Meter] | None,
        budget_usd: float | None,
        interrupted: threading.Event,
        say: Say,
    ) -> None:
        self.progress = progress
        self._read = read
        self._budget_usd = budget_usd
        self._interrupted = interrupted
        self.say = say
        self.meter = Meter()

    def refresh(self) -> None:
        if self._read:
            self.meter = self._read()

    def reports(self) -> str:
        """``37 of 60 reports, 2 failed``."""
        progress = self.progress
        parts = [
            self.say.count(
                "{done:,} of {count:,} report",
                "{done:,} of {count:,} reports",
                progress.total,
                done=len(progress.done),
            )
        ]
        if progress.failed:
            parts.append(self.say("{count:,} failed", count=len(progress.failed)))
        return self.say(", ").join(parts)

    def left(self) -> str:
        seconds = None if self._interrupted.is_set() else self.progress.seconds_left
        return "" if seconds is None else self.say("about {time} left", time=format_clock(seconds))

    def spent(self) -> str:
        if not self._read:
            return ""
        spent = usd(self.meter.usd, self.say)
        if self._budget_usd is None:
            return spent
        return self.say("{spent} of {budget:g}", spent=spent, budget=self._budget_usd)

    def calls(self) -> str:
        """``8 calls in flight, 3 waiting (limit 8)``; the limit adapts to the service."""
        if not self.meter.limit:
            return ""
        say, meter = self.say, self.meter
        parts = [
            say.count("{count:,} call in flight", "{count:,} calls in flight", meter.in_flight)
        ]
        if meter.waiting:
            parts.append(say("{count:,} waiting", count=meter.waiting))
        return say("{calls} (limit {limit:,})", calls=say(", ").join(parts), limit=meter.limit)

    def pace(self) -> str:
        rate = self.progress.per_minute
        return "" if rate is None else self.say("{rate:.1f} a minute", rate=rate)

    def in_progress(self) -> str:
        progress, running = self.progress, self.progress.in_progress
        if self._interrupted.is_set():
            return self.say("stopping, {count:,} still in progress", count=running)
        waiting = max(0, progress.total - progress.ended - running)
        return self.say(
            "{count:,} in progress, {waiting:,} to come", count=running, waiting=waiting
        )


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


class LiveScreen:
    """Three lines at the bottom of a terminal, and above them what is told."""

    def __init__(self, console: Console, figures: Figures) -> None:
        self._console = console
        self._figures = figures
        self._live = Live(
            console=console,
            get_renderable=self._view,
            refresh_per_second=_REFRESHES_A_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def begin(self) -> None:
        self._live.start()

    def tell(self, text: Text) -> None:
        self._console.print(text)

    def done(self, name: str) -> None:
        """The bar says it."""

    def end(self) -> None:
        self._live.stop()

    def _view(self) -> RenderableType:
        figures, progress = self._figures, self._figures.progress
        figures.refresh()
        head = Table.grid(padding=(0, 1), expand=True)
        head.add_column(ratio=1)
        head.add_column(no_wrap=True)
        bar = ProgressBar(
            total=max(progress.total, 1),
            completed=progress.ended,
            complete_style="yellow" if progress.failed else "green",
            finished_style="yellow" if progress.failed else "green",
        )
        head.add_row(bar, Text(_joined(figures.reports(), figures.left())))
        return Group(
            head,
            self._line(_joined(figures.in_progress(), figures.pace(), figures.spent())),
            self._line(_joined(figures.calls(), self._longest())),
        )

    def _line(self, content: str) -> Text:
        return Text(content, style="dim", no_wrap=True, overflow="ellipsis")

    def _longest(self) -> str:
        longest = self._figures.progress.longest(_LONGEST)
        named = (f"{_short(label)} {format_clock(seconds)}" for label, seconds in longest)
        say = self._figures.say
        return say("longest: {names}", names=say(", ").join(named)) if longest else ""


class PlainScreen:
    """Lines for a pipe, a log file, CI: no more than somebody would read."""

    def __init__(self, console: Console, figures: Figures) -> None:
        self._console = console
        self._figures = figures
        self._ended = threading.Event()

    def begin(self) -> None:
        threading.Thread(target=self._say_now_and_then, daemon=True).start()

    def tell(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)

    def done(self, name: str) -> None:
        progress = self._figures.progress
        if progress.total <= _EACH_IS_SAID:
            self.tell(Text(f"[{progress.ended}/{progress.total}] {shown(name)}"))

    def end(self) -> None:
        self._ended.set()

    def _say_now_and_then(self) -> None:
        figures = self._figures
        while not self._ended.wait(_SAY_EVERY_S):
            figures.refresh()
            line = _joined(
                figures.reports(), figures.pace(), figures.left(), figures.spent(), figures.calls()
            )
            with contextlib.suppress(OSError):  # nobody reads any more
                self.tell(Text(line))


class QuietScreen(PlainScreen):
    """Only what is told."""

    def begin(self) -> None:
        """Nothing is said now and then."""

    def done(self, name: str) -> None:
        """Nor of each report."""


def screen_for(console: Console, figures: Figures, *, quiet: bool, plain: bool) -> Screen:
    """Choose: live on a terminal that can, unless something else is wished."""
    if quiet:
        return QuietScreen(console, figures)
    if plain or not console.is_terminal or console.is_dumb_terminal:
        return PlainScreen(console, figures)
    return LiveScreen(console, figures)


def _short(name: str) -> str:
    text = Text(shown(name))
    text.truncate(_NAME_CELLS, overflow="ellipsis")
    return text.plain
