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
    rule_files: Sequence[Path] = (),
    scrape_interval: str = "2s",
    port: int = PORT,
) -> Prometheus:
    """Start an empty Prometheus, ready when this returns; one that ran before is stopped and forgotten."""
    folder = run / "prometheus"
    prometheus = Prometheus(owner=owner, folder=folder, url=f"http://{ADDRESS}:{port}")
    prometheus.stop()
    folder.mkdir(parents=True)
    prometheus.set_targets(targets)
    pod_discovery.write(folder / "pods.json", [])
    owner.start(
        "pod-discovery",
        [sys.executable, "-m", "cluster.pod_discovery", run, api_url],
        env={"PYTHONPATH": str(HERE.parent)},
    )
    configuration = folder / "prometheus.yml"
    configuration.write_text(yaml.safe_dump(_configuration(folder, rule_files, scrape_interval)))
    owner.start(
        "prometheus",
        [
            *("prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'data'}"),
            *(f"--web.listen-address={ADDRESS}:{port}", "--web.enable-lifecycle", "--log.level=warn"),
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


def _configuration(folder: Path, rule_files: Sequence[Path], scrape_interval: str) -> dict[str, object]:
    # Honoured labels: what the operator and a stand-in say about other pods keeps those pods' names.
    return {
        "global": {"scrape_interval": scrape_interval, "evaluation_interval": scrape_interval},
        "rule_files": [str(path.resolve()) for path in rule_files],
        "scrape_configs": [
            {
                "job_name": "static",
                "honor_labels": True,
                "file_sd_configs": [_from_file(folder / "targets.json")],
            },
            {
                "job_name": "pods",
                "honor_labels": True,
                "file_sd_configs": [_from_file(folder / "pods.json")],
                "relabel_configs": pod_relabelling(),
            },
        ],
    }


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
