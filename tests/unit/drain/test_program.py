"""The program inside engine pods: clients are told to let go, and the hook waits until they have.

Covered: the middleware as an ASGI server calls it, the kernel's table of connections, the hook as a process.
Not covered: the real engine (tests/e2e/test_flags_rollout.py).
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from costpolicy.drain import program
from costpolicy.drain.program import CloseConnections, connections

CLOSE = (b"connection", b"close")


@pytest.fixture
def stopping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the hook leaves its mark; absent until a test makes it."""
    monkeypatch.setattr(program, "STOPPING", tmp_path / "costpolicy-stopping")
    return tmp_path / "costpolicy-stopping"


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


async def answers(scope, receive, send):
    """Be an application that answers in two pieces."""
    await send(
        {"type": f"{scope['type']}.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
    )
    await send({"type": f"{scope['type']}.response.body", "body": b"yes"})


def asked(middleware: CloseConnections, kind: str = "http") -> list[dict]:
    """Return what is sent to the server for one request."""
    sent = []

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        sent.append(message)

    asyncio.run(middleware({"type": kind}, receive, send))
    return sent


def test_answers_pass_unchanged_while_nothing_stops(stopping: Path):
    start, body = asked(CloseConnections(answers))

    assert [(b"content-type", b"text/plain")] == start["headers"]
    assert b"yes" == body["body"]


def test_an_engine_that_stops_tells_every_client_to_connect_anew(stopping: Path):
    middleware = CloseConnections(answers)
    stopping.touch()

    start, body = asked(middleware)

    assert [(b"content-type", b"text/plain"), CLOSE] == start["headers"]
    assert {"type": "http.response.body", "body": b"yes"} == body


def test_websockets_have_no_such_header(stopping: Path):
    middleware = CloseConnections(answers)
    stopping.touch()

    start, _ = asked(middleware, "websocket")

    assert CLOSE not in start["headers"]


def test_a_container_that_starts_again_stops_no_more(stopping: Path):
    stopping.touch()

    start, _ = asked(CloseConnections(answers))

    assert CLOSE not in start["headers"]
    assert not stopping.exists()


def test_connected_clients_are_counted(listening: socket.socket):
    port = listening.getsockname()[1]
    assert 0 == connections(port)

    with socket.create_connection(("127.0.0.1", port)), listening.accept()[0]:
        assert 1 == connections(port)

    assert 0 == connections(port)


def test_the_hook_ends_when_the_last_client_has_gone(listening: socket.socket, tmp_path: Path):
    port = listening.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)), listening.accept()[0]:
        hook = start_hook(port, longest=600, folder=tmp_path)
        until((tmp_path / "costpolicy-stopping").exists)
        assert hook.poll() is None

    assert 0 == hook.wait(timeout=60)


def test_the_hook_does_not_wait_for_ever(listening: socket.socket, tmp_path: Path):
    port = listening.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)), listening.accept()[0]:
        assert 0 == start_hook(port, longest=0, folder=tmp_path).wait(timeout=60)


def start_hook(port: int, *, longest: float, folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, program.__file__, str(port), "0", str(longest)]
    return subprocess.Popen(command, env=os.environ | {"TMPDIR": str(folder)})


def until(holds) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
