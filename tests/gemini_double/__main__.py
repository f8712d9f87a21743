"""`python -m gemini_double`: prints its URL, then serves until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from . import Fault, GeminiDouble, Settings


def main() -> None:
    parser = argparse.ArgumentParser(prog="gemini_double", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--ledger", type=Path, help="JSONL file that gets one record a request")
    parser.add_argument("--config", type=Path, help="JSON: any settings, and a list `faults`")
    parser.add_argument("--latency", type=float, help="seconds a generateContent takes")
    arguments = parser.parse_args()
    settings, faults = Settings(), []
    if arguments.config:
        config = json.loads(arguments.config.read_text(encoding="utf-8"))
        faults = [Fault.of(each) for each in config.pop("faults", [])]
        settings.update(config)
    if arguments.latency is not None:
        settings.latency = arguments.latency
    double = GeminiDouble(
        settings, faults=faults, port=arguments.port, ledger_path=arguments.ledger
    )
    asyncio.run(_serve(double))


async def _serve(double: GeminiDouble) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, double.stop)
    await double.serve(lambda: _announce(double.url))


def _announce(url: str) -> None:
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
