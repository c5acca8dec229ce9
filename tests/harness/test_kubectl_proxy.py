"""Covers the way to Services through a real `kubectl proxy` and a page that plays the API server.

Not covered: the API server's own part of the way (nothing here runs kind; on the local cluster it is not needed).
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import yaml

from cluster import binaries
from cluster.kubectl_proxy import kubectl_proxy, service_path
from cluster.local import cluster_address
from cluster.progress import ClusterError

SERVICE = {
    "metadata": {"namespace": "models", "name": "tiny"},
    "spec": {"clusterIP": "10.96.0.77", "ports": [{"name": "http", "port": 8000}]},
}


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def kubeconfig(tmp_path) -> Iterator[Path]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        target = tmp_path / "kubeconfig"
        target.write_text(yaml.safe_dump(configuration(f"http://127.0.0.1:{server.server_port}")))
        yield target
        server.shutdown()
        thread.join()


def configuration(url: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": url}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": ""}}],
    }


def has_kubectl() -> bool:
    try:
        binaries.client("kubectl")
    except ClusterError:
        return False
    return True


needs_kubectl = pytest.mark.skipif(not has_kubectl(), reason="kubectl is neither built yet nor on the PATH")


def test_a_service_has_one_path_through_the_api_server_and_one_address_in_the_cluster():
    assert "/api/v1/namespaces/models/services/tiny:8000/proxy" == service_path(SERVICE)
    assert "http://10.96.0.77:8000" == cluster_address(SERVICE)


@needs_kubectl
def test_requests_to_a_service_are_passed_on_and_others_are_not(kubeconfig):
    with kubectl_proxy(kubeconfig) as root:
        passed = httpx.get(f"{root}{service_path(SERVICE)}/v1/models", params={"a": "b"}, trust_env=False)
        refused = httpx.get(f"{root}/api/v1/namespaces/models/secrets", trust_env=False)

    assert (200, f"{service_path(SERVICE)}/v1/models?a=b") == (passed.status_code, passed.text)
    assert 403 == refused.status_code


@needs_kubectl
def test_a_client_with_a_base_address_reaches_paths_below_it(kubeconfig):
    with (
        kubectl_proxy(kubeconfig) as root,
        httpx.Client(base_url=root + service_path(SERVICE), trust_env=False) as engine,
    ):
        assert f"{service_path(SERVICE)}/v1/chat/completions" == engine.get("/v1/chat/completions").text


@needs_kubectl
def test_the_proxy_ends_with_its_block(kubeconfig):
    with kubectl_proxy(kubeconfig) as root:
        pass

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{root}{service_path(SERVICE)}/", trust_env=False)


@needs_kubectl
def test_a_kubeconfig_that_kubectl_refuses_is_told_in_its_own_words(tmp_path):
    (tmp_path / "kubeconfig").write_text("no: kubeconfig: at all")

    with pytest.raises(ClusterError, match=r"(?s)kubectl proxy ended.*error"), kubectl_proxy(tmp_path / "kubeconfig"):
        pass
