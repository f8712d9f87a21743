"""Rate limits of a project and model, in sliding windows, with the service's own 429."""

from __future__ import annotations

import time
from collections import defaultdict, deque

from .errors import quota_exceeded
from .settings import Settings

MINUTE = 60.0
DAY = 86_400.0


class Quota:
    """Counts what was let through; a refused request counts against nothing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._taken: dict[tuple[str, str], deque[tuple[float, int]]] = defaultdict(deque)

    def take(self, project: str, model: str, tokens: int) -> None:
        """Count a request, or raise the 429 that names the quota it would break."""
        now = time.monotonic()
        taken = self._taken[project, model]
        while taken and taken[0][0] <= now - DAY:
            taken.popleft()
        recent = [entry for entry in taken if entry[0] > now - MINUTE]
        limits = self.settings
        metric = "generate_content_paid_tier_requests"
        if limits.rpd is not None and len(taken) >= limits.rpd:
            # The service names a short delay even when the day is spent.
            quota_id = "GenerateRequestsPerDayPerProjectPerModel"
            raise quota_exceeded(quota_id, metric, limits.rpd, model, 1.0)
        wait = round(recent[0][0] + MINUTE - now, 3) if recent else MINUTE
        if limits.rpm is not None and len(recent) >= limits.rpm:
            quota_id = "GenerateRequestsPerMinutePerProjectPerModel"
            raise quota_exceeded(quota_id, metric, limits.rpm, model, wait)
        if limits.tpm is not None and sum(entry[1] for entry in recent) + tokens > limits.tpm:
            quota_id = "GenerateContentPaidTierInputTokensPerModelPerMinute"
            metric = "generate_content_paid_tier_input_token_count"
            raise quota_exceeded(quota_id, metric, limits.tpm, model, wait)
        taken.append((now, tokens))
