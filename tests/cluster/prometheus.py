"""Debian's Prometheus beside the cluster, at an address that pods reach; it finds pods as an operator would have it.

Pods with `prometheus.io/scrape: "true"` are scraped at `prometheus.io/port` and `prometheus.io/path`; their series
carry `namespace`, `pod`, and from the pod's labels `costpolicy` and `variant`, as the operator's PodMonitor sets them.
"""

import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from cluster import pod_discovery
from cluster.gpus import SIMULATED_PREFIX
from cluster.network import ADDRESS
from cluster.paths import HERE
from cluster.processes import Owner, wait_until

PORT = 9090
URL = f"http://{ADDRESS}:{PORT}"
"""Where this machine and pods of the local cluster reach it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A static target: `address` is host:port, `labels` go onto all its series, `path` is where metrics are."""

    address: str
    labels: Mapping[str, str] = field(default_factory=dict)
    path: str = "/metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """A running Prometheus; `url` answers from the host and from pods."""

    owner: Owner
    folder: Path
    url: str

    def set_targets(self, targets: Sequence[Target]) -> None:
        """Replace the static targets; Prometheus notices the new file by itself within seconds."""
        groups = [
            {"targets": [target.address], "labels": {**target.labels, "__metrics_path__": target.path}}
            for target in targets
        ]
        pod_discovery.write(self.folder / "targets.json", groups)

    def stop(self) -> None:
        """End it and forget everything it had stored."""
        self.owner.stop("prometheus")
        self.owner.stop("pod-discovery")
        shutil.rmtree(self.folder, ignore_errors=True)


def start_prometheus(
    owner: Owner,
    run: Path,
    api_url: str,
    *,
    targets: Sequence[Target] = (),
    rules: Mapping[str, object] | None = None,
    scrape_interval: str = "2s",
) -> Prometheus:
    """Start an empty Prometheus, ready when this returns; one that ran before is stopped and forgotten.

    `rules` is the content of a rule file (`groups`).
    """
    folder = run / "prometheus"
    prometheus = Prometheus(owner=owner, folder=folder, url=URL)
    prometheus.stop()
    folder.mkdir(parents=True)
    prometheus.set_targets(targets)
    pod_discovery.write(folder / "pods.json", [])
    owner.start(
        "pod-discovery",
        [sys.executable, "-m", "cluster.pod_discovery", run, api_url],
        env={"PYTHONPATH": str(HERE.parent)},
    )
    rule_file = folder / "rules.yaml"
    rule_file.write_text(yaml.safe_dump(rules or {"groups": []}))
    static = {"job_name": "static", "honor_labels": True, "file_sd_configs": [_from_file(folder / "targets.json")]}
    found = {"file_sd_configs": [_from_file(folder / "pods.json")]}
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration([static, pods_job(found)], str(rule_file), scrape_interval)))
    owner.start(
        "prometheus",
        [
            *("prometheus", f"--config.file={path}", f"--storage.tsdb.path={folder / 'data'}"),
            *(f"--web.listen-address={ADDRESS}:{PORT}", "--web.enable-lifecycle", "--log.level=warn"),
        ],
    )
    wait_until("Prometheus", 30, _ready(owner, prometheus.url))
    return prometheus


def _ready(owner: Owner, url: str) -> Iterator[bool]:
    while True:
        owner.require("prometheus")
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=2) as response:  # noqa: S310 - our own http address
                yield bool(response.status == 200)
        except (OSError, urllib.error.URLError):
            yield False


def configuration(jobs: Sequence[Mapping[str, object]], rule_file: str, scrape_interval: str) -> dict[str, object]:
    """Return Prometheus' configuration: rules are evaluated as often as the jobs are scraped."""
    return {
        "global": {"scrape_interval": scrape_interval, "evaluation_interval": scrape_interval},
        "rule_files": [rule_file],
        "scrape_configs": [dict(job) for job in jobs],
    }


def pods_job(discovery: Mapping[str, object]) -> dict[str, object]:
    """Return the job that scrapes annotated pods, whichever way they are discovered."""
    # Honoured labels: what the operator and a stand-in say about other pods keeps those pods' names.
    return {"job_name": "pods", "honor_labels": True, **discovery, "relabel_configs": pod_relabelling()}


def _from_file(path: Path) -> dict[str, object]:
    return {"files": [str(path)], "refresh_interval": "2s"}


def pod_relabelling() -> list[dict[str, object]]:
    """Return how a discovered pod becomes a target: which pods, where, and with which labels."""
    annotation = "__meta_kubernetes_pod_annotation_prometheus_io_"
    label = "__meta_kubernetes_pod_label_costpolicy_dev_"
    renamed = {
        "__meta_kubernetes_namespace": "namespace",
        "__meta_kubernetes_pod_name": "pod",
        f"{label}policy": "costpolicy",
        f"{label}variant": "variant",
    }
    identity: list[dict[str, object]] = [
        {"action": "replace", "source_labels": [source], "target_label": target} for source, target in renamed.items()
    ]
    return [
        {"action": "keep", "source_labels": [f"{annotation}scrape"], "regex": "true"},
        {"action": "drop", "source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Pending|Succeeded|Failed"},
        {
            "action": "drop",
            "source_labels": ["__meta_kubernetes_pod_node_name"],
            "regex": f"{SIMULATED_PREFIX}.*",
        },
        {
            "action": "replace",
            "source_labels": ["__meta_kubernetes_pod_ip", f"{annotation}port"],
            "separator": ":",
            "target_label": "__address__",
        },
        {
            "action": "replace",
            "source_labels": [f"{annotation}path"],
            "regex": "(.+)",
            "target_label": "__metrics_path__",
        },
        *identity,
    ]


def reader_objects(subject: Mapping[str, str]) -> list[dict[str, object]]:
    """Return the role that discovers pods, and its binding to `subject`."""
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "costpolicy-monitoring"}
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": role["name"]},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": role["name"]},
            "roleRef": role,
            "subjects": [dict(subject)],
        },
    ]
