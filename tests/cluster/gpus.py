"""Nodes with NVIDIA accelerators: what their labels and capacity say, and simulated nodes that say it.

Labels as NVIDIA's gpu-feature-discovery and device plugin write them (github.com/NVIDIA/k8s-device-plugin, table of
labels in docs/gpu-feature-discovery; memory in MiB as NVML reports it); processors and memory as in the
eight-accelerator machines that are commonly rented.
"""

import itertools
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from cluster import binaries
from cluster.api_server import run_client
from cluster.credentials import write_kubeconfig
from cluster.paths import HERE
from cluster.processes import Owner, start_tied, wait_until

SIMULATED_PREFIX = "sim-"
"""How the names of simulated nodes begin; Prometheus skips their pods, because nobody answers there."""

STAGES = HERE / "stages.yaml"
"""What kwok does with simulated nodes and pods; `kwok` on kind reads the same file."""

SIMULATED_PODS = "10.89.0.1/16"
_KWOK_ANNOTATION = {"kwok.x-k8s.io/node": "fake"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuProduct:
    """One accelerator and the machine it comes in; `memory_mib` of one accelerator, `host_memory` as a quantity."""

    product: str
    family: str
    memory_mib: int
    compute_capability: tuple[int, int]
    machine: str
    host_cpus: int
    host_memory: str
    mig_capable: bool = False
    resource: str = "nvidia.com/gpu"

    def labels(self, count: int) -> dict[str, str]:
        """Return the labels of a node that has `count` of them."""
        major, minor = self.compute_capability
        return {
            "nvidia.com/gpu.present": "true",
            "nvidia.com/gpu.product": self.product,
            "nvidia.com/gpu.family": self.family,
            "nvidia.com/gpu.memory": str(self.memory_mib),
            "nvidia.com/gpu.count": str(count),
            "nvidia.com/gpu.replicas": "1",
            "nvidia.com/gpu.sharing-strategy": "none",
            "nvidia.com/gpu.machine": self.machine,
            "nvidia.com/gpu.mode": "compute",
            "nvidia.com/gpu.compute.major": str(major),
            "nvidia.com/gpu.compute.minor": str(minor),
            "nvidia.com/mig.capable": str(self.mig_capable).lower(),
            "nvidia.com/mig.strategy": "single",
            "nvidia.com/vgpu.present": "false",
        }


TESLA_T4 = GpuProduct(
    product="Tesla-T4",
    family="turing",
    memory_mib=15360,
    compute_capability=(7, 5),
    machine="g4dn.metal",
    host_cpus=96,
    host_memory="384Gi",
)

SIMULATED = {
    product.product: product
    for product in (
        GpuProduct(
            product="NVIDIA-L40S",
            family="ada-lovelace",
            memory_mib=46068,
            compute_capability=(8, 9),
            machine="g6e.48xlarge",
            host_cpus=192,
            host_memory="1536Gi",
        ),
        GpuProduct(
            product="NVIDIA-A100-SXM4-80GB",
            family="ampere",
            memory_mib=81920,
            compute_capability=(8, 0),
            machine="p4de.24xlarge",
            host_cpus=96,
            host_memory="1152Gi",
            mig_capable=True,
        ),
        GpuProduct(
            product="NVIDIA-H100-80GB-HBM3",
            family="hopper",
            memory_mib=81559,
            compute_capability=(9, 0),
            machine="p5.48xlarge",
            host_cpus=192,
            host_memory="2048Gi",
            mig_capable=True,
        ),
        GpuProduct(
            product="NVIDIA-H200",
            family="hopper",
            memory_mib=143771,
            compute_capability=(9, 0),
            machine="p5en.48xlarge",
            host_cpus=192,
            host_memory="2048Gi",
            mig_capable=True,
        ),
    )
}
"""The accelerators a cluster simulates, by the value of `nvidia.com/gpu.product`."""

ONE_OF_EACH = dict.fromkeys(SIMULATED, 1)
"""Simulated nodes of a cluster that asks for nothing else: product -> number of nodes."""


def node_manifest(name: str, product: GpuProduct, gpus: int, labels: Mapping[str, str]) -> dict[str, object]:
    """Return a simulated node; its taint keeps away what does not tolerate accelerators' nodes."""
    amounts = {
        "cpu": str(product.host_cpus),
        "memory": product.host_memory,
        "ephemeral-storage": "1Ti",
        "pods": "110",
        product.resource: str(gpus),
    }
    standard = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        "node.kubernetes.io/instance-type": product.machine,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": standard | product.labels(gpus) | dict(labels),
            "annotations": dict(_KWOK_ANNOTATION),
        },
        "spec": {"taints": [{"key": product.resource, "value": "present", "effect": "NoSchedule"}]},
        "status": {"capacity": amounts, "allocatable": amounts},
    }


def simulated_name(product: str, number: int) -> str:
    """Return the name of the n-th simulated node of a product, such as `sim-nvidia-l40s-1`."""
    return f"{SIMULATED_PREFIX}{product.lower()}-{number}"


def kwok_arguments(stages: Path = STAGES) -> list[str]:
    """Return the arguments of a kwok that plays the kubelet of annotated nodes by the stages of a file."""
    selector = ",".join(f"{key}={value}" for key, value in _KWOK_ANNOTATION.items())
    return [
        f"--config={stages}",
        "--manage-all-nodes=false",
        f"--manage-nodes-with-annotation-selector={selector}",
        f"--cidr={SIMULATED_PODS}",
        "--node-ip=10.89.0.1",
        "--node-lease-duration-seconds=40",
    ]


def kwok_command(kubeconfig: Path) -> list[str | Path]:
    """Return the command that runs kwok on this machine."""
    return [binaries.path("kwok"), f"--kubeconfig={kubeconfig}", *kwok_arguments()]


def start_kwok(owner: Owner, run: Path, url: str) -> None:
    """Start kwok for the whole life of a cluster."""
    owner.start("kwok", kwok_command(write_kubeconfig(run, "kwok", url)))


def create_gpu_nodes(
    kubeconfig: Path,
    wanted: Mapping[str, int],
    *,
    gpus_per_node: int = 8,
    labels: Mapping[str, str] | None = None,
) -> list[str]:
    """Add so many simulated nodes of each key of SIMULATED and wait until they are Ready; return their names."""
    listed = run_client("kubectl", kubeconfig, ["get", "nodes", "-o", "jsonpath={.items[*].metadata.name}"])
    taken = set(listed.split())
    manifests: dict[str, dict[str, object]] = {}
    for product, count in wanted.items():
        every = (simulated_name(product, number) for number in itertools.count(1))
        names = itertools.islice((name for name in every if name not in taken), max(0, count))
        manifests |= {name: node_manifest(name, SIMULATED[product], gpus_per_node, labels or {}) for name in names}
    if manifests:
        run_client("kubectl", kubeconfig, ["create", "-f", "-"], yaml.safe_dump_all(manifests.values()))
        wait_until("the simulated nodes", 60, _all_ready(kubeconfig, list(manifests)))
    return list(manifests)


def complete_gpu_nodes(kubeconfig: Path, nodes: Mapping[str, int]) -> None:
    """Add what is missing of so many simulated nodes of each product."""
    listed = run_client("kubectl", kubeconfig, ["get", "nodes", "-o", "jsonpath={.items[*].metadata.name}"])
    prefixes = {product: simulated_name(product, 0)[:-1] for product in nodes}
    existing = {p: sum(name.startswith(prefixes[p]) for name in listed.split()) for p in nodes}
    create_gpu_nodes(kubeconfig, {product: nodes[product] - existing[product] for product in nodes})


def _all_ready(kubeconfig: Path, names: list[str]) -> Iterator[bool]:
    path = '{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status} {end}'
    while True:
        shown = run_client("kubectl", kubeconfig, ["get", "nodes", "-o", f"jsonpath={path}"]).split()
        yield all(f"{name}=True" in shown for name in names)


def kwok_process(kubeconfig: Path, log: Path) -> "subprocess.Popen[bytes]":
    """Start a kwok that ends with the caller, beside a light API server, for tests that need pods to become Ready."""
    return start_tied(kwok_command(kubeconfig), log)
