"""Answers of an API server to typed errors.

Covered: status codes, the server's words, Retry-After, silence, something that is not JSON, pages.  A small
HTTP server on the loopback stands for the API server, because a real one cannot be made to fail like this.
"""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from costpolicy.kube import connection as module
from costpolicy.kube.connection import Connection, connect
from costpolicy.kube.errors import Conflict, Forbidden, GatewayError, Gone, Invalid, Unavailable


class Answers(BaseHTTPRequestHandler):
    """Answers ``/status/<code>`` with that code, and a few more paths."""

    def do_GET(self) -> None:
        address = urlparse(self.path)
        _, kind, argument = address.path.split("/")
        match kind:
            case "status":
                body = json.dumps({"kind": "Status", "message": f"words of {argument}"})
                self._answer(int(argument), body.encode(), {"Retry-After": "7"})
            case "text":
                self._answer(int(argument), b"<html>a proxy speaking</html>")
            case "slow":
                self.server.patience.wait(10)
                self._answer(200, b"{}")
            case _:
                token = parse_qs(address.query).get("continue", [""])[0]
                after = {"": "x", "x": "y", "y": ""}[token]
                self._answer(200, json.dumps({"metadata": {"continue": after}, "items": [token]}).encode())

    def _answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    listening.patience = threading.Event()
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield listening
    listening.patience.set()
    listening.shutdown()
    listening.server_close()
    thread.join()


@pytest.fixture
def reached(server: ThreadingHTTPServer, tmp_path: Path) -> Iterator[Connection]:
    connected = connect(kubeconfig=kubeconfig(tmp_path, f"http://127.0.0.1:{server.server_port}"))
    yield connected
    connected.close()


def kubeconfig(folder: Path, url: str) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
    }
    (folder / "kubeconfig").write_text(json.dumps(config))
    return str(folder / "kubeconfig")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (400, Invalid),
        (401, Forbidden),
        (403, Forbidden),
        (404, Gone),
        (409, Conflict),
        (410, Gone),
        (422, Invalid),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_each_refusal_has_its_type_and_keeps_the_servers_words(
    reached: Connection, code: int, expected: type[GatewayError]
) -> None:
    with pytest.raises(expected, match=f"words of {code}") as caught:
        reached.request("GET", f"/status/{code}")

    assert type(caught.value) is expected


def test_an_overloaded_server_says_when_to_come_back(reached: Connection) -> None:
    with pytest.raises(Unavailable) as caught:
        reached.request("GET", "/status/429")

    assert caught.value.retry_after == timedelta(seconds=7)


def test_an_error_without_a_status_object_is_still_told(reached: Connection) -> None:
    with pytest.raises(Unavailable, match="a proxy speaking"):
        reached.request("GET", "/text/502")


def test_an_answer_that_is_not_json_is_no_answer(reached: Connection) -> None:
    with pytest.raises(Unavailable, match="not JSON"):
        reached.request("GET", "/text/200")


def test_a_silent_server_is_given_up(reached: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT", 0.2)

    with pytest.raises(Unavailable, match="does not answer"):
        reached.request("GET", "/slow/0")


def test_a_server_that_is_away_is_unavailable(tmp_path: Path) -> None:
    away = connect(kubeconfig=kubeconfig(tmp_path, "http://127.0.0.1:1"))

    with pytest.raises(Unavailable, match="does not answer"):
        away.request("GET", "/status/200")
    away.close()


def test_all_pages_of_a_list_are_read(reached: Connection) -> None:
    assert [page["items"] for page in reached.pages("/list/0")] == [[""], ["x"], ["y"]]


def test_a_missing_kubeconfig_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no way to reach a cluster"):
        connect(kubeconfig=str(tmp_path / "nothing"))


def test_the_token_is_not_shown_where_credentials_are_printed(reached: Connection) -> None:
    credentials = reached.credentials()

    assert credentials.authorization == "Bearer secret"
    assert "secret" not in repr(credentials)
