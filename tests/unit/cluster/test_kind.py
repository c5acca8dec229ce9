"""Covers what kind, docker and kubectl are told, in which order, and what is applied; both clusters' engines.

The programs are played by scripts that note their arguments, because no test machine has Docker. Not covered: that kind,
its node and its images do what they are told (nothing here runs kind).
"""

import os
import sys
from pathlib import Path

import pytest
import yaml
from kubernetes import client

from cluster import binaries, choice, containers, gpus, kind, kind_workloads, local
from cluster.api_server import DNS_ADDRESS, SERVICE_NETWORK
from cluster.cluster import RealEngine
from cluster.images import OPERATOR_IMAGE
from cluster.paths import CHECKOUT
from cluster.progress import ClusterError
from cluster.prometheus import pods_job
from costpolicy.api.policy import CostPolicySpec
from demo.real_engine import MANIFEST, runs_on
from engine.environment import VLLM_VERSION

RULES = {"groups": [{"name": "costpolicy", "interval": "5s", "rules": []}]}
EVERY_NODE = [gpus.simulated_name(product, 1) for product in gpus.SIMULATED]
PLAYED = """\
#!{python} -IS
import os, sys
from pathlib import Path
folder, name = Path({folder!r}), Path(sys.argv[0]).name
words = " ".join([name, *sys.argv[1:]])
with (folder / "told").open("a") as told:
    told.write(words + "\\n")
if name == "kubectl" and "-f -" in words:
    (folder / f"applied-{{len(list(folder.glob('applied-*')))}}").write_text(sys.stdin.read())
for begin in (folder / "fails").read_text().splitlines():
    if words.startswith(begin):
        sys.exit(begin + " does not work today")
for line in (folder / "answers").read_text().splitlines():
    begin, _, answer = line.partition(" => ")
    if words.startswith(begin):
        print(answer)
"""


class Played:
    """docker, kind, kubectl and helm, each a script that notes what it is told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "bin").mkdir()
        for name in ("docker", "kind", "kubectl", "helm"):
            script = folder / "bin" / name
            script.write_text(PLAYED.format(python=sys.executable, folder=str(folder)))
            script.chmod(0o755)
        for name in ("told", "fails", "answers"):
            (folder / name).touch()

    def answer(self, begin: str, text: str) -> None:
        """Let commands that begin so print a line."""
        with (self._folder / "answers").open("a") as answers:
            answers.write(f"{begin} => {text}\n")

    def fail(self, begin: str) -> None:
        """Let commands that begin so fail."""
        with (self._folder / "fails").open("a") as fails:
            fails.write(begin + "\n")

    def applied(self) -> list[str]:
        """Return what kubectl was given on its standard input, in the order of the commands."""
        return [path.read_text() for path in sorted(self._folder.glob("applied-*"))]

    def told(self, *programs: str) -> list[str]:
        """Return the commands that were given to some of the programs, in their order."""
        lines = (self._folder / "told").read_text().splitlines()
        return [line for line in lines if line.split()[0] in programs]


@pytest.fixture
def played(tmp_path, monkeypatch) -> Played:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Played(tmp_path)


@pytest.fixture
def cluster(played, tmp_path) -> kind.KindCluster:
    return kind.KindCluster(tmp_path / "kubeconfig")


def verbs(commands: list[str]) -> list[str]:
    return [" ".join(command.split()[1:3]) for command in commands]


def test_the_node_has_the_addresses_and_the_minor_version_of_the_local_cluster():
    config = yaml.safe_load(kind.CONFIGURATION.read_text())
    (node,) = config["nodes"]

    assert config["networking"]["serviceSubnet"] == SERVICE_NETWORK
    assert DNS_ADDRESS.startswith("10.96.0.")
    assert node["role"] == "control-plane"
    assert kind.NODE == f"{kind.NAME}-control-plane"
    minor = binaries.KUBERNETES_VERSION.rpartition(".")[0]
    assert node["image"].partition("@")[0].rpartition(":")[2].startswith(f"v{minor}.")


def test_a_cluster_that_is_not_there_is_created_and_gets_kwok_and_accelerators(played):
    cluster = kind.up({})

    assert ["get clusters", "delete cluster", "create cluster"] == verbs(played.told("kind"))
    create = played.told("kind")[-1]
    assert f"--config={kind.CONFIGURATION}" in create
    assert f"--kubeconfig={cluster.kubeconfig}" in create
    assert ["patch node", "patch node", "apply -f", "rollout status"] == verbs(played.told("kubectl"))[:4]


def test_the_simulated_nodes_of_every_product_are_created(played):
    played.answer("kubectl get nodes -o jsonpath={range", " ".join(f"{name}=True" for name in EVERY_NODE))

    kind.up()

    assert "create -f" in verbs(played.told("kubectl"))
    created = list(yaml.safe_load_all(played.applied()[-1]))
    assert EVERY_NODE == [node["metadata"]["name"] for node in created]
    assert {"Node"} == {node["kind"] for node in created}


def test_a_cluster_that_is_there_and_whole_is_used(played):
    played.answer("kind get clusters", kind.NAME)

    kind.up({})

    assert ["get clusters", "export kubeconfig"] == verbs(played.told("kind"))


@pytest.mark.parametrize("broken", ["kind export kubeconfig", "kubectl wait --for=condition=Ready"])
def test_what_a_killed_run_left_half_way_is_deleted_and_created_anew(played, broken):
    played.answer("kind get clusters", kind.NAME)
    played.fail(broken)

    kind.up({})

    assert ["delete cluster", "create cluster"] == verbs(played.told("kind"))[-2:]


def test_a_refusal_of_kind_is_told_in_its_own_words(played):
    played.fail("kind create cluster")

    with pytest.raises(ClusterError, match="kind create cluster does not work today"):
        kind.up({})


def test_a_missing_kind_is_said_before_anything_is_done(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ClusterError, match="CLUSTER=kind needs docker and kind and kubectl on the PATH"):
        kind.up({})


def test_the_operators_image_is_built_by_docker_and_loaded_by_kind(played, cluster):
    cluster.provide_operator_image()

    assert [
        f"docker build --file=images/operator/Dockerfile --tag={OPERATOR_IMAGE} .",
        f"kind load docker-image {OPERATOR_IMAGE} --name={kind.NAME}",
    ] == played.told("docker", "kind")
    assert (CHECKOUT / "images" / "operator" / "Dockerfile").exists()


def test_the_engine_is_pulled_by_the_node_and_the_model_copied_onto_it(played, cluster):
    engine = cluster.provide_engine(Path("/cache/tiny-model"))

    assert [
        f"docker exec {kind.NODE} crictl images --quiet {engine.image}",
        f"docker exec {kind.NODE} crictl pull {engine.image}",
        f"docker exec {kind.NODE} mkdir -p {engine.model_on_node}",
        f"docker cp /cache/tiny-model/. {kind.NODE}:{engine.model_on_node}",
    ] == played.told("docker")
    # Docker's copies do not reach file systems in memory.
    assert not engine.model_on_node.is_relative_to("/tmp")
    assert not engine.model_on_node.is_relative_to("/run")


def test_an_engine_that_the_node_has_is_not_pulled_again(played, cluster):
    played.answer("docker exec", "0123456789ab")

    cluster.provide_engine(Path("/cache/tiny-model"))

    assert not [command for command in played.told("docker") if "pull" in command]


def test_prometheus_begins_empty_and_goes_with_its_namespace(played, cluster):
    monitoring = cluster.start_prometheus(rules=RULES, scrape_interval="5s")
    monitoring.stop()

    deleted = f"delete namespace {kind_workloads.MONITORING}"
    assert [f"kubectl {deleted}", "kubectl apply -f", "kubectl rollout status", f"kubectl {deleted}"] == [
        " ".join(command.split()[: 4 if "delete" in command else 3]) for command in played.told("kubectl")
    ]


def test_make_build_needs_no_go_where_helm_is(played):
    kind.build()

    assert [f"docker build --file=images/operator/Dockerfile --tag={OPERATOR_IMAGE} ."] == played.told("docker")


@pytest.mark.parametrize(
    "manifest",
    [*kind_workloads.kwok_manifests("node"), *kind_workloads.prometheus_manifests(RULES, "5s")],
    ids=lambda manifest: f"{manifest['kind']} {manifest['metadata']['name']}",
)
def test_every_field_that_is_applied_is_one_of_kubernetes(manifest):
    converter = client.ApiClient()

    # The client's models drop what they do not know.
    understood = converter._ApiClient__deserialize(manifest, f"V1{manifest['kind']}")

    assert manifest == converter.sanitize_for_serialization(understood)


def test_kwok_reads_the_stages_of_the_local_cluster_and_runs_on_the_real_node():
    objects = {each["kind"]: each for each in kind_workloads.kwok_manifests(kind.NODE)}
    pod = objects["Deployment"]["spec"]["template"]["spec"]

    assert objects["ConfigMap"]["data"]["stages.yaml"] == gpus.STAGES.read_text()
    assert {"--config=/etc/kwok/stages.yaml", "--manage-all-nodes=false"} <= set(pod["containers"][0]["args"])
    assert {"kubernetes.io/hostname": kind.NODE} == pod["nodeSelector"]


def test_prometheus_scrapes_pods_as_the_local_one_does_and_evaluates_the_rules():
    objects = {each["kind"]: each for each in kind_workloads.prometheus_manifests(RULES, "5s")}
    files = objects["ConfigMap"]["data"]
    configuration = yaml.safe_load(files["prometheus.yml"])

    assert [pods_job({"kubernetes_sd_configs": [{"role": "pod"}]})] == configuration["scrape_configs"]
    assert {"scrape_interval": "5s", "evaluation_interval": "5s"} == configuration["global"]
    assert ["/etc/prometheus/rules.yaml"] == configuration["rule_files"]
    assert RULES == yaml.safe_load(files["rules.yaml"])


def test_prometheus_may_only_read_pods_and_is_reached_where_the_operator_asks(cluster):
    objects = {each["kind"]: each for each in kind_workloads.prometheus_manifests(RULES, "5s")}
    name = objects["Service"]["metadata"]
    (port,) = objects["Service"]["spec"]["ports"]

    assert [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}] == objects["ClusterRole"][
        "rules"
    ]
    assert [{"kind": "ServiceAccount", **name}] == objects["ClusterRoleBinding"]["subjects"]
    assert f"http://{name['name']}.{name['namespace']}.svc:{port['port']}" == cluster.prometheus_url


@pytest.mark.parametrize(
    ("engine", "runtime_class"),
    [
        (
            RealEngine(
                version=VLLM_VERSION,
                image=local.ENGINE_IMAGE,
                runtime_class=containers.HOST_PYTHON,
                model_on_node=Path("/cache/tiny-model"),
            ),
            "host-python",
        ),
        (
            RealEngine(
                version=kind.ENGINE_VERSION,
                image=kind.ENGINE_IMAGE,
                runtime_class=None,
                model_on_node=kind.MODEL_ON_NODE,
            ),
            None,
        ),
    ],
    ids=["local", "kind"],
)
def test_the_tiny_models_policy_runs_on_the_engine_that_the_cluster_has(engine, runtime_class):
    written = yaml.safe_load(MANIFEST.read_text())["spec"]
    change = runs_on(engine)["spec"]["engine"]
    pod = written["engine"]["pod"] | change.get("pod", {})

    spec = CostPolicySpec.model_validate(written | {"engine": written["engine"] | change | {"pod": pod}})

    assert (engine.version, engine.image) == (spec.engine.version, spec.engine.image)
    assert spec.engine.image.endswith(engine.version)
    assert runtime_class == spec.engine.pod.runtime_class_name
    assert spec.engine.pod.resources is not None


def test_a_cluster_for_the_demo_has_the_engines_image_before_anything_is_timed(played, monkeypatch):
    monkeypatch.setenv("CLUSTER", "kind")
    played.answer("kubectl get nodes -o jsonpath={.items", " ".join(EVERY_NODE))

    choice.up()

    assert f"docker exec {kind.NODE} crictl pull {kind.ENGINE_IMAGE}" == played.told("docker")[-1]


@pytest.mark.parametrize(("up_before", "deleted"), [("costpolicy", 0), ("another", 1)])
def test_only_a_cluster_that_was_not_there_is_taken_away(played, monkeypatch, up_before, deleted):
    monkeypatch.setenv("CLUSTER", "kind")
    played.answer("kubectl get nodes -o jsonpath={.items", " ".join(EVERY_NODE))
    played.answer("kind get clusters", up_before)
    kind.kubeconfig().parent.mkdir(parents=True)
    kind.kubeconfig().touch()

    with choice.running():
        before = len(played.told("kind"))

    assert ["delete cluster"] * deleted == verbs(played.told("kind")[before:])


def test_an_unknown_cluster_is_refused_with_those_there_are(monkeypatch):
    monkeypatch.setenv("CLUSTER", "minikube")

    with pytest.raises(ClusterError, match=r"CLUSTER=minikube is unknown: use local .* or kind"):
        choice.chosen()


def test_the_cluster_that_is_built_here_is_chosen_unless_told_otherwise(monkeypatch):
    monkeypatch.setenv("CLUSTER", "")
    assert "local" == choice.chosen()

    monkeypatch.setenv("CLUSTER", "kind")
    assert "kind" == choice.chosen()
