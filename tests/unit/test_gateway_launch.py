"""Snakemake's side of the gateway."""

import queue
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from reelmake.config import Config
from reelmake.gateway import launch
from reelmake.gateway.launch import Gateway, Order
from reelmake.jobs import Outcome, read_failure
from reelmake.targets import Target


@pytest.fixture(autouse=True)
def handlers_as_they_were() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_ctrl_c_still_is_an_exception() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    Gateway(Path("gateway.py"), Config(videos="videos"), cores=1).pass_on_signals()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


_PROGRAM = """
import asyncio, os, sys
from functools import partial
from pathlib import Path
from reelmake.gateway.launch import Reply
from reelmake.gateway.server import Gateway, Snakemake
from reelmake.gemini.stopping import Stopping
from reelmake.jobs import Outcome

async def echo(stopping, arguments):
    print("a library has something to say")
    if "crash" in arguments:
        raise ValueError("no such thing")
    while "stopped" in arguments and not stopping.begun:
        await asyncio.sleep(0.01)
    return Outcome(arguments["name"])

async def die_once(arguments):
    mark = Path(arguments["mark"])
    if mark.exists():
        return Outcome("alive")
    mark.touch()
    os._exit(3)

async def die_at_the_stop(stopping, arguments):
    for _ in range(1000):
        if stopping.begun:
            break
        await asyncio.sleep(0.01)
    mark = Path(arguments["mark"])
    if not mark.exists():
        mark.touch()
        os._exit(3)
    return Outcome("stopped" if stopping.begun else "goes on")

async def ordered(order, arguments):
    return Outcome(order)

async def die(arguments):
    os._exit(3)

async def main():
    snakemake = await Snakemake.listened_to()
    await snakemake.line()
    order = await snakemake.line()
    snakemake.reply(Reply().model_dump_json())
    stopping = Stopping()
    commands = {"echo": partial(echo, stopping), "die_once": die_once, "die": die}
    commands["die_at_the_stop"] = partial(die_at_the_stop, stopping)
    commands["order"] = partial(ordered, order)
    gateway = Gateway(commands, stopping=stopping, calls_in_flight=lambda: 0)
    await gateway.serve(snakemake, timeout_s=0)

asyncio.run(main())
"""


_ORDER = Order(
    to_analyse=[Target(name="talk", video="talk.mp4", template="summary_report")], at_once=3
)


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    program = tmp_path / "program.py"
    package = Path(launch.__file__).parents[2]
    program.write_text(f"import sys; sys.path.append({str(package)!r})\n{_PROGRAM}")
    monkeypatch.chdir(tmp_path)
    it = Gateway(program, Config(videos="videos"), cores=1)
    it.start(_ORDER)
    yield it
    it.close()


class Asked:
    """A job that was asked for, and how it ends."""

    def __init__(self, gateway: Gateway, script: str, **arguments: str) -> None:
        self._ended: queue.Queue[Outcome] = queue.Queue()
        gateway.ask(script, arguments, self._ended.put)

    @property
    def outcome(self) -> Outcome:
        return self._ended.get(timeout=30)


def _of_any_job(folder: Path) -> dict[str, str]:
    target = Target(name="talk", video="talk.mp4", template="summary_report")
    return {
        "target": target.model_dump_json(),
        "results": f"{folder}/results",
        "log": f"{folder}/talk.log",
    }


def test_every_job_is_told_how_it_ended(gateway: Gateway) -> None:
    names = [f"讲座 {number}\udcff\n'\"" for number in range(20)]
    asked = [Asked(gateway, "echo", name=name) for name in names]
    assert [job.outcome for job in asked] == [Outcome(name) for name in names]


def test_a_job_that_breaks_in_the_gateway_has_failed_and_no_other_one(
    gateway: Gateway, tmp_path: Path
) -> None:
    crashed = Asked(gateway, "echo", **_of_any_job(tmp_path), crash="yes").outcome
    assert crashed.failed
    assert "ValueError: no such thing" in crashed.message
    assert "Traceback" not in crashed.message
    assert "Traceback" in (tmp_path / "talk.log").read_text()
    assert not Asked(gateway, "echo", name="well").outcome.failed


def test_where_a_job_of_no_report_broke_is_in_its_log(gateway: Gateway, tmp_path: Path) -> None:
    log = tmp_path / "logs/build_index.log"
    assert Asked(gateway, "echo", log=str(log), crash="yes").outcome.failed
    assert "ValueError: no such thing" in log.read_text()


def test_the_next_one_knows_that_the_run_is_being_stopped(gateway: Gateway, tmp_path: Path) -> None:
    stopped = Asked(gateway, "die_at_the_stop", mark=str(tmp_path / "mark"))
    gateway.drain()
    assert stopped.outcome == Outcome("stopped")


def test_when_it_dies_the_next_one_does_its_jobs(gateway: Gateway, tmp_path: Path) -> None:
    waiting = Asked(gateway, "die_once", mark=str(tmp_path / "mark"))
    assert waiting.outcome == Outcome("alive")
    assert Asked(gateway, "echo", name="hello").outcome == Outcome("hello")
    # It knows what the first one knew.
    order = Order.model_validate_json(Asked(gateway, "order").outcome.message)
    assert order == _ORDER.model_copy(update={"again": True})


def test_when_none_comes_back_its_jobs_have_failed_and_so_have_later_ones(
    gateway: Gateway, tmp_path: Path
) -> None:
    for name in ("die", "echo"):
        outcome = Asked(gateway, name, **_of_any_job(tmp_path)).outcome
        assert outcome.failed
        assert "the gateway died" in outcome.message
    failure = read_failure(tmp_path / "results/.reelmake/failures/summary_report/talk.json")
    assert failure is not None
    assert failure.code == "gateway_died"


def test_it_is_told_to_begin_nothing_new(gateway: Gateway) -> None:
    waiting = Asked(gateway, "echo", name="at last", stopped="yes")
    gateway.drain()
    assert waiting.outcome == Outcome("at last")
