"""The Prometheus adapter against a real Prometheus and against real sockets that misbehave.

Covered: unreachable, refused (401, 403, 422, 500 with and without a body), a login page, slow, partial
answers, other result types, duplicates, NaN and infinities, retries, token file, retention, connections given
back. Not covered: TLS.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from contract.observe.tapes import END, Tape, ramp
from costpolicy.api.reasons import Reason
from costpolicy.observe.prometheus import PrometheusSource, parse_retention
from costpolicy.observe.source import MetricsUnavailable, Sample
from engine.server import free_port
from scraping import Server

AT = datetime.fromtimestamp(END, tz=UTC)
SHORT = timedelta(milliseconds=400)


@dataclass
class Answering:
    """A server that answers every request from a list, the last answer again and again."""

    url: str = ""
    answers: list[tuple[int, str]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    silent: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def answering() -> Iterator[Answering]:
    state = Answering()
    release = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append({"path": self.path, **dict(self.headers)})
            if state.silent.is_set():
                release.wait(10)
                return
            status, text = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            if status in {429, 503}:
                self.send_header("Retry-After", "3600")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield state
    release.set()
    server.shutdown()
    thread.join()
    server.server_close()


def success(result: object, **more: object) -> str:
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}, **more})


def fails(url: str, token: Path | None = None) -> MetricsUnavailable:
    with (
        PrometheusSource(url, timeout=SHORT, bearer_token_file=token) as source,
        pytest.raises(MetricsUnavailable) as raised,
    ):
        source.query("up", AT)
    return raised.value


@pytest.fixture(scope="module")
def server(backfilled: Callable[[Tape], Server]) -> Server:
    tape = Tape()
    tape.add("number", {"kind": "plain"}, ramp(7, 7))
    tape.add("number", {"kind": "nan"}, [(when, float("nan")) for when, _ in ramp(0, 0)])
    tape.add("number", {"kind": "infinite"}, [(when, float("inf")) for when, _ in ramp(0, 0)])
    return backfilled(tape)


def test_answers_finite_samples_with_labels_and_time(server: Server) -> None:
    with server.source() as source:
        found = source.query("number", AT)
    labels = {"__name__": "number", "kind": "plain"}
    assert (Sample(labels=labels, value=7.0, timestamp=AT),) == found


def test_answers_nothing_where_there_is_nothing(server: Server) -> None:
    with server.source() as source:
        assert source.query("nothing_at_all", AT) == ()


def test_a_subquery_is_answered_with_a_sample_for_each_of_its_times(server: Server) -> None:
    with server.source() as source:
        found = source.query("(max by (kind) (number))[10m:5m]", AT)
    times = [AT - timedelta(minutes=5), AT]
    assert [Sample(labels={"kind": "plain"}, value=7.0, timestamp=at) for at in times] == list(found)[-2:]


@pytest.mark.parametrize("promql", ["1 + 1", '"text"'])
def test_an_answer_that_is_neither_a_vector_nor_series_is_refused(server: Server, promql: str) -> None:
    with server.source() as source, pytest.raises(MetricsUnavailable) as raised:
        source.query(promql, AT)
    assert raised.value.reason == Reason.BAD_RESPONSE


def test_a_broken_expression_is_refused_with_prometheus_own_words(server: Server) -> None:
    with server.source() as source, pytest.raises(MetricsUnavailable) as raised:
        source.query("sum(", AT)
    assert raised.value.reason == Reason.PROMETHEUS_REFUSED
    assert "parse error" in raised.value.message


def test_a_many_to_many_match_is_refused(server: Server) -> None:
    with server.source() as source, pytest.raises(MetricsUnavailable) as raised:
        source.query("number * on () number", AT)
    assert raised.value.reason == Reason.PROMETHEUS_REFUSED
    assert "answered 422" in raised.value.message


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    failure = fails(f"http://127.0.0.1:{free_port()}")
    assert failure.reason == Reason.PROMETHEUS_UNREACHABLE
    assert "check prometheus.url" in failure.message


def test_a_server_that_accepts_and_says_nothing_times_out_and_is_asked_once(answering: Answering) -> None:
    answering.silent.set()
    failure = fails(answering.url)
    assert failure.reason == Reason.PROMETHEUS_TIMEOUT
    assert "within 0.4 s; raise prometheus.timeout" in failure.message
    assert len(answering.asked) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_says_what_to_do(answering: Answering, status: int) -> None:
    answering.answers = [(status, "no token\n")]
    failure = fails(answering.url)
    assert failure.reason == Reason.PROMETHEUS_REFUSED
    assert f"answered {status}: no token; give the operator a token" in failure.message


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, "", Reason.PROMETHEUS_REFUSED),
        (500, '{"status":"error","errorType":"internal","error":"disk"}', Reason.PROMETHEUS_REFUSED),
        (503, '{"status":"error","errorType":"timeout","error":"query timed out"}', Reason.PROMETHEUS_TIMEOUT),
        (422, '{"status":"error","errorType":"execution","error":"too many samples"}', Reason.PROMETHEUS_REFUSED),
        (200, "<html>log in</html>", Reason.BAD_RESPONSE),
        (200, "[]", Reason.BAD_RESPONSE),
        (200, '{"status":"success"}', Reason.BAD_RESPONSE),
        (200, success([{"metric": {}, "value": [0, "seven"]}]), Reason.BAD_RESPONSE),
        (200, success([{"metric": {}, "values": [[0, "seven"]]}]), Reason.BAD_RESPONSE),
        (200, success([{"metric": {}, "values": 7}]), Reason.BAD_RESPONSE),
        (200, success([{"metric": {}, "histogram": [0, {}]}]), Reason.BAD_RESPONSE),
        (200, success([], warnings=["store-2 is unavailable"]), Reason.BAD_RESPONSE),
        (200, success([{"metric": {"a": "b"}, "value": [0, "1"]}] * 2), Reason.BAD_RESPONSE),
    ],
)
def test_what_cannot_be_understood_is_named(answering: Answering, status: int, body: str, reason: Reason) -> None:
    answering.answers = [(status, body)]
    assert reason == fails(answering.url).reason


def test_a_remark_on_the_data_is_not_a_failure(answering: Answering, caplog: pytest.LogCaptureFixture) -> None:
    remark = "PromQL info: metric might not be a counter"
    answering.answers = [(200, success([], warnings=[remark]))]
    with PrometheusSource(answering.url, timeout=SHORT) as source:
        assert source.query("up", AT) == ()
    assert remark in caplog.text


def test_a_hiccup_is_retried_without_waiting_as_long_as_the_server_asks(answering: Answering) -> None:
    answering.answers = [(503, ""), (429, ""), (200, success([]))]
    with PrometheusSource(answering.url, timeout=SHORT) as source:
        assert source.query("up", AT) == ()
    assert len(answering.asked) == 3


def test_retries_end(answering: Answering) -> None:
    answering.answers = [(503, "starting up")]
    failure = fails(answering.url)
    assert failure.reason == Reason.PROMETHEUS_REFUSED
    assert "answered 503: starting up" in failure.message
    assert len(answering.asked) == 3


def test_the_token_is_read_anew_for_each_request(answering: Answering, tmp_path: Path) -> None:
    answering.answers = [(200, success([]))]
    token = tmp_path / "token"
    with PrometheusSource(answering.url, timeout=SHORT, bearer_token_file=token) as source:
        for text in ("first\n", "second\n"):
            token.write_text(text, encoding="utf-8")
            source.query("up", AT)
    assert [asked["Authorization"] for asked in answering.asked] == ["Bearer first", "Bearer second"]


def test_a_token_file_that_is_gone_is_named(answering: Answering, tmp_path: Path) -> None:
    failure = fails(answering.url, tmp_path / "token")
    assert failure.reason == Reason.PROMETHEUS_REFUSED
    assert "cannot read the bearer token" in failure.message
    assert answering.asked == []


def test_prometheus_is_told_the_time_and_the_timeout(answering: Answering) -> None:
    answering.answers = [(200, success([]))]
    with PrometheusSource(f"{answering.url}/prefix/", timeout=SHORT) as source:
        source.query("up", AT)
    assert f"/prefix/api/v1/query?query=up&time={END}.000&timeout=0.4s" == answering.asked[0]["path"]


def test_closing_gives_the_connections_back(answering: Answering) -> None:
    answering.answers = [(200, success([]))]
    source = PrometheusSource(answering.url, timeout=SHORT)
    for _ in range(5):
        source.query("up", AT)
    source.close()
    with socket.create_connection(("127.0.0.1", int(answering.url.rsplit(":", 1)[1])), timeout=1):
        pass  # the server still listens; pytest turns a socket that was left open into an error


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://prometheus", "http://", "http:///path", ""])
def test_an_address_that_is_not_one_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="is not the address of a Prometheus"):
        PrometheusSource(url, timeout=SHORT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15d", timedelta(days=15)),
        ("1y2w3d4h5m6s7ms", timedelta(days=365 + 14 + 3, hours=4, minutes=5, seconds=6, milliseconds=7)),
        ("15d or 10GiB", timedelta(days=15)),
        ("10GiB", None),
        ("", None),
        ("15dd", None),
    ],
)
def test_reads_a_retention_time(text: str, expected: timedelta | None) -> None:
    assert expected == parse_retention(text)


@pytest.mark.parametrize("answer", [(404, "not found"), (200, "<html>"), (200, '{"data": {}}')])
def test_a_source_that_does_not_say_its_retention_is_no_failure(answering: Answering, answer: tuple[int, str]) -> None:
    answering.answers = [answer]
    with PrometheusSource(answering.url, timeout=SHORT) as source:
        assert None is source.retention()


def test_asking_an_unreachable_source_for_its_retention_fails() -> None:
    with (
        PrometheusSource(f"http://127.0.0.1:{free_port()}", timeout=SHORT) as source,
        pytest.raises(MetricsUnavailable) as raised,
    ):
        source.retention()
    assert raised.value.reason == Reason.PROMETHEUS_UNREACHABLE
