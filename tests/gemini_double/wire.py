"""HTTP/1.1 on asyncio streams, parsed by h11: keep-alive, lazy bodies, and broken connections.

Nothing here knows of Gemini. The handler reads the request body when it wants it, so that it can
also break off in the middle of one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

READ_BYTES = 256 * 1024
JSON_TYPE = "application/json; charset=UTF-8"


class ConnectionDropError(Exception):
    """The handler wants the connection reset (TCP RST) instead of an answer."""


class BodyTooLargeError(Exception):
    """The request body is over the limit given to `Request.read`."""


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    chunks: AsyncIterator[bytes]
    client_gone: Callable[[], bool]

    async def read(self, limit: int) -> bytes:
        body = bytearray()
        async for chunk in self.chunks:
            body += chunk
            if len(body) > limit:
                raise BodyTooLargeError
        return bytes(body)


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    """Close the connection after this many bytes of the body."""
    seconds_a_byte: float = 0.0
    """The body trickles."""
    written: Callable[[bool], None] = lambda complete: None
    """Called once, with whether the whole answer was handed to a client that was still there."""

    @classmethod
    def of_json(
        cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Reply:
        body = json.dumps(value, ensure_ascii=False, indent=2).encode()
        return cls(status, body, {"Content-Type": JSON_TYPE, **(headers or {})})


Handler = Callable[[Request], Awaitable[Reply]]


async def serve_connection(
    handle: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer the requests of one connection until either side ends it."""
    connection = h11.Connection(h11.SERVER)
    try:
        while await _serve_request(connection, handle, reader, writer):
            connection.start_next_cycle()
    except (ConnectionDropError, BodyTooLargeError):
        _reset(writer)
    except (h11.ProtocolError, ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()
        with contextlib.suppress(Exception):
            await writer.wait_closed()


async def _serve_request(
    connection: h11.Connection,
    handle: Handler,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> bool:
    event = await _next_event(connection, reader)
    if not isinstance(event, h11.Request):
        return False
    target = urlsplit(event.target.decode())
    chunks = _body(connection, reader)
    request = Request(
        method=event.method.decode(),
        path=unquote(target.path),
        query=dict(parse_qsl(target.query, keep_blank_values=True)),
        headers={name.decode().lower(): value.decode("latin-1") for name, value in event.headers},
        chunks=chunks,
        client_gone=lambda: reader.at_eof() or writer.is_closing(),
    )
    reply = await handle(request)
    complete = False
    try:
        async for _ in chunks:  # what the handler left unread, or keep-alive breaks
            pass
        complete = await _send(connection, reply, writer, request.client_gone)
    finally:
        reply.written(complete)
    return complete and connection.our_state is h11.DONE and connection.their_state is h11.DONE


async def _send(
    connection: h11.Connection,
    reply: Reply,
    writer: asyncio.StreamWriter,
    client_gone: Callable[[], bool],
) -> bool:
    if client_gone():
        return False
    headers = [*reply.headers.items(), ("Content-Length", str(len(reply.body)))]
    writer.write(connection.send(h11.Response(status_code=reply.status, headers=headers)) or b"")
    if reply.cut_at is not None:
        writer.write(reply.body[: reply.cut_at])
        await writer.drain()
        return False
    sent = connection.send(h11.Data(data=reply.body)) or b""
    if reply.seconds_a_byte:
        for byte in sent:
            if client_gone():
                return False
            writer.write(bytes([byte]))
            await asyncio.sleep(reply.seconds_a_byte)
    else:
        writer.write(sent)
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()
    return True


async def _next_event(connection: h11.Connection, reader: asyncio.StreamReader) -> Any:
    while (event := connection.next_event()) is h11.NEED_DATA:
        received = await reader.read(READ_BYTES)
        if not received and connection.their_state is h11.SEND_BODY:
            raise ConnectionResetError("the client was gone amid its request")
        connection.receive_data(received)
    return event


async def _body(connection: h11.Connection, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while isinstance(event := await _next_event(connection, reader), h11.Data):
        yield bytes(event.data)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST: the client sees 'connection reset by peer', not an orderly end."""
    endpoint = writer.get_extra_info("socket")
    if endpoint is not None:
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
