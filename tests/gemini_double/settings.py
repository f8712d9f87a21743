"""What can be set: as arguments, in a JSON file, and while the server runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .models import PRICES, Price

TEST_KEY = "test-key"
TEST_PROJECT = "test-project"


@dataclass
class Settings:
    keys: dict[str, str] = field(default_factory=lambda: {TEST_KEY: TEST_PROJECT})
    """API key to project: quotas and files belong to projects."""
    prices: dict[str, Price] = field(default_factory=lambda: dict(PRICES))
    """The models that exist, with their prices."""
    latency: float = 0.0
    """Seconds that every generateContent takes."""
    clock_ahead_s: float = 0.0
    """Of this clock; the Date of every answer says it."""
    timestamps: str = "absolute"
    """Whether times count from the start of the video (absolute) or of the clip (relative)."""
    own_file_names: bool = False
    """Whether files are called as the service likes, whatever name is asked for."""
    processing_seconds: float = 0.0
    processing_polls: int = 0
    """A video is PROCESSING for this long, and for this many files.get."""
    default_duration: float = 60.0
    """Of URLs, and of uploads that PyAV cannot read."""
    url_durations: dict[str, float] = field(default_factory=dict)
    batch_seconds: float = 0.0
    """Until a batch has ended; half of the time it is pending."""
    batch_jobs: int = 100
    batch_enqueued_tokens: int | None = None
    """Limits of each project: batches that have not ended, and the input tokens in them."""
    rpm: int | None = None
    tpm: int | None = None
    rpd: int | None = None
    """Limits of each project and model: requests and input tokens a minute, requests a day."""

    def update(self, changes: Mapping[str, Any]) -> None:
        """Set from JSON; unknown names are refused before anything is changed."""
        unknown = set(changes) - {each.name for each in fields(self)}
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        if changes.get("timestamps", self.timestamps) not in ("absolute", "relative"):
            raise ValueError("timestamps must be absolute or relative")
        prices = {model: Price(**price) for model, price in changes.get("prices", {}).items()}
        for name, value in changes.items():
            setattr(self, name, prices if name == "prices" else value)
