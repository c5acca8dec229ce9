"""A variant's identity, its objects and what is pinned.

Covered: what changes the hash and what must not, ownership, unknown revisions, reading a record back,
replicas. Not covered: single fields of the pod (tests/golden), generated inputs
(tests/properties/test_rendering.py).
"""

import json
from datetime import timedelta

import pytest

from builders import UID, configuration, policy, variant_inputs
from costpolicy.api.types import CapacityType
from costpolicy.kube import gateway
from costpolicy.manifests import identity
from costpolicy.manifests.deployment import replicas, with_replicas
from costpolicy.manifests.inputs import SUPPORTED_REVISIONS, TEMPLATE_REVISION
from costpolicy.manifests.policy_objects import policy_objects
from costpolicy.manifests.record import RECORD_ANNOTATION, read_record
from costpolicy.manifests.variant import UnsupportedRevisionError, render_variant


@pytest.mark.parametrize(
    "change",
    [
        {"image": "docker.io/vllm/vllm-openai:v0.32.1"},
        {"configuration": configuration(accelerator="nvidia-h200")},
        {"configuration": configuration(capacity_type=CapacityType.SPOT)},
        {"configuration": configuration(tensor_parallel_size=2)},
        {"configuration": configuration(data_parallel_size=2)},
        {"configuration": configuration(node_selector={"pool": "a"})},
        {"configuration": configuration(max_model_len=4096)},
        {"policy": policy(model={"name": "other"})},
        {"policy": policy(objectives={"ttft": {"p95": "801ms"}})},
        {"policy": policy(objectives={"availability": {"minReadyReplicas": 2}})},
        {"policy": policy(engine={"env": [{"name": "A", "value": "b"}]})},
        {"policy": policy(engine={"pod": {"labels": {"team": "a"}}})},
        {"policy": policy(priorityClassName="high")},
    ],
    ids=lambda change: json.dumps(change, default=repr)[:60],
)
def test_what_changes_the_pods_changes_the_hash(change):
    assert render_variant(variant_inputs()).hash != render_variant(variant_inputs(**change)).hash


@pytest.mark.parametrize(
    "change",
    [
        {"policy": policy(scaling={"minReplicas": 2, "maxReplicas": 5})},
        {"policy": policy(budget={"hourly": "3.00"})},
        {"policy": policy(traffic={"requestsPerSecond": 7})},
        {"policy": policy(rollout={"mode": "Auto"})},
        {"policy": policy(deletionPolicy="Orphan")},
        {"policy": policy(objectives={"ttft": {"p95": "750ms"}})},
        {"startup_budget": timedelta(hours=1)},
        {"product_labels": {"example.org/gpu": ("h100",)}},
        {"scrape_annotations": False},
    ],
    ids=lambda change: json.dumps(change, default=repr)[:60],
)
def test_what_restarts_nothing_keeps_the_hash(change):
    assert render_variant(variant_inputs()).hash == render_variant(variant_inputs(**change)).hash


def test_the_hash_is_in_the_name_the_labels_and_the_selector():
    variant = render_variant(variant_inputs())
    labels = {identity.POLICY_LABEL: "chat", identity.VARIANT_LABEL: variant.hash}

    assert f"chat-{variant.hash}" == variant.name == variant.deployment["metadata"]["name"]
    assert {"matchLabels": labels} == variant.deployment["spec"]["selector"]
    assert labels.items() <= variant.deployment["spec"]["template"]["metadata"]["labels"].items()


def test_rendering_twice_gives_the_same_bytes():
    first, second = (json.dumps(render_variant(variant_inputs()).objects) for _ in range(2))

    assert first == second


def test_the_deployment_leaves_its_replicas_to_their_own_manager():
    deployment = render_variant(variant_inputs()).deployment

    assert "replicas" not in deployment["spec"]
    assert 3 == with_replicas(deployment, 3)["spec"]["replicas"]
    assert "replicas" not in deployment["spec"], "the rendered object itself is left alone"
    assert {"replicas": 2} == replicas("chat-0", "default", 2)["spec"]


def test_a_policy_owns_its_children_unless_they_shall_outlive_it():
    owned = render_variant(variant_inputs()).objects
    orphaned = render_variant(variant_inputs(policy=policy(deletionPolicy="Orphan"))).objects
    unstored = render_variant(variant_inputs(policy=policy(uid=""))).objects

    assert [UID, UID] == [item["metadata"]["ownerReferences"][0]["uid"] for item in owned]
    assert [] == [item for item in (*orphaned, *unstored) if "ownerReferences" in item["metadata"]]


def test_a_cold_start_renders_the_same_objects_from_the_record():
    variant = render_variant(
        variant_inputs(product_labels={"example.org/gpu": ("old-name",)}, startup_budget=timedelta(minutes=42))
    )

    record = read_record(variant.deployment)

    assert record is not None
    assert variant == render_variant(record.inputs(policy()))


def test_a_record_that_somebody_edited_is_no_record():
    deployment = render_variant(variant_inputs()).deployment
    deployment["metadata"]["annotations"][RECORD_ANNOTATION] = "{}"

    assert read_record(deployment) is None
    del deployment["metadata"]["annotations"]
    assert read_record(deployment) is None


def test_a_revision_that_is_not_supported_is_refused():
    assert TEMPLATE_REVISION in SUPPORTED_REVISIONS
    with pytest.raises(UnsupportedRevisionError, match="template revision 99 is not supported"):
        render_variant(variant_inputs(template_revision=99))


def test_a_single_replica_has_no_disruption_budget():
    one, two = (policy_objects(policy(), "0123456789", count, monitored=False) for count in (1, 2))

    assert ["Service"] == [item["kind"] for item in one]
    assert ["Service", "PodDisruptionBudget"] == [item["kind"] for item in two]


def test_the_policys_service_names_the_stable_variant_or_none():
    named, shared = (policy_objects(policy(), stable, 1, monitored=False)[0] for stable in ("0123456789", None))

    assert "0123456789" == named["spec"]["selector"][identity.VARIANT_LABEL]
    assert {identity.POLICY_LABEL: "chat"} == shared["spec"]["selector"]


def test_the_gateway_finds_children_by_the_labels_that_are_rendered():
    assert gateway.MANAGED_BY_LABEL == identity.MANAGED_BY_LABEL
    assert gateway.MANAGED_BY == identity.MANAGED_BY
    assert gateway.POLICY_LABEL == identity.POLICY_LABEL
    assert gateway.VARIANT_LABEL == identity.VARIANT_LABEL
