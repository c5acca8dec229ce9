"""What runs as pods on kind and beside the cluster here: kwok, and Prometheus with its own discovery of pods."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from cluster import gpus, prometheus
from cluster.binaries import KWOK_VERSION

KWOK_IMAGE = f"registry.k8s.io/kwok/kwok:v{KWOK_VERSION}"
PROMETHEUS_IMAGE = "prom/prometheus:v3.13.1"
MONITORING = "costpolicy-monitoring"
"""The namespace of Prometheus."""
PROMETHEUS = "prometheus"
"""The name of everything it consists of."""

_CONFIGURATION = Path("/etc/prometheus")
_NOBODY = 65534


def kwok_manifests(node: str) -> list[dict[str, object]]:
    """Return kwok as a Deployment on the real node with the stages that the local cluster's kwok has."""
    name = {"name": "kwok", "namespace": "kube-system"}
    arguments = gpus.kwok_arguments(stages=Path("/etc/kwok/stages.yaml"))
    container = {
        "name": "kwok",
        "image": KWOK_IMAGE,
        "args": [*arguments, "--kubeconfig="],  # empty: in the cluster
        "volumeMounts": [{"name": "stages", "mountPath": "/etc/kwok", "readOnly": True}],
    }
    pod = {
        "serviceAccountName": "kwok",
        # It tolerates everything and would otherwise be scheduled onto a node that it plays itself.
        "nodeSelector": {"kubernetes.io/hostname": node},
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
        "volumes": [{"name": "stages", "configMap": {"name": "kwok"}}],
    }
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "kwok"},
            # Only for a throw-away cluster: kwok plays many kubelets.
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", **name}],
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": {"stages.yaml": gpus.STAGES.read_text()}},
        _deployment(name, pod),
    ]


def prometheus_manifests(rules: Mapping[str, object], scrape_interval: str) -> list[dict[str, object]]:
    """Return Prometheus as a Deployment that stores nothing beyond its pod, and its Service."""
    name = {"name": PROMETHEUS, "namespace": MONITORING}
    discovery = {"kubernetes_sd_configs": [{"role": "pod"}]}
    configuration = prometheus.configuration(
        [prometheus.pods_job(discovery)], str(_CONFIGURATION / "rules.yaml"), scrape_interval
    )
    files = {"prometheus.yml": yaml.safe_dump(configuration), "rules.yaml": yaml.safe_dump(dict(rules))}
    service = {
        "selector": {"app": PROMETHEUS},
        "ports": [{"name": "http", "port": prometheus.PORT, "targetPort": "http"}],
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": MONITORING}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name},
        *prometheus.reader_objects({"kind": "ServiceAccount", **name}),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": files},
        _deployment(name, _prometheus_pod()),
        {"apiVersion": "v1", "kind": "Service", "metadata": name, "spec": service},
    ]


def _prometheus_pod() -> dict[str, object]:
    container = {
        "name": PROMETHEUS,
        "image": PROMETHEUS_IMAGE,
        "args": [
            *(f"--config.file={_CONFIGURATION / 'prometheus.yml'}", "--storage.tsdb.path=/prometheus"),
            *(f"--web.listen-address=:{prometheus.PORT}", "--log.level=warn"),
        ],
        "ports": [{"name": "http", "containerPort": prometheus.PORT}],
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": "http"}, "periodSeconds": 1},
        "volumeMounts": [
            {"name": "configuration", "mountPath": str(_CONFIGURATION), "readOnly": True},
            {"name": "data", "mountPath": "/prometheus"},
        ],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "serviceAccountName": PROMETHEUS,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "configuration", "configMap": {"name": PROMETHEUS}},
            {"name": "data", "emptyDir": {}},
        ],
    }


def _deployment(name: Mapping[str, str], pod: Mapping[str, object]) -> dict[str, object]:
    labels = {"app": name["name"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": dict(name),
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": dict(pod)},
        },
    }
