"""The double as a server: in a thread of the tests' process, or as a process of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

from .batches import Batches
from .control import PREFIX, control
from .faults import Fault, FaultBoard
from .files import FileStore
from .ledger import Ledger
from .service import Service
from .settings import Settings
from .wire import Reply, Request, serve_connection

HOST = "127.0.0.1"
BACKLOG = 1024
STREAM_BUFFER_BYTES = 1024**2
START_SECONDS = 10.0


class GeminiDouble:
    """A Gemini Developer API on loopback: `with GeminiDouble() as double: … double.url`."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        faults: Iterable[Fault] = (),
        port: int = 0,
        ledger_path: Path | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.faults = FaultBoard(faults)
        self.ledger = Ledger(ledger_path)
        self.port = port
        self._service = Service(self.settings, self.faults, self.ledger)
        self._connections: set[asyncio.Task[None]] = set()
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def files(self) -> FileStore:
        return self._service.files

    @property
    def batches(self) -> Batches:
        return self._service.batches

    def __enter__(self) -> GeminiDouble:
        ready = threading.Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                asyncio.run(self.serve(ready.set))
            except BaseException as error:  # noqa: BLE001 - raised again in __enter__
                failures.append(error)
                ready.set()

        self._thread = threading.Thread(target=run, name="gemini-double", daemon=True)
        self._thread.start()
        ready.wait(START_SECONDS)
        if failures:
            raise RuntimeError("the double did not start") from failures[0]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join(START_SECONDS)

    def stop(self) -> None:
        """End `serve`, from any thread; open connections are closed."""
        self._stop()

    async def serve(self, ready: Callable[[], None]) -> None:
        """Serve until stopped or cancelled; `ready` is called once the port is known."""
        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        self._stop = lambda: _call_soon(loop, stopped.set)
        server = await asyncio.start_server(
            self._connected, HOST, self.port, backlog=BACKLOG, limit=STREAM_BUFFER_BYTES
        )
        self.port = server.sockets[0].getsockname()[1]
        try:
            ready()
            await stopped.wait()
        finally:
            server.close()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            self.files.close()
            self.ledger.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection in a task of our own, which can be cancelled without a traceback."""
        task = asyncio.get_running_loop().create_task(
            serve_connection(self._handle, reader, writer)
        )
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        await asyncio.wait([task])

    async def _handle(self, request: Request) -> Reply:
        if request.path.startswith(PREFIX):
            return await control(self._service, request)
        return await self._service.handle(request)


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback)
