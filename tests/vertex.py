"""Vertex AI on loopback: its addresses and accounts before the double, which answers."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gemini_double import TEST_KEY

CANARY = "token-canary"
_MODELS = r"/v1beta1/(?:projects/mine/locations/global/)?publishers/google/(models/.*)"


@dataclass
class Vertex:
    """A running server, and the videos that it was asked about: addresses and MIME types."""

    double: str
    folder: Path
    url: str = ""
    knows_account: bool = True
    videos: list[tuple[str, str]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """With the key file of a service account."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        account = {
            "type": "service_account",
            "private_key": key.decode(),
            "client_email": "reports@mine.iam.gserviceaccount.com",
            "token_uri": f"{self.url}/token",
        }
        path = self.folder / "account.json"
        path.write_text(json.dumps(account))
        return {"GOOGLE_VERTEX_BASE_URL": self.url, "GOOGLE_APPLICATION_CREDENTIALS": str(path)}


@contextmanager
def vertex_before(double: str, folder: Path) -> Iterator[Vertex]:
    """Start one on a free port; ``folder`` is for the account's key."""
    http = _Server(("127.0.0.1", 0), _Handler)
    http.vertex = Vertex(double, folder, f"http://127.0.0.1:{http.server_address[1]}")
    thread = threading.Thread(target=http.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield http.vertex
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    vertex: Vertex


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes | None) -> None:
        assert isinstance(self.server, _Server)
        vertex = self.server.vertex
        if self.path == "/token":
            known = {"access_token": CANARY, "expires_in": 3600}
            refused = {"error": "invalid_grant", "error_description": "account not found"}
            self._reply(*((200, known) if vertex.knows_account else (400, refused)))
            return
        model = re.fullmatch(_MODELS, self.path)
        if not model or self.headers["Authorization"] != f"Bearer {CANARY}":
            self._reply(404, {"error": {"code": 404, "message": "no such method"}})
            return
        asked = json.loads(body) if body else None
        if asked and "store" in asked:
            self._reply(400, {"error": {"code": 400, "message": 'Unknown name "store"'}})
            return
        self._reply(*_handed_on(vertex, model[1], asked))

    def _reply(self, status: int, content: Any) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Not to the terminal."""


def _handed_on(vertex: Vertex, path: str, asked: dict[str, Any] | None) -> tuple[int, Any]:
    """The double knows no buckets: to it they are web addresses."""
    for part in asked["contents"][0]["parts"] if asked else ():
        if data := part.get("fileData"):
            vertex.videos.append((data["file_uri"], data["mime_type"]))
            data["file_uri"] = data["file_uri"].replace("gs://", "https://")
    reply = httpx2.request(
        "POST" if asked else "GET",
        f"{vertex.double}/v1beta/{path}",
        json=asked,
        headers={"x-goog-api-key": TEST_KEY},
    )
    return reply.status_code, reply.json()
