"""Where pods may run.

Covered: the rendered conditions match exactly the nodes that the plan prices, by the scheduler's own
semantics. Not covered: the scheduler itself (tests/e2e).
"""

from itertools import product

import pytest

from builders import configuration, node, policy, variant_inputs
from costpolicy.api.types import CapacityType
from costpolicy.catalog.accelerators import accelerators
from costpolicy.manifests.products import products_on
from costpolicy.manifests.variant import render_variant

SPOT_LABEL = ("karpenter.sh/capacity-type", "spot")
OTHERS = {"nvidia.com/gpu.product": "NVIDIA-L4"}


def admits(pod, labels) -> bool:
    """Whether nodeSelector and required node affinity admit a node, as kube-scheduler evaluates them."""
    if any(labels.get(key) != value for key, value in pod.get("nodeSelector", {}).items()):
        return False
    required = pod.get("affinity", {}).get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    terms = required["nodeSelectorTerms"] if required else [{}]
    return any(all(_holds(condition, labels) for condition in term.get("matchExpressions", [])) for term in terms)


def _holds(condition, labels) -> bool:
    value = labels.get(condition["key"])
    match condition["operator"]:
        case "In":
            return value in condition["values"]
        case "NotIn":
            return value not in condition["values"]
        case "DoesNotExist":
            return value is None
        case other:
            raise AssertionError(other)


def pod_of(**overrides):
    return render_variant(variant_inputs(**overrides)).deployment["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", sorted(accelerators()))
@pytest.mark.parametrize("capacity_type", list(CapacityType))
def test_admits_exactly_the_nodes_that_carry_the_accelerator(name, capacity_type):
    facts = accelerators()[name]
    chosen = configuration(accelerator=name, capacity_type=capacity_type, resource_name=facts.resource_name)
    pod = pod_of(configuration=chosen)
    spot = capacity_type is CapacityType.SPOT

    for (key, values), marked in product(facts.node_labels.items(), (True, False)):
        for value in values:
            labels = {key: value, **(dict([SPOT_LABEL]) if marked else {})}
            assert (marked is spot) == admits(pod, labels), labels
    for other in accelerators().values():
        labels = {key: values[0] for key, values in other.node_labels.items()}
        labels |= dict([SPOT_LABEL]) if spot else {}
        assert (other == facts) == admits(pod, labels), other.name


def test_a_clouds_label_does_not_override_the_device_plugins():
    pod = pod_of(configuration=configuration(accelerator="nvidia-a100-80gb"))
    cloud = {"cloud.google.com/gke-accelerator": "nvidia-a100-80gb"}

    assert admits(pod, cloud)
    assert not admits(pod, cloud | {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb"})
    assert not admits(pod, cloud | {"cloud.google.com/gke-gpu-partition-size": "1g.10gb"})
    assert not admits(pod, cloud | {"cloud.google.com/gke-gpu-sharing-strategy": "time-sharing"})


def test_an_offering_that_names_its_nodes_adds_no_condition():
    pod = pod_of(configuration=configuration(node_selector={"pool": "h100"}))

    assert {"pool": "h100"} == pod["nodeSelector"]
    assert "affinity" not in pod


def test_every_term_of_the_users_affinity_keeps_the_plans_conditions():
    zones = [{"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}]} for zone in ("a", "b")]
    wanted = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": zones}}}
    pod = pod_of(policy=policy(engine={"pod": {"affinity": wanted}}))
    here = dict(node().labels)

    assert [True, True, False] == [admits(pod, here | {"zone": zone}) for zone in ("a", "b", "c")]
    assert not admits(pod, OTHERS | {"zone": "a"})


def test_the_users_node_selector_cannot_replace_the_plans():
    pod = pod_of(
        configuration=configuration(node_selector={"pool": "h100"}),
        policy=policy(engine={"pod": {"nodeSelector": {"pool": "other", "disk": "fast"}}}),
    )

    assert {"pool": "h100", "disk": "fast"} == pod["nodeSelector"]


def test_only_spot_pods_tolerate_spot_taints():
    keys = [
        [toleration["key"] for toleration in pod_of(configuration=configuration(capacity_type=kind))["tolerations"]]
        for kind in (CapacityType.ON_DEMAND, CapacityType.SPOT)
    ]

    assert ["nvidia.com/gpu"] == keys[0]
    assert ["nvidia.com/gpu", "cloud.google.com/gke-spot", "kubernetes.azure.com/scalesetpriority"] == keys[1]


def test_only_labels_that_a_cluster_uses_are_asked_for():
    h100 = accelerators()["nvidia-h100-80gb"]

    assert ["nvidia.com/gpu.product"] == list(products_on([node().labels, OTHERS], h100))
    assert h100.node_labels == products_on([OTHERS], h100)
