"""The page over HTTP.  Not covered: Prometheus reading it (tests/contract)."""

import httpx
import pytest

from costpolicy.observe.router_metrics import RouterMetric
from costpolicy.router_plugin.exposition import CONTENT_TYPE, serve
from costpolicy.router_plugin.series import Series


def test_the_page_is_served_and_nothing_else():
    series = Series()
    with series.lock:
        series.sampled.add("chat", amount=2)
    server = serve(0, series.page)
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        found = httpx.get(f"{url}/metrics", trust_env=False)
        assert (CONTENT_TYPE, series.page()) == (found.headers["Content-Type"], found.text)
        assert 404 == httpx.get(url, trust_env=False).status_code
    finally:
        server.shutdown()
        server.server_close()


def test_a_port_that_is_taken_is_an_error():
    server = serve(0, str)
    try:
        with pytest.raises(OSError, match="in use"):
            serve(server.server_port, str)
    finally:
        server.shutdown()
        server.server_close()


def test_the_operator_reads_the_names_that_routers_serve():
    """The two sides share no code: one runs in the router."""
    assert set(RouterMetric) == {one.name for one in Series().all()}
