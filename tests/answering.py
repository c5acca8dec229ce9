"""An OpenAI-compatible server over real HTTP that answers as a test says, for what a healthy engine never does.

The real engine is asked in tests/contract/engine.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, Any]
"""Status and JSON body; an iterator of events is streamed, each as soon as it is there."""


def completion(text: str | None, finish: str = "stop", tokens: tuple[int, int] = (7, 3)) -> Reply:
    """A chat completion as vLLM writes it."""
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    message = {"role": "assistant", "content": text}
    return 200, {"choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage}


class Answering(ThreadingHTTPServer):
    """Serves on a free port of 127.0.0.1 and keeps what it was asked."""

    daemon_threads = True

    def __init__(self, answer: Callable[[dict[str, Any]], Reply]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[dict[str, Any]] = []
        """Bodies of all requests, with their ``path`` and ``authorization``."""
        self.most_at_a_time = 0
        self.open_requests = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Answering
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement of its headers

    def do_GET(self) -> None:
        self._send((200, {"data": [{"id": "listed"}]}) if self.path == "/v1/models" else (404, {}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body |= {"path": self.path, "authorization": self.headers.get("Authorization")}
        with self.server.lock:
            self.server.asked.append(body)
            self.server.open_requests += 1
            self.server.most_at_a_time = max(self.server.most_at_a_time, self.server.open_requests)
        try:
            reply = self.server.answer(body)
        finally:
            with self.server.lock:
                self.server.open_requests -= 1
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        status, document = reply
        if isinstance(document, Iterator):
            self._stream(document)
            return
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, events: Iterator[Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with suppress(ConnectionError):  # the client has left
            for event in events:
                line = f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode()
                self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@contextmanager
def answering(answer: Callable[[dict[str, Any]], Reply]) -> Iterator[Answering]:
    """Serve until the block ends."""
    with Answering(answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
