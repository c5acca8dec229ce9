"""The one real node: kubelet and kube-proxy over containerd, with accelerators it only claims to have."""

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from cluster import binaries
from cluster.api_server import DNS_ADDRESS, run_client
from cluster.containers import socket
from cluster.credentials import NODE, write_kubeconfig
from cluster.gpus import TESLA_T4, GpuProduct
from cluster.network import ADDRESS, POD_NETWORK
from cluster.processes import Owner, wait_until


def start_node(owner: Owner, run: Path, url: str) -> None:
    """Start kubelet and kube-proxy and wait until the node is Ready; it then offers eight T4."""
    kubelet = run / "kubelet.yaml"
    kubelet.write_text(yaml.safe_dump(_kubelet(run)))
    resolver = run / "resolv.conf"
    resolver.write_text("")
    owner.start(
        "kubelet",
        [
            binaries.path("kubelet"),
            *(f"--config={kubelet}", f"--kubeconfig={write_kubeconfig(run, 'kubelet', url)}"),
            *(f"--root-dir={run / 'kubelet'}", f"--hostname-override={NODE}", f"--node-ip={ADDRESS}"),
        ],
    )
    proxy = run / "kube-proxy.yaml"
    proxy.write_text(yaml.safe_dump(_proxy(write_kubeconfig(run, "kube-proxy", url))))
    owner.start("kube-proxy", [binaries.path("kube-proxy"), f"--config={proxy}", f"--hostname-override={NODE}"])
    admin = run / "admin.kubeconfig"
    wait_until("the node", 90, _ready(owner, admin))
    claim_accelerators(admin, NODE, TESLA_T4, 8)


def claim_accelerators(kubeconfig: Path, node: str, product: GpuProduct, count: int) -> None:
    """Give a real node the labels and the capacity that NVIDIA's device plugin would give it."""
    amount = {product.resource: str(count)}
    status = {"status": {"capacity": amount, "allocatable": amount}}
    labels = {"metadata": {"labels": product.labels(count)}}
    for flags, patch in ((["--subresource=status"], status), ([], labels)):
        run_client("kubectl", kubeconfig, ["patch", "node", node, "--type=merge", *flags, "-p", json.dumps(patch)])


def _ready(owner: Owner, kubeconfig: Path) -> Iterator[bool]:
    path = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
    while True:
        owner.require("kubelet")
        selector = f"--field-selector=metadata.name={NODE}"
        yield run_client("kubectl", kubeconfig, ["get", "nodes", selector, "-o", f"jsonpath={path}"]) == "True"


def _kubelet(run: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": ADDRESS,
        "healthzBindAddress": ADDRESS,
        # Only this machine reaches the address; `kubectl logs` and `exec` then need no client certificate.
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": f"unix://{socket(run)}",
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": str(run / "resolv.conf"),
        "podLogsDir": str(run / "pod-logs"),
        "volumePluginDir": str(run / "volume-plugins"),
        # A guest of this machine: it manages neither control groups of pods nor swap, nor the kernel.
        "failCgroupV1": False,
        "failSwapOn": False,
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "localStorageCapacityIsolation": False,
        "makeIPTablesUtilChains": False,
        "oomScoreAdj": 0,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "syncFrequency": "10s",
        "nodeStatusUpdateFrequency": "5s",
    }


def _proxy(kubeconfig: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "clusterCIDR": POD_NETWORK,
        "metricsBindAddress": f"{ADDRESS}:10249",
        "healthzBindAddress": f"{ADDRESS}:10256",
        "iptables": {"syncPeriod": "10s", "minSyncPeriod": "0s", "localhostNodePorts": False},
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpCloseWaitTimeout": "0s",
            "tcpEstablishedTimeout": "0s",
        },
        "oomScoreAdj": 0,
    }
