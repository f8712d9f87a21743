"""What would have to be bought for a report, as far as the store can tell; it is not bought."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from reelmake.config import GeminiSettings
from reelmake.gemini.asking import Asker, Run
from reelmake.gemini.budget import Estimate
from reelmake.gemini.calling import Bill, Source
from reelmake.gemini.engine import Report
from reelmake.gemini.request import Request
from reelmake.gemini.stopping import Stopping
from reelmake.meter import Meter
from reelmake.store import Store


@dataclass(frozen=True)
class Call:
    """One call that the store has no answer for."""

    request: Request
    estimate: Estimate


async def missing_calls(
    report: Report, settings: GeminiSettings, store: Store, *, run: Run
) -> list[Call]:
    """All of them, also the one about the whole of a long video, whose text is not known yet."""
    buyer = _Nobody()
    # A report that can't be made, whatever the reason, says so itself, when its turn comes.
    with contextlib.suppress(Exception):
        tiers = [settings.tier]
        asker = Asker(settings, buyer, _Unlocked(store.root), run=run, tiers=tiers)
        await report.analyse(asker)
    calls = buyer.calls
    if calls and all(call.request.clip for call in calls):
        overview = report.overview_to_expect
        if overview:
            calls.append(Call(overview, report.source.estimate(overview, tier=settings.tier)))
    return calls


class _Unlocked(Store):
    """Who buys nothing keeps nobody from buying it; a lock is a file, and costs like one."""

    @contextlib.asynccontextmanager
    async def asking_async(self, key: str) -> AsyncIterator[None]:  # noqa: ARG002
        yield


class _WouldBeAsked(Exception):  # noqa: N818  it is no error
    """The store has no answer to this."""


@dataclass
class _Nobody:
    """Stands where a `Caller` does, and buys nothing."""

    calls: list[Call] = field(default_factory=list)
    stopping: Stopping = field(default_factory=Stopping)
    meter: Meter = field(default_factory=Meter)

    async def buy(
        self,
        key: str,  # noqa: ARG002
        request: Request,
        source: Source,
        bill: Bill,  # noqa: ARG002
        *,
        tier: str,
    ) -> None:
        self.calls.append(Call(request, source.estimate(request, tier=tier)))
        raise _WouldBeAsked
