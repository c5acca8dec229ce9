"""The same cluster on a machine with Docker and kind: same nodes, labels and accelerators, everything in pods.

Prometheus, kwok and the real engine are public images with pinned tags; the operator's image is built by Docker. Needs
`docker`, `kind`, `kubectl` and Helm (or Go, to build Helm); neither root nor Debian.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from cluster import api_server, binaries, gpus, kind_workloads, prometheus
from cluster.cluster import Reach, RealEngine, RealRouter
from cluster.images import OPERATOR_IMAGE
from cluster.kubectl_proxy import kubectl_proxy, service_path
from cluster.node import claim_accelerators
from cluster.paths import CHECKOUT, HERE, state_folder
from cluster.progress import ClusterError, run_with_heartbeat, say, step
from router.environment import LITELLM_VERSION

NAME = "costpolicy"
CONFIGURATION = HERE / "kind.yaml"
NODE = f"{NAME}-control-plane"
ENGINE_VERSION = "0.30.0"
ENGINE_IMAGE = f"vllm/vllm-openai-cpu:v{ENGINE_VERSION}"
"""vLLM's own build for CPUs, of both architectures."""
ROUTER_IMAGE = f"litellm/litellm:v{LITELLM_VERSION}"
"""LiteLLM's own, of the release that is tested here from its package."""
MODEL_ON_NODE = Path("/opt/costpolicy/model")


@dataclass(frozen=True, slots=True)
class Monitoring:
    """The Prometheus of a cluster."""

    cluster: "KindCluster"

    def stop(self) -> None:
        """Delete it with everything it had stored."""
        namespace = ("namespace", kind_workloads.MONITORING)
        self.cluster.kubectl("delete", *namespace, "--ignore-not-found", "--timeout=120s")


@dataclass(frozen=True, slots=True)
class KindCluster:
    """The cluster named `costpolicy` of kind; `kubeconfig` is the administrator's."""

    kubeconfig: Path

    @property
    def prometheus_url(self) -> str:
        """Prometheus, as pods reach it once it is started."""
        return f"http://{kind_workloads.PROMETHEUS}.{kind_workloads.MONITORING}.svc:{prometheus.PORT}"

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's own word
        """Run kubectl as the administrator and return what it prints; ClusterError with its message if it fails."""
        return api_server.run_client("kubectl", self.kubeconfig, arguments, input)

    def helm(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's own word
        """Run Helm as the administrator and return what it prints; ClusterError with its message if it fails."""
        return api_server.run_client("helm", self.kubeconfig, arguments, input)

    def provide_operator_image(self) -> None:
        """Build images.OPERATOR_IMAGE from this checkout with Docker and load it onto the node."""
        build_operator_image()
        with step("loading the operator's image onto the node"):
            _run(load_command(OPERATOR_IMAGE))

    def provide_engine(self, model: Path) -> RealEngine:
        """Copy the model onto the node and pull the engine's image there unless it has it."""
        self.pull_engine()
        _run(on_node("mkdir", "-p", str(MODEL_ON_NODE)))
        _run(copy_command(model))
        return RealEngine(version=ENGINE_VERSION, image=ENGINE_IMAGE, runtime_class=None, model_on_node=MODEL_ON_NODE)

    def pull_engine(self) -> None:
        """Pull the engine's image onto the node unless it has it: gigabytes, once a cluster."""
        # The node pulls it itself: through Docker it would lie on this machine twice.
        if not _run(on_node("crictl", "images", "--quiet", ENGINE_IMAGE)).strip():
            _run_long(f"pulling {ENGINE_IMAGE} onto the node", on_node("crictl", "pull", ENGINE_IMAGE))

    def provide_router(self) -> RealRouter:
        """Name LiteLLM's own image, which the node pulls when a pod asks for it."""
        return RealRouter(image=ROUTER_IMAGE, runtime_class=None)

    def start_prometheus(self, *, rules: Mapping[str, object], scrape_interval: str) -> Monitoring:
        """Start an empty Prometheus with the content of a rule file, scraping the real node's annotated pods."""
        monitoring = Monitoring(self)
        monitoring.stop()
        manifests = kind_workloads.prometheus_manifests(rules, scrape_interval)
        with step("starting Prometheus"):
            self.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(manifests))
            self._await_deployment(kind_workloads.PROMETHEUS, kind_workloads.MONITORING)
        return monitoring

    @contextlib.contextmanager
    def reach(self) -> Iterator[Reach]:
        """Give addresses on this machine at which the API server passes requests on to Services."""
        with kubectl_proxy(self.kubeconfig) as root:
            metadata = {"namespace": kind_workloads.MONITORING, "name": kind_workloads.PROMETHEUS}
            monitoring = {"metadata": metadata, "spec": {"ports": [{"port": prometheus.PORT}]}}
            yield Reach(
                prometheus=root + service_path(monitoring), service=lambda service: root + service_path(service)
            )

    def is_healthy(self) -> bool:
        """Tell whether the API server answers and says that the node is Ready."""
        try:
            self.kubectl("wait", "--for=condition=Ready", f"node/{NODE}", "--timeout=30s")
        except ClusterError:
            return False
        return True

    def simulate_nodes(self, nodes: Mapping[str, int]) -> None:
        """Claim the node's accelerators, run kwok, and add what is missing of so many simulated nodes."""
        claim_accelerators(self.kubeconfig, NODE, gpus.TESLA_T4, 8)
        self.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(kind_workloads.kwok_manifests(NODE)))
        self._await_deployment("kwok", "kube-system")
        gpus.complete_gpu_nodes(self.kubeconfig, nodes)

    def _await_deployment(self, name: str, namespace: str) -> None:
        self.kubectl("rollout", "status", f"deployment/{name}", "-n", namespace, "--timeout=300s")


def up(nodes: Mapping[str, int] = gpus.ONE_OF_EACH) -> KindCluster:
    """Bring the cluster up, or use the one that is; `nodes` are the simulated nodes it has at least.

    What a killed run or a stopped Docker has left half-way is deleted first.
    """
    _require("docker", "kind", "kubectl")
    cluster = KindCluster(kubeconfig())
    cluster.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    if _exists() and _export(cluster) and cluster.is_healthy():
        say(f"the cluster is up already: KUBECONFIG={cluster.kubeconfig}")
    else:
        _run(delete_command(cluster.kubeconfig))
        with step("creating a cluster with kind"):
            _run(create_command(cluster.kubeconfig))
    with step("simulated nodes"):
        cluster.simulate_nodes(nodes)
    return cluster


def down() -> None:
    """Remove the cluster; does nothing where there is none."""
    _require("docker", "kind")
    _run(delete_command(kubeconfig()))


def is_up() -> bool:
    """Tell whether the cluster is there and whole."""
    _require("docker", "kind", "kubectl")
    return _exists() and kubeconfig().exists() and KindCluster(kubeconfig()).is_healthy()


def build() -> None:
    """Build what is built on this machine: Helm where there is none, and the operator's image."""
    _require("docker", "kind", "kubectl")
    if shutil.which("helm") is None:
        binaries.build(["helm"])
    build_operator_image()
    say(f"the images of kind's node, kwok, Prometheus and {ENGINE_IMAGE} are pulled when they are first used")


def build_operator_image() -> None:
    """Build images.OPERATOR_IMAGE with Docker from images/operator/Dockerfile."""
    _run_long("building the operator's image", image_command())


def kubeconfig() -> Path:
    """Return where the administrator's kubeconfig is kept, apart from the user's own."""
    return state_folder().parent / "kind" / "kubeconfig"


def create_command(kubeconfig: Path) -> list[str]:
    """Return the command that creates the cluster and waits for its node."""
    options = [f"--config={CONFIGURATION}", f"--kubeconfig={kubeconfig}", "--wait=180s"]
    return ["kind", "create", "cluster", f"--name={NAME}", *options]


def delete_command(kubeconfig: Path) -> list[str]:
    """Return the command that removes the cluster; kind does nothing where there is none."""
    return ["kind", "delete", "cluster", f"--name={NAME}", f"--kubeconfig={kubeconfig}"]


def load_command(image: str) -> list[str]:
    """Return the command that copies an image of Docker onto the node."""
    return ["kind", "load", "docker-image", image, f"--name={NAME}"]


def image_command() -> list[str]:
    """Return the command that builds the operator's image."""
    return ["docker", "build", "--file=images/operator/Dockerfile", f"--tag={OPERATOR_IMAGE}", "."]


def on_node(*command: str) -> list[str]:
    """Return a command as it is run on the node, which is a container of Docker."""
    return ["docker", "exec", NODE, *command]


def copy_command(model: Path) -> list[str]:
    """Return the command that copies the files of a folder to where the node keeps the model."""
    return ["docker", "cp", f"{model}/.", f"{NODE}:{MODEL_ON_NODE}"]


def _exists() -> bool:
    return NAME in _run(["kind", "get", "clusters"]).split()


def _export(cluster: KindCluster) -> bool:
    """Write the kubeconfig anew: the port of the API server may have changed, or the file may be lost."""
    with contextlib.suppress(ClusterError):
        _run(["kind", "export", "kubeconfig", f"--name={NAME}", f"--kubeconfig={cluster.kubeconfig}"])
        return True
    return False


def _require(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise ClusterError(f"CLUSTER=kind needs {' and '.join(missing)} on the PATH")


def _run_long(title: str, command: Sequence[str]) -> None:
    # Attestations would make an index of several images of it, which kind cannot load.
    environment = os.environ | {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    log = kubeconfig().with_name("commands.log")
    run_with_heartbeat(title, command, log=log, cwd=CHECKOUT, env=environment)


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    if done.returncode != 0:
        raise ClusterError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
