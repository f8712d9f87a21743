"""Snakemake's side of the gateway."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reelmake.config import Config
from reelmake.gateway.launch import Gateway


@pytest.fixture(autouse=True)
def handlers_as_they_were() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_in_the_middle_of_snakemakes_work_stops_it_and_no_lock_does() -> None:
    """Snakemake's handler of SIGTERM takes a lock that its main thread holds most of the time."""
    lock, stopped = threading.Lock(), threading.Event()

    def snakemakes(*_: object) -> None:
        with lock:
            stopped.set()

    signal.signal(signal.SIGTERM, snakemakes)
    Gateway(Path("gateway.py"), Config(videos="videos"), cores=1).pass_on_signals()
    with lock:
        os.kill(os.getpid(), signal.SIGTERM)
        assert not stopped.wait(0.1)
    assert stopped.wait(5)


def test_ctrl_c_still_is_an_exception() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    Gateway(Path("gateway.py"), Config(videos="videos"), cores=1).pass_on_signals()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
