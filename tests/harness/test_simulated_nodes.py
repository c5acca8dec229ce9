"""Covers what the nodes of the test cluster say about their accelerators. Not covered: kwok itself (e2e ring)."""

import pytest
import yaml

from cluster.gpus import SIMULATED, STAGES, TESLA_T4, node_manifest, simulated_name


@pytest.mark.parametrize("product", SIMULATED.values(), ids=SIMULATED)
def test_a_simulated_node_offers_what_its_labels_claim(product):
    node = node_manifest("n", product, 8, {})

    assert node["metadata"]["labels"]["nvidia.com/gpu.product"] == product.product
    assert node["metadata"]["labels"]["nvidia.com/gpu.count"] == "8"
    assert node["status"]["capacity"]["nvidia.com/gpu"] == "8"
    assert node["status"]["allocatable"] == node["status"]["capacity"]


def test_only_pods_that_tolerate_accelerators_land_on_simulated_nodes():
    node = node_manifest("n", SIMULATED["NVIDIA-H200"], 8, {})

    assert node["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]


def test_labels_of_the_caller_are_added_to_the_products():
    node = node_manifest("n", SIMULATED["NVIDIA-L40S"], 4, {"karpenter.sh/capacity-type": "spot"})

    assert node["metadata"]["labels"]["karpenter.sh/capacity-type"] == "spot"
    assert node["metadata"]["labels"]["nvidia.com/gpu.count"] == "4"


def test_the_cluster_simulates_the_four_accelerators_that_it_promises():
    expected = {"NVIDIA-L40S", "NVIDIA-A100-SXM4-80GB", "NVIDIA-H100-80GB-HBM3", "NVIDIA-H200"}

    assert expected == set(SIMULATED)


@pytest.mark.parametrize("product", [*SIMULATED.values(), TESLA_T4])
def test_every_label_value_is_one_that_kubernetes_accepts(product):
    for value in product.labels(8).values():
        assert len(value) <= 63
        assert value.replace("-", "").replace(".", "").replace("_", "").isalnum()


def test_node_names_are_legal_and_distinct():
    names = {simulated_name(product, number) for product in SIMULATED for number in (1, 2)}

    assert len(names) == 2 * len(SIMULATED)
    assert all(name == name.lower() and len(name) <= 63 for name in names)


def test_a_pod_starts_becomes_ready_and_goes_by_the_stages_kwok_reads():
    stages = {stage["metadata"]["name"]: stage["spec"] for stage in yaml.safe_load_all(STAGES.read_text())}

    assert set(stages) == {"node-ready", "node-heartbeat", "pod-start", "pod-ready", "pod-delete"}
    assert stages["pod-delete"]["next"] == {"delete": True}
