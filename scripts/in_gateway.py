"""Has a job done by the run's gateway; where there is none, the job is done here.

`python -ISE scripts/in_gateway.py <script> --name=value …`, as the rules do. Hundreds of these
wait at once, so it imports next to nothing: `socket` alone would cost as much again.
"""

import os
import sys
import time
from _socket import AF_UNIX, SHUT_WR, SOCK_STREAM, socket

RESTART_S = 10.0
"""For so long a gateway that died may take to come back."""


def main(arguments: list[str]) -> int:
    address = os.environ.get("REELMAKE_GATEWAY")
    parent = os.getppid()
    deadline = time.monotonic() + RESTART_S
    while address and time.monotonic() < deadline and os.path.isdir(os.path.dirname(address)):
        asked = time.monotonic()
        answer = ask(address, arguments)
        if answer:
            sys.stderr.write(answer[1:].decode(errors="replace"))
            return answer[0]
        # From the moment that it died: a job may have waited for an hour before.
        deadline += time.monotonic() - asked
        time.sleep(0.2)
        if os.getppid() != parent:
            return 1  # Snakemake is gone too: nobody waits for this any more
    name, *rest = arguments
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py")
    return os.execv(sys.executable, [sys.executable, script, *rest])


def ask(address: str, arguments: list[str]) -> bytes:
    """The exit code and what to say; nothing when the gateway is not there, or died."""
    connection = socket(AF_UNIX, SOCK_STREAM)
    try:
        connection.connect(address)
        connection.sendall(b"".join(os.fsencode(word) + b"\0" for word in arguments))
        connection.shutdown(SHUT_WR)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        connection.close()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
