"""The full local cluster: brought up, reused, taken down. One a user, because it owns a bridge of this machine."""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from cluster import api_server, binaries, containers, debian, dns, gpus, images, prometheus
from cluster.cluster import Reach, RealEngine, RealRouter, Service
from cluster.credentials import write_kubeconfig, write_tokens
from cluster.network import ADDRESS, create_bridge
from cluster.node import start_node
from cluster.paths import state_folder
from cluster.processes import Owner, wait_until
from cluster.progress import ClusterError, say, step
from cluster.teardown import tear_down
from engine.environment import VLLM_VERSION, engine_env
from router.environment import LITELLM_VERSION, router_env

URL = f"https://{ADDRESS}:6443"
ENGINE_IMAGE = f"localhost/costpolicy/engine:{VLLM_VERSION}"
ROUTER_IMAGE = f"localhost/costpolicy/litellm:{LITELLM_VERSION}"

_PROCESSES = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "containerd",
    "kubelet",
    "kube-proxy",
    "kwok",
)


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """The running cluster of a state folder."""

    state: Path

    @property
    def run(self) -> Path:
        """Everything that goes when the cluster goes."""
        return self.state / "run"

    @property
    def owner(self) -> Owner:
        """The cluster's processes."""
        return Owner(self.state)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.state / "kubeconfig"

    @property
    def url(self) -> str:
        """The API server, as the host and pods reach it."""
        return URL

    @property
    def prometheus_url(self) -> str:
        """Prometheus, as pods reach it once it is started."""
        return prometheus.URL

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's own word
        """Run kubectl as the administrator and return what it prints; ClusterError with its message if it fails."""
        return api_server.run_client("kubectl", self.kubeconfig, arguments, input)

    def helm(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's own word
        """Run Helm as the administrator and return what it prints; ClusterError with its message if it fails."""
        return api_server.run_client("helm", self.kubeconfig, arguments, input)

    def import_image(self, archive: Path) -> None:
        """Put an image archive where the node finds it."""
        containers.import_image(self.run, archive)

    def provide_operator_image(self) -> None:
        """Build images.OPERATOR_IMAGE from this checkout and put it where the node finds it."""
        self.import_image(images.operator_image())

    def provide_engine(self, model: Path) -> RealEngine:
        """Lend the engine's environment of this machine to pods; the node reads the model where it lies."""
        self.import_image(images.lent_image("engine", ENGINE_IMAGE, engine_env()))
        return RealEngine(
            version=VLLM_VERSION, image=ENGINE_IMAGE, runtime_class=containers.HOST_PYTHON, model_on_node=model
        )

    def provide_router(self) -> RealRouter:
        """Lend the environment of LiteLLM of this machine to pods."""
        self.import_image(images.lent_image("router", ROUTER_IMAGE, router_env()))
        return RealRouter(image=ROUTER_IMAGE, runtime_class=containers.HOST_PYTHON)

    def add_gpu_nodes(
        self, product: str, count: int, *, gpus_per_node: int = 8, labels: Mapping[str, str] | None = None
    ) -> list[str]:
        """Add simulated nodes of a product of gpus.SIMULATED and return their names once they are Ready."""
        return gpus.create_gpu_nodes(self.kubeconfig, {product: count}, gpus_per_node=gpus_per_node, labels=labels)

    def start_prometheus(
        self,
        *,
        targets: Sequence[prometheus.Target] = (),
        rules: Mapping[str, object] | None = None,
        scrape_interval: str = "2s",
    ) -> prometheus.Prometheus:
        """Start an empty Prometheus that scrapes the real node's annotated pods and `targets`."""
        debian.ensure(debian.PROMETHEUS, log=self.owner.log("debian"))
        return prometheus.start_prometheus(
            self.owner, self.run, URL, targets=targets, rules=rules, scrape_interval=scrape_interval
        )

    @contextlib.contextmanager
    def reach(self) -> Iterator[Reach]:
        """Give the addresses at which this machine meets the cluster; here they are the pods' own."""
        yield Reach(prometheus=prometheus.URL, service=cluster_address)

    def is_healthy(self) -> bool:
        """Tell whether every process is there and the API server says it is ready."""
        names = {process.name for process in self.owner.living()}
        complete = self.kubeconfig.exists() and names.issuperset(_PROCESSES)
        return complete and api_server.is_ready(self.run, URL)


def cluster_address(service: Service) -> str:
    """Return the address of a Service inside the cluster, which kube-proxy of the local cluster serves here too."""
    spec = service["spec"]
    return f"http://{spec['clusterIP']}:{spec['ports'][0]['port']}"


def up(nodes: Mapping[str, int] = gpus.ONE_OF_EACH, *, environments: Sequence[Path] = ()) -> LocalCluster:
    """Bring the cluster up, or use the one that is; `nodes` are the simulated nodes it has at least.

    `environments` are the virtual environments that pods of the class `host-python` see. What a killed run has left is
    taken away first. Needs root; takes about half a minute once the programs are built.
    """
    if os.geteuid() != 0:
        raise ClusterError("the local cluster needs root (network bridge, containers): use sudo or CLUSTER=kind")
    cluster = LocalCluster(state_folder())
    with _alone(cluster.state):
        debian.ensure(debian.API_SERVER, debian.NODE, log=cluster.owner.log("debian"))
        binaries.build()
        if cluster.is_healthy() and _sees(cluster, environments):
            say(f"the cluster is up already: KUBECONFIG={cluster.kubeconfig}")
        else:
            tear_down(cluster.owner, cluster.run)
            _start(cluster, environments)
        with step("simulated nodes"):
            gpus.complete_gpu_nodes(cluster.kubeconfig, nodes)
    return cluster


def down() -> None:
    """Take the cluster away; logs stay until the next one."""
    cluster = LocalCluster(state_folder())
    with _alone(cluster.state), step("taking the cluster down"):
        cluster.kubeconfig.unlink(missing_ok=True)
        tear_down(cluster.owner, cluster.run)


def _start(cluster: LocalCluster, environments: Sequence[Path]) -> None:
    run, owner = cluster.run, cluster.owner
    cluster.kubeconfig.unlink(missing_ok=True)
    shutil.rmtree(cluster.state / "logs", ignore_errors=True)
    run.mkdir(parents=True)
    write_tokens(run)
    with step("control plane"):
        create_bridge(run)
        _start_control_plane(owner, run)
    folders = images.host_folders(*environments)
    (run / "host-folders.json").write_text(json.dumps([str(folder) for folder in folders]))
    with step("containerd and its images"):
        containers.start_containerd(owner, run, folders)
        for archive in images.small_images():
            containers.import_image(run, archive)
    with step("node"):
        start_node(owner, run, URL)
        api_server.run_client(
            "kubectl", run / "admin.kubeconfig", ["apply", "-f", "-"], yaml.safe_dump_all(_cluster_objects())
        )
    with step("DNS"):
        dns.install_dns(run / "admin.kubeconfig")
    gpus.start_kwok(owner, run, URL)
    # Only now: a kubeconfig is the sign that the start was complete.
    shutil.copy(run / "admin.kubeconfig", cluster.kubeconfig)
    link = cluster.state / "kubectl"
    link.unlink(missing_ok=True)
    link.symlink_to(binaries.path("kubectl"))
    say(f"the cluster is up: KUBECONFIG={cluster.kubeconfig}")


def _start_control_plane(owner: Owner, run: Path) -> None:
    etcd_port, peer_port = api_server.free_ports(2)
    owner.start("etcd", api_server.etcd_command(run, etcd_port, peer_port))
    owner.start("kube-apiserver", api_server.api_server_command(run, ADDRESS, 6443, etcd_port))
    wait_until("kube-apiserver", 90, _ready(owner, run))
    write_kubeconfig(run, "admin", URL)
    manager = write_kubeconfig(run, "kube-controller-manager", URL)
    owner.start("kube-controller-manager", api_server.controller_manager_command(run, manager))
    scheduler = write_kubeconfig(run, "kube-scheduler", URL)
    owner.start("kube-scheduler", api_server.scheduler_command(scheduler))


def _ready(owner: Owner, run: Path) -> Iterator[bool]:
    while True:
        owner.require("etcd")
        owner.require("kube-apiserver")
        yield api_server.is_ready(run, URL)


def _cluster_objects() -> list[dict[str, object]]:
    """Return what a cluster has besides nodes: the runtime class, and what Prometheus may read."""
    monitoring = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "costpolicy:monitoring"}
    return [
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": containers.HOST_PYTHON},
            "handler": containers.HOST_PYTHON,
        },
        *prometheus.reader_objects(monitoring),
    ]


def _sees(cluster: LocalCluster, environments: Sequence[Path]) -> bool:
    """Tell whether the runtime handler lends what is wanted; containerd reads that only when it starts."""
    wanted = images.host_folders(*environments)
    lent = json.loads((cluster.run / "host-folders.json").read_text())
    return set(map(str, wanted)) <= set(lent)


@contextlib.contextmanager
def _alone(state: Path) -> Iterator[None]:
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is starting or stopping the cluster; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
