"""CoreDNS as a real Deployment behind the Service address that every pod asks for names."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from cluster.api_server import DNS_ADDRESS, run_client
from cluster.processes import wait_until

IMAGE = "localhost/costpolicy/coredns:1"

_LABELS = {"k8s-app": "kube-dns"}

# Nothing in this cluster may ask the world: every other name does not exist, which programs hear at once.
_COREFILE = """\
cluster.local:1053 in-addr.arpa:1053 {
    errors
    health :8080
    ready :8181
    kubernetes cluster.local in-addr.arpa {
        pods insecure
        ttl 5
    }
    cache 5
    loadbalance
}
.:1053 {
    errors
    template ANY ANY {
        rcode NXDOMAIN
    }
}
"""


def install_dns(kubeconfig: Path) -> None:
    """Apply CoreDNS and wait until its pod is Ready."""
    run_client("kubectl", kubeconfig, ["apply", "-f", "-"], yaml.safe_dump_all(_manifests()))
    wait_until("CoreDNS", 90, _available(kubeconfig))


def _available(kubeconfig: Path) -> Iterator[bool]:
    arguments = ["get", "deployment", "coredns", "-n", "kube-system", "-o", "jsonpath={.status.availableReplicas}"]
    while True:
        yield run_client("kubectl", kubeconfig, arguments) == "1"


def _manifests() -> list[dict[str, object]]:
    name = {"name": "coredns", "namespace": "kube-system"}
    watched = [
        {
            "apiGroups": [""],
            "resources": ["services", "pods", "namespaces", "endpoints"],
            "verbs": ["list", "watch"],
        },
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:coredns"}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": role["name"]},
            "rules": watched,
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": role["name"]},
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", **name}],
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": {"Corefile": _COREFILE}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": name, "spec": _deployment()},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": _LABELS},
            "spec": {
                "clusterIP": DNS_ADDRESS,
                "selector": _LABELS,
                "ports": [
                    {"name": "dns", "port": 53, "targetPort": 1053, "protocol": "UDP"},
                    {"name": "dns-tcp", "port": 53, "targetPort": 1053, "protocol": "TCP"},
                ],
            },
        },
    ]


def _deployment() -> dict[str, object]:
    container = {
        "name": "coredns",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    return {
        "replicas": 1,
        "selector": {"matchLabels": _LABELS},
        "template": {
            "metadata": {"labels": _LABELS},
            "spec": {
                "serviceAccountName": "coredns",
                "dnsPolicy": "Default",
                "containers": [container],
                "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
            },
        },
    }
