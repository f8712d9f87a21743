"""Ctrl-C while the Snakefile is read and planned, when Snakemake does not listen for it yet."""

import sys
from types import TracebackType


def say_so_without_a_traceback() -> None:
    """From here on; what Python does besides, such as its exit code, stays."""
    before = sys.excepthook

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            before(kind, error, trace)
            return
        # Here, so that what takes long to load is covered as well.
        from reelmake.translation import say_on_terminal  # noqa: PLC0415

        say = say_on_terminal()
        said = say("Stopped. Run the same command again: nothing is paid twice.")
        sys.stderr.write(f"\n{said}\n")

    sys.excepthook = tell
