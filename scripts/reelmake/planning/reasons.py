"""Why a report is to be made, and what has to be bought for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from reelmake.analysis import Analysis, VideoFacts
from reelmake.gemini.budget import Estimate
from reelmake.jobs import Failure
from reelmake.targets import Target
from reelmake.translation import Say


class Reason(StrEnum):
    """In the order that tables have them."""

    NEW = "new"
    FAILED = "failed before"
    VIDEO = "video changed"
    PROMPT = "prompt changed"
    SCHEMA = "schema changed"
    MODEL = "model changed"
    SETTINGS = "settings changed"
    LAYOUT = "only laid out"
    UNUSABLE = "can't be used"
    NONE = "up to date"


@dataclass(frozen=True)
class Planned:
    """One report: why it is to be made, and the calls that the store has no answers for."""

    target: Target
    reason: Reason
    detail: str = ""
    calls: Sequence[Estimate] = ()
    analysis: Analysis | None = None
    failure: Failure | None = None
    there: bool = False
    """Whether there is a report, up to date or not."""

    def why(self, say: Say) -> str:
        """The reason, with its detail."""
        if not self.detail:
            return say(self.reason)
        return say("{name}: {text}", name=say(self.reason), text=say(self.detail))

    @property
    def input_tokens(self) -> int:
        return round(sum(call.input_tokens for call in self.calls))

    @property
    def output_tokens(self) -> int:
        return round(sum(call.output_tokens for call in self.calls))

    @property
    def usd(self) -> float:
        """At the price of the standard tier."""
        return sum(call.usd for call in self.calls)


@dataclass(frozen=True)
class Needs:
    """What an engine would do for a report; ``change`` NONE: its analysis is as it should be."""

    change: Reason
    calls: Sequence[Estimate] = ()
    detail: str = ""


class Engine(Protocol):
    """An engine that can be asked what it would do."""

    learned_seconds: float | None

    async def needs(
        self, target: Target, facts: VideoFacts, analysis: Analysis | None
    ) -> Needs: ...


def changed_settings(new: dict[str, Any], old: dict[str, Any]) -> Reason:
    """What of a request is another one, by what the store said of the old one."""
    for key, reason in (("prompt", Reason.PROMPT), ("schema", Reason.SCHEMA)):
        if new[key] != old.get(key):
            return reason
    return Reason.SETTINGS
