"""Asks clients to let go of a stopping engine, and waits until they have.

This file is copied into engine pods: it needs the standard library alone and any Python from 3.9 on. The engine loads
`CloseConnections` as ASGI middleware; the pod's preStop hook runs the file as a program:

    python3 costpolicy_drain.py PORT SECONDS LONGEST

waits SECONDS, in which endpoints and load balancers forget the pod and every answer carries `Connection: close`, then
until nobody is connected to PORT any more, at most LONGEST seconds. SIGTERM comes after the hook, and meets an idle engine.
"""

import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

STOPPING = Path(tempfile.gettempdir(), "costpolicy-stopping")
"""There while the container is being stopped. A file, because an engine may have several API server processes."""
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
"""The kernel's connections of this pod."""
_ESTABLISHED = "01"
_BETWEEN_LOOKS = 0.5


class CloseConnections:
    """ASGI middleware: while the container is being stopped, every answer tells the client to connect anew."""

    def __init__(self, app: Application) -> None:
        self._app = app
        # A container that was stopped and started again in the same pod is not stopping any more.
        STOPPING.unlink(missing_ok=True)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back."""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_stopping():
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, answer)


def connections(port: int) -> int:
    """Return how many connections clients have to a port of this pod."""
    found = 0
    for table in TABLES:
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            _, local, _, state = line.split()[:4]
            found += state == _ESTABLISHED and int(local.rpartition(":")[2], 16) == port
    return found


def main(port: int, seconds: float, longest: float) -> None:
    """Be the preStop hook."""
    STOPPING.touch()
    time.sleep(seconds)
    deadline = time.monotonic() + longest
    while connections(port) and time.monotonic() < deadline:
        time.sleep(_BETWEEN_LOOKS)


def _is_stopping() -> bool:
    return STOPPING.exists()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
