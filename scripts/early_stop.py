"""Ctrl-C while the Snakefile is read and planned, when Snakemake does not listen for it yet."""

import signal
import sys
import warnings
from types import FrameType, TracebackType


def stop_at_once_and_say_so() -> None:
    """From here on Ctrl-C ends planning, and its end is no traceback; the exit code is Python's."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # asyncio would replace the default, and wait for a pause, of which planning has few.
        signal.signal(signal.SIGINT, _interrupt)
    before = sys.excepthook

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            before(kind, error, trace)
            return
        # Not above: while it is loaded, Ctrl-C is to be heard already.
        from reelmake.translation import say_on_terminal  # noqa: PLC0415

        say = say_on_terminal()
        said = say("Stopped. Run the same command again: nothing is paid twice.")
        sys.stderr.write(f"\n{said}\n")
        # What is left half done has nothing more to say.
        sys.unraisablehook = lambda _: None
        warnings.filterwarnings("ignore", message="coroutine .* was never awaited")

    sys.excepthook = tell


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.default_int_handler(number, frame)
