"""A web server on loopback that speaks https, resumes, redirects, and misbehaves when asked to."""

import datetime
import hashlib
import ipaddress
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Page:
    """What a path answers: ``breaks_after`` bytes the connection is cut, so often as given."""

    content: bytes = b""
    kind: str | None = "video/mp4"
    status: int = 200
    location: str | None = None
    breaks_after: int | None = None
    breaks: int = 0
    says_length: bool = True
    etag: str | None = "content"
    ignores_ranges: bool = False


@dataclass
class WebServer:
    """A running server: its pages by path, and what was asked of it."""

    url: str
    certificate: Path
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range of each."""


@contextmanager
def web_server(folder: Path) -> Iterator[WebServer]:
    """Start one on a free port; its certificate is left in ``folder``."""
    certificate, key = _certificate(folder)
    http = _Server(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    http.socket = context.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    server = WebServer(f"https://localhost:{http.server_address[1]}", certificate)
    http.web = server
    thread = threading.Thread(target=http.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    web: WebServer

    def handle_error(self, *_: object) -> None:
        """Clients may well go away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        web = self.server.web
        asked = self.headers["Range"]
        web.requests.append((self.path, asked))
        page = web.pages.get(self.path, Page(status=404, kind="text/html"))
        etag = page.etag and f'"{hashlib.sha256(page.content).hexdigest()[:8]}"'
        start = 0
        if asked and not page.ignores_ranges and self.headers["If-Range"] == etag:
            start = int(re.findall(r"\d+", asked)[0])
        body = page.content[start:]
        self.send_response(206 if start else page.status)
        if page.location:
            self.send_header("Location", page.location)
        if page.kind:
            self.send_header("Content-Type", page.kind)
        if etag:
            self.send_header("ETag", etag)
        if start:
            total = len(page.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if page.says_length:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if page.breaks_after is not None and page.breaks > 0:
            page.breaks -= 1
            body = body[: page.breaks_after]
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, key_file = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, key_file
