"""Connections to addresses that strangers wrote down: https, to public hosts only.

The name is looked up once, every answer is checked, and the connection goes to the address that was
checked: a name that answers differently the second time (DNS rebinding) gains nothing.
"""

import http.client
import ipaddress
import os
import re
import socket
import ssl
from urllib.parse import SplitResult, quote, urlsplit

from reelmake.errors import ReelmakeError

TEST_CERTIFICATE = "REELMAKE_TEST_CERTIFICATE"
"""For tests alone: a CA's file; with it, servers that it vouches for may be on loopback."""


def connect(url: SplitResult, *, timeout_s: float) -> http.client.HTTPSConnection:
    """Connect to the host of an https address. Raises ReelmakeError, and OSError as sockets do."""
    host, port = url.hostname or "", url.port or 443
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise ReelmakeError("fetch_failed", f"The host {host} can't be found.") from None
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not _is_allowed(address):
            message = f"{host} is at {address}, which is no public address."
            raise ReelmakeError("fetch_refused", message)
    certificate = os.environ.get(TEST_CERTIFICATE)
    context = ssl.create_default_context(cafile=certificate)
    return _Checked(host, addresses, port=port, timeout=timeout_s, context=context)


def checked(url: str) -> SplitResult:
    """The parts of an address that may be fetched, path and query ready to be sent.

    Raises ReelmakeError ``fetch_refused``.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.password or re.search(r"[\x00-\x20\x7f]", url):
        message = f"{url!r} is not fetched: expected a plain https address, without a password."
        raise ReelmakeError("fetch_refused", message)
    kept = "%/?:@!$&'()*+,;=~"
    return parts._replace(path=quote(parts.path, kept), query=quote(parts.query, kept))


class _Checked(http.client.HTTPSConnection):
    """Speaks TLS with ``host``, at the addresses given and no others; no proxy is asked."""

    def __init__(
        self,
        host: str,
        addresses: list[str],
        *,
        port: int,
        timeout: float,
        context: ssl.SSLContext,
    ) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._addresses = addresses
        self._tls = context

    def connect(self) -> None:
        failure: OSError | None = None
        for address in self._addresses:
            try:
                plain = socket.create_connection((address, self.port), self.timeout)
            except OSError as error:
                failure = error
                continue
            try:
                self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
            except BaseException:
                plain.close()
                raise
            return
        raise failure or OSError("no address")


def _is_allowed(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # What carries an IPv4 address inside is judged by that one.
        ip = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1] or ip
        if isinstance(ip, ipaddress.IPv6Address) and ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.is_loopback:
        return TEST_CERTIFICATE in os.environ
    if any(ip in network for network in _SPECIAL):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


# No public hosts either, and not known as such to all versions of Python.
_SPECIAL = [
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "64:ff9b:1::/48", "3fff::/20")
]
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
