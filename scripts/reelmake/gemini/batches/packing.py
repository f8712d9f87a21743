"""Which requests go into a batch together, and how much may be at the service at a time."""

import asyncio
import contextlib
import logging
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from reelmake.gemini.budget import Estimate
from reelmake.gemini.calling import Source
from reelmake.gemini.request import Request

log = logging.getLogger(__name__)

# Of the service's 20 GB a project, some is left to calls that are no batch.
_UPLOADED_BYTES = 16 * 10**9
_JOBS = 100
# A batch's file of requests may have 2 GB. What stands around a prompt and its schema is added.
_FILE_BYTES = 1_900_000_000
_AROUND_BYTES = 2_000


class Wanted(NamedTuple):
    """A request that is to be asked, for a report."""

    key: str
    request: Request
    source: Source
    estimate: Estimate
    template: str
    video: str


@dataclass(frozen=True)
class Pack:
    """Requests to one model that go to one project together."""

    wanted: Sequence[Wanted]

    @property
    def model(self) -> str:
        return self.wanted[0].request.model

    @cached_property
    def input_tokens(self) -> float:
        return sum(each.estimate.input_tokens for each in self.wanted)

    @cached_property
    def usd(self) -> float:
        return sum(each.estimate.usd for each in self.wanted)

    @cached_property
    def uploaded_bytes(self) -> int:
        """Of its videos, each once."""
        paths = {each.source.path for each in self.wanted if each.source.path}
        return sum(path.stat().st_size for path in paths if path.exists())

    @cached_property
    def file_bytes(self) -> int:
        # A letter of a prompt takes at most four bytes.
        return sum(
            4 * len(each.request.prompt) + len(str(each.request.schema)) + _AROUND_BYTES
            for each in self.wanted
        )

    def fits(self, room: "Room", most: int) -> bool:
        """Whether it may ever be one batch; what is a single request may."""
        return len(self.wanted) == 1 or (
            len(self.wanted) <= most
            and self.input_tokens <= room.most_tokens
            and self.uploaded_bytes <= _UPLOADED_BYTES
            and self.file_bytes <= _FILE_BYTES
        )

    def halves(self) -> tuple["Pack", "Pack"]:
        """Cut in two, between videos where that is possible."""
        middle = len(self.wanted) // 2
        while middle > 0 and self._same_video(middle - 1, middle):
            middle -= 1
        middle = middle or len(self.wanted) // 2
        return Pack(self.wanted[:middle]), Pack(self.wanted[middle:])

    def _same_video(self, one: int, other: int) -> bool:
        return self.wanted[one].source.identity == self.wanted[other].source.identity


def packs(
    wanted: Sequence[Wanted], room_of: Callable[[Wanted], "Room"], *, most: int
) -> Iterator[Pack]:
    """Group requests by where they go, into batches that may be sent."""

    def place(each: Wanted) -> int:
        return id(room_of(each))

    for _, group in groupby(sorted(wanted, key=place), key=place):
        waiting = [Pack(list(group))]
        while waiting:
            pack = waiting.pop()
            if pack.fits(room_of(pack.wanted[0]), most):
                yield pack
            else:
                waiting += reversed(pack.halves())


class Room:
    """What one project may have in its batches for one model; who does not fit waits."""

    def __init__(self, most_tokens: float | None) -> None:
        self.most_tokens = math.inf if most_tokens is None else float(most_tokens)
        self._inside: dict[object, tuple[float, int]] = {}
        self._submitted: set[object] = set()
        self._changed = asyncio.Condition()

    @property
    def has_submitted(self) -> bool:
        """Whether one of ours is at the service, whose end makes room."""
        return bool(self._submitted)

    def submitted(self, batch: object, input_tokens: float, uploaded_bytes: int) -> None:
        """Count a batch that is at the service."""
        self._inside[batch] = (input_tokens, uploaded_bytes)
        self._submitted.add(batch)

    async def enter(self, batch: object, input_tokens: float, uploaded_bytes: int) -> None:
        """Wait until so much may be sent besides what is there."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._takes(input_tokens, uploaded_bytes))
            self._inside[batch] = (input_tokens, uploaded_bytes)

    async def leave(self, batch: object) -> None:
        """A batch has ended, or was not taken."""
        async with self._changed:
            self._inside.pop(batch, None)
            self._submitted.discard(batch)
            self._changed.notify_all()

    async def wait_for_change(self, longest_s: float) -> float:
        """Return when another batch has ended, or after so many seconds; the seconds it took."""
        began = asyncio.get_running_loop().time()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest_s), self._changed:
                await self._changed.wait()
        return asyncio.get_running_loop().time() - began

    def learn(self, refused_tokens: float) -> None:
        """The service did not take so many tokens: what is sent next is smaller."""
        self.most_tokens = min(self.most_tokens, refused_tokens / 2)
        log.info("at most %.0f tokens are sent in a batch from now on", self.most_tokens)

    def _takes(self, input_tokens: float, uploaded_bytes: int) -> bool:
        if not self._inside:
            return True
        tokens = sum(tokens for tokens, _ in self._inside.values())
        uploaded = sum(size for _, size in self._inside.values())
        return (
            len(self._inside) < _JOBS
            and tokens + input_tokens <= self.most_tokens
            and uploaded + uploaded_bytes <= _UPLOADED_BYTES
        )


class Rooms:
    """The room of each project and model."""

    def __init__(self, most_tokens: int | None) -> None:
        self._rooms: dict[tuple[str, str], Room] = defaultdict(lambda: Room(most_tokens))

    def of(self, project: str, model: str) -> Room:
        return self._rooms[project, model]
