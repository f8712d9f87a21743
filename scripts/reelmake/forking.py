"""Processes that are forked off by one which has loaded little, and the folder of its socket."""

import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Sequence
from multiprocessing import util
from multiprocessing.context import ForkServerContext
from pathlib import Path

# A socket's address has room for 107 bytes; `/pymp-xxxxxxxx/listener-xxxxxxxx` takes 32 of them.
_LONGEST_FOLDER = 70
_SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108  a folder of its own is made there


def fork_server(preloaded: Sequence[str]) -> ForkServerContext:
    """Return a context whose processes begin with the modules ``preloaded``."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preloaded))
    _make_folder_of_socket()
    return context


def remove_folder_of_socket() -> None:
    """For who ends by `os._exit`: else Python does it. No process can be forked off any more."""
    shutil.rmtree(util.get_temp_dir(), ignore_errors=True)


def _make_folder_of_socket() -> None:
    """Where temporary files are, unless the name of that place is too long for a socket."""
    usual = tempfile.gettempdir()
    if len(os.fsencode(usual)) <= _LONGEST_FOLDER:
        return  # Python makes it there by itself
    try:
        tempfile.tempdir = next(filter(_is_usable, _SHORT_FOLDERS), usual)
        util.get_temp_dir()  # it is remembered
    finally:
        tempfile.tempdir = usual


def _is_usable(folder: str) -> bool:
    return Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK)
