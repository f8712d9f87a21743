"""index.html: one page that holds all it needs, the text of all reports included, packed."""

import base64
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reelmake.jobs import Failure
from reelmake.runs.record import RunRecord
from reelmake.runs_table import runs_table
from reelmake.timestamps import format_clock
from reelmake.translation import Say, translatable
from reelmake.web_page import render_page

_PACK_CHARACTERS = 4_000_000  # of text unpacked at once: a fraction of a second, in the background
_OVERVIEW_CHARACTERS = 280
_FILTERS = {
    "template": translatable("Template"),
    "language": translatable("Language"),
    "status": translatable("Status"),
    "tag": translatable("Tag"),
}
_STATES = (
    translatable("done"),
    translatable("failed"),
    translatable("missing"),
    translatable("edited"),
    translatable("warnings"),
)


@dataclass(frozen=True)
class Entry:
    """What the page shows of a report. Links are relative to the results folder."""

    name: str
    template: str
    status: str
    title: str
    language: str = ""
    tags: tuple[str, ...] = ()
    page: str | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    picture: str | None = None
    edited: bool = False
    duration_s: float | None = None
    usd: float | None = None
    tokens: int | None = None
    model: str = ""
    created: str = ""
    overview: str = ""
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None
    text: str = ""

    @property
    def beginning(self) -> str:
        """Of the overview, cut between words where there are any."""
        if len(self.overview) <= _OVERVIEW_CHARACTERS:
            return self.overview
        cut = self.overview[:_OVERVIEW_CHARACTERS]
        words = cut.rpartition(" ")[0]
        return (words if 2 * len(words) > len(cut) else cut) + "…"

    @property
    def states(self) -> str:
        """What the status filter looks for, in one text."""
        flags = {"edited": self.edited, "warnings": bool(self.warnings)}
        return " ".join([self.status, *(flag for flag, is_so in flags.items() if is_so)])


@dataclass(frozen=True)
class Share:
    """What the chart shows of a template; the widths are percent of the longest bar."""

    template: str
    count: int
    clock: str
    usd: float
    width_duration: float
    width_usd: float


def index_page(
    entries: Sequence[Entry],
    digests: Mapping[str, str],
    runs: Sequence[RunRecord] = (),
    *,
    failures: Sequence[Failure] = (),
    say: Say,
) -> str:
    """The whole page, ``digests`` by name; what was said in a video is text in it, never markup.

    ``failures`` are those of reports and of digests, with hints in the language of the page.
    """
    states = {state for entry in entries for state in entry.states.split()}
    return render_page(
        "index",
        entries=entries,
        digests=digests,
        say=say,
        runs=runs_table(runs, say),
        names=_FILTERS,
        filters={
            "template": sorted({entry.template for entry in entries}),
            "language": sorted({entry.language for entry in entries if entry.language}),
            "status": [state for state in _STATES if state in states],
            "tag": sorted({tag for entry in entries for tag in entry.tags}),
        },
        failures=failures,
        done=sum(entry.status == "done" for entry in entries),
        warned=sum(bool(entry.warnings) for entry in entries),
        shares=_shares(entries),
        # A video that several templates report on, under one name, is watched once.
        clock=format_clock(sum({one.name: one.duration_s or 0 for one in entries}.values())),
        usd=sum(entry.usd or 0 for entry in entries),
        packs=list(_packs(entries)),
        as_clock=format_clock,
    )


def _shares(entries: Sequence[Entry]) -> list[Share]:
    """Length and cost by template."""
    durations: dict[str, float] = {}
    costs: dict[str, float] = {}
    counts: dict[str, int] = {}
    for entry in entries:
        durations[entry.template] = durations.get(entry.template, 0) + (entry.duration_s or 0)
        costs[entry.template] = costs.get(entry.template, 0) + (entry.usd or 0)
        counts[entry.template] = counts.get(entry.template, 0) + 1
    longest = max(durations.values(), default=0) or 1
    dearest = max(costs.values(), default=0) or 1
    return [
        Share(
            template=name,
            count=counts[name],
            clock=format_clock(durations[name]),
            usd=costs[name],
            width_duration=round(100 * durations[name] / longest, 1),
            width_usd=round(100 * costs[name] / dearest, 1),
        )
        for name in sorted(durations)
    ]


def _packs(entries: Sequence[Entry]) -> Iterator[str]:
    """The texts of all reports in order, as base64 of deflated JSON lists."""
    texts: list[str] = []
    characters = 0
    for entry in entries:
        texts.append(entry.text)
        characters += len(entry.text)
        if characters >= _PACK_CHARACTERS:
            yield _packed(texts)
            texts, characters = [], 0
    if texts:
        yield _packed(texts)


def _packed(texts: Sequence[str]) -> str:
    data = json.dumps(texts, ensure_ascii=False).encode("utf-8", "replace")
    return base64.b64encode(zlib.compress(data, 6)).decode()
