"""A control plane with its controllers, KEDA, a Prometheus that scrapes what a test says of engines, and the operator."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import controlled
import scraping
from charting import grant_operator_rights
from cluster import keda as programs
from cluster.api_server import ApiServer
from cluster.keda import Keda, start_keda
from costpolicy.api.types import ScalingProvider
from costpolicy.kube.connection import Connection
from costpolicy.observe.rules import rule_file
from definitions import define
from following import Following
from operating import Cluster, Running
from scraping import Pages, Server

PAGE = "/metrics"
KV_CACHE_USAGE = 0.1


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with controlled.control_plane(tmp_path_factory.mktemp("control-plane")) as server:
        define(server, programs.definitions())
        yield server


@pytest.fixture(scope="module")
def operator_account(control_plane: ApiServer) -> Path:
    return grant_operator_rights(control_plane, control_plane.folder / "operator.kubeconfig")


@pytest.fixture(scope="module")
def connection(control_plane: ApiServer) -> Iterator[Connection]:
    with controlled.administrator(control_plane) as opened:
        yield opened


@pytest.fixture
def cluster(connection: Connection) -> Iterator[Cluster]:
    with controlled.own_namespace(connection) as own:
        yield own


@pytest.fixture
def keda(control_plane: ApiServer) -> Iterator[Keda]:
    started = start_keda(control_plane)
    yield started
    started.stop()


@pytest.fixture
def pages() -> Iterator[Pages]:
    with scraping.pages() as served:
        yield served


@pytest.fixture
def prometheus(pages: Pages, tmp_path: Path) -> Iterator[Server]:
    """A Prometheus with the chart's rules, evaluated as often as it scrapes."""
    rules = rule_file()
    for group in rules["groups"]:
        group["interval"] = "500ms"
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    configuration = scraping.config(scraping.job("engines", pages.url, PAGE, honor=True), rules=tmp_path / "rules.yaml")
    with scraping.prometheus(tmp_path, configuration) as server:
        yield server


@pytest.fixture
def running(operator_account: Path, cluster: Cluster, prometheus: Server) -> Iterator[Running]:
    started = Running(operator_account, cluster.namespace, prometheus_url=prometheus.url).start()
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
def following(cluster: Cluster, running: Running, keda: Keda, pages: Pages) -> Following:
    def say(requests: int) -> None:
        pages.texts[PAGE] = page(cluster, requests)

    return Following(cluster=cluster, provider=ScalingProvider.KEDA, say=say)


def page(cluster: Cluster, requests: int) -> str:
    """Return what engines would show of so many requests: all by one, because only the policy's sum is read."""
    labels = (
        f'namespace="{cluster.namespace}",pod="chat-1",costpolicy="chat",variant="any",engine="0",model_name="chat"'
    )
    shown = {
        "vllm:num_requests_running": requests,
        "vllm:num_requests_waiting": 0,
        "vllm:kv_cache_usage_perc": KV_CACHE_USAGE,
    }
    return "".join(f"{name}{{{labels}}} {value}\n" for name, value in shown.items())
