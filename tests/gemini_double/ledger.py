"""What was asked, what was answered and what it cost: one record a request, never a key or a URL.

The service bills what it completed, whether or not the client lived to read it; `billed` and
`answered` are therefore two columns.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

SETTLE_SECONDS = 5.0


@dataclass
class Record:
    kind: str
    started: float
    """Monotonic; `finished` too. `wall` is the time of day at the start."""
    wall: float
    finished: float | None = None
    project: str | None = None
    model: str | None = None
    video: str | None = None
    """sha256 of the bytes, or the URL."""
    file: str | None = None
    prompt: str | None = None
    """sha256 of the request's text."""
    start_offset: float | None = None
    end_offset: float | None = None
    service_tier: str | None = None
    store: bool | None = None
    status: int | None = None
    """None when the connection was dropped instead of answered."""
    error: str | None = None
    fault: str | None = None
    prompt_tokens: int = 0
    output_tokens: int = 0
    billed: bool = False
    usd: float = 0.0
    answered: bool = False
    upload_finished: bool = False


class Ledger:
    """Records in memory and, if asked, in a JSONL file flushed line by line."""

    def __init__(self, path: Path | None = None) -> None:
        self._records: list[Record] = []
        self._being_written = 0
        self._settled = threading.Condition()
        self._stream: TextIO | None = path.open("a", encoding="utf-8") if path else None

    def begin(self, record: Record) -> None:
        """List a record whose answer is about to be written."""
        with self._settled:
            self._records.append(record)
            self._being_written += 1

    def end(self, record: Record) -> None:
        with self._settled:
            if self._stream is not None:
                self._stream.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")
                self._stream.flush()
            self._being_written -= 1
            self._settled.notify_all()

    def snapshot(self) -> list[dict[str, Any]]:
        """The records as they stand, without waiting: for the server's own thread."""
        return [asdict(record) for record in self._records]

    def clear(self) -> None:
        with self._settled:
            self._records.clear()

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def records(
        self, kind: str | None = None, *, video: str = "", prompt: str = "", project: str = ""
    ) -> list[Record]:
        """Records by kind, by the start of a video's sha256 or URL, by prompt sha256, by project.

        A client can read its answer a moment before the server has noted it; wait that out.
        """
        with self._settled:
            self._settled.wait_for(lambda: self._being_written == 0, SETTLE_SECONDS)
            return [
                record
                for record in self._records
                if (kind is None or record.kind == kind)
                and (record.video or "").startswith(video)
                and (record.prompt or "").startswith(prompt)
                and (not project or record.project == project)
            ]

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records())

    def count(self, kind: str, *, status: int | None = None) -> int:
        return sum(status in (None, record.status) for record in self.records(kind))

    def uploads(self) -> list[Record]:
        """One record for each upload that was completed."""
        return [record for record in self.records("upload_chunk") if record.upload_finished]

    def billed(self, *, video: str = "", prompt: str = "") -> list[Record]:
        """Answers that were paid for, of single calls and in batches."""
        return [r for r in self.records(video=video, prompt=prompt) if r.billed]

    def sent(self) -> int:
        """How many answers are on their way or there, without waiting."""
        return sum(record.billed for record in list(self._records))

    def usd(self) -> float:
        return sum(record.usd for record in self.records())

    def paid_twice(self) -> list[tuple[str | None, ...]]:
        """(model, video, prompt, start, end) of every question that was billed more than once."""
        seen: dict[tuple[Any, ...], int] = defaultdict(int)
        for r in self.billed():
            seen[(r.model, r.video, r.prompt, r.start_offset, r.end_offset)] += 1
        return [question for question, times in seen.items() if times > 1]

    def peak_requests(self, window: float = 60.0) -> int:
        """Most generate requests of one project and model to arrive within `window` seconds."""
        return self._peak(window, lambda record: 1)

    def peak_tokens(self, window: float = 60.0) -> int:
        """Most input tokens, likewise (of answered requests: refused ones cost no tokens)."""
        return self._peak(window, lambda record: record.prompt_tokens)

    def peak_in_flight(self) -> int:
        """Most generate requests open at one moment."""
        events = [(record.started, 1) for record in self.records("generate")]
        events += [(record.finished or 0.0, -1) for record in self.records("generate")]
        open_now = most = 0
        for _, change in sorted(events):
            open_now += change
            most = max(most, open_now)
        return most

    def _peak(self, window: float, weigh: Any) -> int:
        groups: dict[tuple[str | None, str | None], list[Record]] = defaultdict(list)
        for record in self.records("generate"):
            groups[record.project, record.model].append(record)
        return max((_busiest(group, window, weigh) for group in groups.values()), default=0)


def _busiest(records: Iterable[Record], window: float, weigh: Any) -> int:
    inside: deque[tuple[float, int]] = deque()
    total = most = 0
    for record in sorted(records, key=lambda record: record.started):
        inside.append((record.started, weigh(record)))
        total += inside[-1][1]
        while inside[0][0] <= record.started - window:
            total -= inside.popleft()[1]
        most = max(most, total)
    return most
