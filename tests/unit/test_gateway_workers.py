"""Processes that decode and render: what breaks one breaks nothing else, and none is left over."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reelmake.errors import ReelmakeError
from reelmake.gateway.workers import Workers
from reelmake.store import digest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(autouse=True)
def modules_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(SCRIPTS))


def test_what_a_function_returns_or_raises_arrives() -> None:
    async def main() -> None:
        with Workers(2) as workers:
            assert await workers.run(digest, {"a": 1}) == digest({"a": 1})
            with pytest.raises(FileNotFoundError):
                await workers.run(os.stat, "nowhere")

    asyncio.run(main())


def test_a_process_that_dies_fails_its_own_job_alone() -> None:
    async def main() -> None:
        with Workers(1) as workers:
            outcomes = await asyncio.gather(
                *(workers.run(os.path.abspath, "a") for _ in range(3)),
                workers.run(signal.raise_signal, signal.SIGKILL),
                *(workers.run(os.path.abspath, "a") for _ in range(3)),
                return_exceptions=True,
            )
            died = outcomes.pop(3)
            assert isinstance(died, ReelmakeError)
            assert died.code == "worker_died"
            assert outcomes == [os.path.abspath("a")] * 6  # noqa: PTH100  the function that is run

    asyncio.run(main())


def test_they_end_with_their_parent_also_when_it_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio, os, time\n"
        "from reelmake.gateway.workers import Workers\n"
        "async def main():\n"
        "    with Workers(2) as workers:\n"
        "        print(*[await workers.run(os.getpid) for _ in range(4)], flush=True)\n"
        "        await asyncio.gather(*(workers.run(time.sleep, 60) for _ in range(2)))\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(main())\n"
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    children = {int(pid) for pid in parent.stdout.readline().split()}
    assert children
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while any(_lives(pid) for pid in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
