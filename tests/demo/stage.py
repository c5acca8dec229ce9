"""What the demo stands on: the charts installed by Helm, a real Prometheus, and everything taken away again."""

import contextlib
from collections.abc import Iterator

import yaml

from cluster import images
from cluster.cluster import Cluster, Stoppable
from cluster.paths import CHECKOUT
from cluster.progress import ClusterError
from costpolicy.kube.connection import connect
from demo.journal import Journal
from demo.world import NAMESPACE, World

RELEASE = "costpolicy-operator"
SYSTEM = "costpolicy-system"
RATE_WINDOW = "30s"
"""Over how long rates are measured: short, because the demo's load moves within a minute."""
SCRAPE_INTERVAL = "5s"

_CHARTS = CHECKOUT / "charts"
_RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@contextlib.contextmanager
def set_up(cluster: Cluster, journal: Journal, *, replicas: int, patience: float, keep: bool) -> Iterator[World]:
    """Install both charts and start Prometheus; all of it goes at the end, unless it is to be kept."""
    clear(cluster)
    cluster.provide_operator_image()
    install(cluster, journal, replicas=replicas)
    prometheus = start_prometheus(cluster)
    cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump(namespace(NAMESPACE)))
    connection = connect(kubeconfig=str(cluster.kubeconfig))
    try:
        with cluster.reach() as reach:
            yield World(cluster=cluster, connection=connection, reach=reach, journal=journal, patience=patience)
    finally:
        connection.close()
        if not keep:
            clear(cluster)
            prometheus.stop()


def install(cluster: Cluster, journal: Journal, *, replicas: int) -> None:
    """Install the CRDs and the operator as anybody would, with the image of this checkout."""
    cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump(namespace(SYSTEM)))
    journal.does("helm upgrade --install costpolicy-crds charts/costpolicy-crds")
    cluster.helm("upgrade", "--install", "costpolicy-crds", str(_CHARTS / "costpolicy-crds"), "-n", SYSTEM)
    journal.does(
        f"helm upgrade --install {RELEASE} charts/costpolicy-operator --set prometheus.url={cluster.prometheus_url} ..."
    )
    repository, _, tag = images.OPERATOR_IMAGE.rpartition(":")
    values = {
        "image.repository": repository,
        "image.tag": tag,
        "image.allowTag": "true",
        "replicas": str(replicas),
        "prometheus.url": cluster.prometheus_url,
        "prometheus.rateWindow": RATE_WINDOW,
        "resyncInterval": "5s",
    }
    settings = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    cluster.helm("upgrade", "--install", RELEASE, str(_CHARTS / "costpolicy-operator"), "-n", SYSTEM, *settings)


def start_prometheus(cluster: Cluster) -> Stoppable:
    """Start Prometheus with the rules that the chart has put into the cluster, evaluated as often as it scrapes."""
    stored = cluster.kubectl("get", "configmap", "-n", SYSTEM, f"{RELEASE}-rules", "-o", "yaml")
    rules = yaml.safe_load(yaml.safe_load(stored)["data"]["costpolicy.yaml"])
    for group in rules["groups"]:
        group["interval"] = SCRAPE_INTERVAL
    return cluster.start_prometheus(rules=rules, scrape_interval=SCRAPE_INTERVAL)


def clear(cluster: Cluster) -> None:
    """Remove what this or a killed run has put into the cluster; does nothing where there is nothing."""
    with contextlib.suppress(ClusterError):
        cluster.kubectl("delete", "costpolicies,modelroutes", "--all", "-n", NAMESPACE, "--timeout=30s")
    cluster.kubectl("delete", "deployments,replicasets", "--all", "-n", NAMESPACE, "--timeout=30s")
    # Engines get minutes to finish their answers; nobody waits for these.
    cluster.kubectl("delete", "pods", "--all", "-n", NAMESPACE, "--grace-period=0", "--force", "--ignore-not-found")
    for name in (NAMESPACE, SYSTEM):
        if name == SYSTEM:
            with contextlib.suppress(ClusterError):
                cluster.helm("uninstall", RELEASE, "-n", SYSTEM, "--wait", "--timeout=60s")
        cluster.kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=120s")
    with contextlib.suppress(ClusterError):
        cluster.kubectl("delete", "pricebooks", "--all", "--timeout=30s")
    cluster.kubectl("delete", "persistentvolume", "costpolicy-demo-model", "--ignore-not-found", "--timeout=30s")


def namespace(name: str) -> dict[str, object]:
    """Return a namespace that lets only restricted pods in."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": _RESTRICTED}}
