"""The program of the gateway: the adapters of the rules, served by one warm process."""

import asyncio
import os
import sys
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import analyze_gemini
import build_digest
from reelmake.config import Config
from reelmake.errors import ReelmakeError, of_system
from reelmake.forking import remove_folder_of_socket
from reelmake.garbage import keep_for_good
from reelmake.gateway.launch import Order, Reply, Setting
from reelmake.gateway.server import Command, Gateway, Snakemake
from reelmake.gateway.workers import Workers
from reelmake.gemini.stopping import Stopping
from reelmake.jobs import Outcome, failed
from reelmake.logs import show_warnings, write_run_log
from reelmake.meter import kept
from reelmake.results import Results

# What decodes or renders is loaded where it is done: by the workers.
DONE_BY_WORKERS = (
    "build_index",
    "export_digest",
    "export_report",
    "extract_frames",
    "render_report",
)


async def main() -> int:
    write_run_log()
    show_warnings()
    snakemake = await Snakemake.listened_to()
    line = await snakemake.line()
    if not line:
        return 0  # it was stopped before it could say anything
    try:
        await _serve(snakemake, Setting.model_validate_json(line))
    except (ReelmakeError, OSError) as error:
        known = of_system(error) if isinstance(error, OSError) else error
        if known is None:
            raise
        snakemake.reply(Reply(code=known.code, message=known.message).model_dump_json())
        return 1
    return 0


async def _serve(snakemake: Snakemake, setting: Setting) -> None:
    with Workers(setting.processes) as workers:
        commands: dict[str, Command] = {
            "build_digest": partial(build_digest.command, None),
            **{script: partial(_in_worker, workers, script) for script in DONE_BY_WORKERS},
        }
        if setting.config.engine == "gemini":
            await _serve_gemini(snakemake, setting.config, commands, workers)
        elif await snakemake.line():
            gateway = Gateway(commands, stopping=Stopping(), calls_in_flight=lambda: 0)
            snakemake.reply(Reply().model_dump_json())
            await gateway.serve(snakemake, timeout_s=0)


async def _serve_gemini(
    snakemake: Snakemake, config: Config, commands: dict[str, Command], workers: Workers
) -> None:
    # Half a second, and much memory, that runs without Gemini do without.
    from reelmake.gemini.account import Account  # noqa: PLC0415

    line = await snakemake.line()
    if not line:
        return  # it ended without having anything to do
    order = Order.model_validate_json(line)
    stopping = Stopping()
    results = Results(Path(config.results))
    account = Account(
        config.gemini,
        results,
        run=workers.run,
        budget_usd=config.budget_usd,
        stopping=stopping,
        keep_uploads=config.keep_uploads,
        at_once=order.at_once,
    )
    keep_for_good()
    async with account, kept(account.meter, results.meter):
        if not order.on_nodes:
            account.expect(order.to_analyse, again=order.again)
        if not order.again:
            await account.check(order.to_analyse)
        commands["analyze_gemini"] = partial(analyze_gemini.command, account)
        commands["build_digest"] = partial(build_digest.command, account)
        gateway = Gateway(
            commands, stopping=stopping, calls_in_flight=lambda: account.calls_in_flight
        )
        snakemake.reply(Reply().model_dump_json())
        await gateway.serve(snakemake, timeout_s=config.gemini.timeout_s)


async def _in_worker(workers: Workers, script: str, arguments: Mapping[str, Any]) -> Outcome:
    try:
        return await workers.run_without_haste(_do, script, arguments)
    except ReelmakeError as error:
        return failed(arguments, error)


def _do(script: str, arguments: Mapping[str, Any]) -> Outcome:
    outcome: Outcome = import_module(script).command(arguments)
    return outcome


if __name__ == "__main__":
    code = asyncio.run(main())
    sys.stderr.flush()
    remove_folder_of_socket()
    # All is done and written; taking a hundred modules apart would keep Snakemake waiting.
    os._exit(code)
