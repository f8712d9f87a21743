"""The program of the gateway: the adapters of the rules, served by one warm process."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import analyze_gemini
import export_report
import extract_frames
import render_report
from reelmake.config import Config
from reelmake.errors import ReelmakeError
from reelmake.gateway.launch import Order, Reply, Setting
from reelmake.gateway.server import Command, Gateway
from reelmake.gateway.workers import Workers
from reelmake.gemini.stopping import Stopping
from reelmake.jobs import JobArguments, Outcome, job
from reelmake.results import Results


async def main() -> None:
    setting = Setting.model_validate_json(sys.stdin.readline())
    with Workers(setting.processes) as workers:
        in_worker = partial(partial, _in_worker, workers)
        commands: dict[str, Command] = {
            "render_report": in_worker(render_report.command),
            "export_report": in_worker(export_report.command),
            "extract_frames": in_worker(extract_frames.command),
        }
        if setting.config.engine == "gemini":
            await _serve_gemini(setting.config, commands, workers)
        elif order := _order():
            gateway = Gateway(commands, stopping=Stopping(), calls_in_flight=lambda: 0)
            await gateway.serve(order.address, timeout_s=0, ready=_ready)


def _order() -> Order | None:
    """What to serve; None when Snakemake ended without having anything to do."""
    line = sys.stdin.readline()
    return Order.model_validate_json(line) if line else None


async def _serve_gemini(config: Config, commands: dict[str, Command], workers: Workers) -> None:
    # Half a second, and much memory, that runs without Gemini do without.
    from reelmake.gemini.account import Account  # noqa: PLC0415

    order = _order()
    if order is None:
        return
    stopping = Stopping()
    account = Account(
        config.gemini,
        Results(Path(config.results)),
        run=workers.run,
        budget_usd=config.budget_usd,
        stopping=stopping,
        keep_uploads=config.keep_uploads,
    )
    async with account:
        await account.check(order.to_analyse)
        account.batches.expect(order.to_analyse)
        commands["analyze_gemini"] = partial(analyze_gemini.command, account)
        gateway = Gateway(
            commands, stopping=stopping, calls_in_flight=lambda: account.calls_in_flight
        )
        await gateway.serve(order.address, timeout_s=config.gemini.timeout_s, ready=_ready)


async def _in_worker(
    workers: Workers, command: Callable[[Sequence[str]], Outcome], arguments: Sequence[str]
) -> Outcome:
    try:
        return await workers.run(command, arguments)
    except ReelmakeError as error:
        died = error
    given = _Any.parse(arguments)
    with job(given.target, given.results, given.log) as outcome:
        raise died
    return outcome


class _Any(JobArguments, extra="ignore"):
    """What all jobs are told."""


def _ready() -> None:
    _reply(Reply())


def _reply(reply: Reply) -> None:
    sys.stdout.write(reply.model_dump_json() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except ReelmakeError as error:
        _reply(Reply(code=error.code, message=error.message))
        sys.exit(1)
