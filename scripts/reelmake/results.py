"""Where everything is below the results folder: the one place that knows, besides the rules."""

from dataclasses import dataclass
from pathlib import Path

from reelmake.checksums import Checksums
from reelmake.store import Store


@dataclass(frozen=True)
class Results:
    """The results folder of a configuration."""

    root: Path

    @property
    def store(self) -> Store:
        return Store(self.root / "responses")

    @property
    def checksums(self) -> Checksums:
        return Checksums(self._state / "checksums")

    def analysis(self, template: str, name: str) -> Path:
        return self.root / "analyses" / template / f"{name}.json"

    def report(self, template: str, name: str) -> Path:
        return self.root / "reports" / template / f"{name}.md"

    def failure(self, template: str, name: str) -> Path:
        """The record that a failed job leaves, until a run of it succeeds."""
        return self._state / "failures" / template / f"{name}.json"

    @property
    def day_quota(self) -> Path:
        """Requests that were made today, by project and model."""
        return self._state / "requests-today.json"

    @property
    def uploads(self) -> Path:
        """Names of the files that were sent to the service."""
        return self._state / "uploads"

    @property
    def _state(self) -> Path:
        return self.root / ".reelmake"
