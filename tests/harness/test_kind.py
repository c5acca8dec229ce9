"""Covers what kind, docker and kubectl are told, in which order, and which cluster is chosen.

The programs are played by scripts that note their arguments, because no test machine has Docker. Not covered: that kind,
its node and its images do what they are told (nothing here runs kind).
"""

from pathlib import Path

import pytest
import yaml

from cluster import binaries, choice, gpus, kind, kind_workloads
from cluster.api_server import DNS_ADDRESS, SERVICE_NETWORK
from cluster.images import OPERATOR_IMAGE
from cluster.paths import CHECKOUT
from cluster.progress import ClusterError

EVERY_NODE = [gpus.simulated_name(product, 1) for product in gpus.SIMULATED]


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
    monitoring = cluster.start_prometheus(rules={"groups": []}, scrape_interval="5s")
    monitoring.stop()

    deleted = f"delete namespace {kind_workloads.MONITORING}"
    assert [f"kubectl {deleted}", "kubectl apply -f", "kubectl rollout status", f"kubectl {deleted}"] == [
        " ".join(command.split()[: 4 if "delete" in command else 3]) for command in played.told("kubectl")
    ]


def test_make_build_needs_no_go_where_helm_is(played):
    kind.build()

    assert [f"docker build --file=images/operator/Dockerfile --tag={OPERATOR_IMAGE} ."] == played.told("docker")


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
