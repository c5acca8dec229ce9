"""The promises of ``kube.gateway.Gateway``, as tests that every implementation runs.

A test module subclasses :class:`GatewayContract` and provides two fixtures: ``world``, the cluster as
everybody else sees and changes it, and ``gateway``, the implementation under test over that same world.

Covered: reading, server-side apply with both field managers, names that are taken, deletes, status, events.
Not covered: what only a real API server does (schemas, RBAC, timeouts): ``tests/integration/kube``.
"""

from typing import Any, Protocol

import pytest

from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.kube.errors import Conflict, Gone, NameTaken
from costpolicy.kube.gateway import (
    MANAGED_BY,
    MANAGED_BY_LABEL,
    POLICY_LABEL,
    VARIANT_LABEL,
    Event,
    EventType,
    FieldManager,
    Gateway,
    Object,
    ObjectRef,
    Taint,
    reference,
)
from costpolicy.kube.ownership import owners_of

OPERATOR, REPLICAS = FieldManager.OPERATOR, FieldManager.REPLICAS
GPU = "nvidia.com/gpu"


class World(Protocol):
    """The cluster as users, schedulers and autoscalers see it."""

    namespace: str
    """A namespace that no other test uses."""

    def create(self, item: Object) -> Object:
        """Create an object as somebody else, with its status where it has one; return it as stored."""

    def edit(self, ref: ObjectRef, change: dict[str, Any], manager: str) -> Object:
        """Merge a change into an object under another field manager (as ``kubectl edit`` does)."""

    def get(self, ref: ObjectRef) -> Object | None:
        """Return an object as stored, with managedFields."""

    def remove(self, ref: ObjectRef) -> None:
        """Delete an object as somebody else."""

    def events(self) -> list[Object]:
        """Return the events of the namespace, oldest first."""

    def settle(self) -> None:
        """Let the gateway learn what happened (one that mirrors the cluster is fed here)."""


def policy(namespace: str, name: str = "chat") -> Object:
    """Return the smallest useful policy."""
    return {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "CostPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "model": {"name": name, "source": {"huggingFace": {"repository": "meta-llama/Llama-3.1-8B"}}},
            "objectives": {"ttft": {"p95": "800ms"}},
        },
    }


def price_book(name: str) -> Object:
    """Return a book with one offering."""
    offering = {"accelerator": "nvidia-l4", "capacityType": "OnDemand", "hourly": "0.71"}
    return {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "PriceBook",
        "metadata": {"name": name},
        "spec": {"currency": "USD", "offerings": [offering]},
    }


def labels(policy_name: str = "chat", variant: str = "0123456789") -> dict[str, str]:
    """Return the labels of a child."""
    return {MANAGED_BY_LABEL: MANAGED_BY, POLICY_LABEL: policy_name, VARIANT_LABEL: variant}


def deployment(namespace: str, policy_name: str = "chat", *, replicas: int | None = None, **changes: Any) -> Object:
    """Return a Deployment of the shape that the operator renders; ``changes`` replace its container's fields."""
    name, chosen = f"{policy_name}-0123456789", {POLICY_LABEL: policy_name, VARIANT_LABEL: "0123456789"}
    container = {
        "name": "engine",
        "image": "docker.io/vllm/vllm-openai:v0.32.0",
        "args": ["--model=/models", "--port=8000"],
        "env": [{"name": "HF_HOME", "value": "/models"}, {"name": "VLLM_NO_USAGE_STATS", "value": "1"}],
        "ports": [{"name": "http", "containerPort": 8000}],
        "resources": {"requests": {"cpu": "4", GPU: "1"}, "limits": {GPU: "1"}},
        "volumeMounts": [{"name": "models", "mountPath": "/models"}],
    }
    spec: dict[str, Any] = {
        "selector": {"matchLabels": chosen},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {
            "metadata": {"labels": {**labels(policy_name)}},
            "spec": {
                "containers": [container | changes],
                "tolerations": [{"key": GPU, "operator": "Exists", "effect": "NoSchedule"}],
                "volumes": [{"name": "models", "emptyDir": {}}],
            },
        },
    }
    if replicas is not None:
        spec["replicas"] = replicas
    metadata = {"name": name, "namespace": namespace, "labels": labels(policy_name)}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def replicas_of(item: Object, count: int | None) -> Object:
    """Return what the second field manager applies: the count alone, or nothing at all to let go of it."""
    metadata = {"name": item["metadata"]["name"], "namespace": item["metadata"]["namespace"]}
    intent: Object = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    return intent if count is None else intent | {"spec": {"replicas": count}}


def service(namespace: str, policy_name: str = "chat") -> Object:
    """Return a policy's Service."""
    metadata = {"name": policy_name, "namespace": namespace, "labels": labels(policy_name)}
    spec = {
        "selector": {POLICY_LABEL: policy_name},
        "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def node(name: str, gpus: int) -> Object:
    """Return a GPU node as the device plugin leaves it."""
    amounts = {"cpu": "64", "memory": "256Gi", GPU: str(gpus)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"nvidia.com/gpu.product": "NVIDIA-L4"}},
        "spec": {"taints": [{"key": GPU, "effect": "NoSchedule"}]},
        "status": {
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def pod(namespace: str, name: str, *, gpus: int = 0, own: bool = False, phase: str = "Running") -> Object:
    """Return a pod of somebody's, or of ours."""
    amounts = {GPU: str(gpus)} if gpus else {}
    container = {"name": "main", "image": "busybox", "resources": {"requests": amounts, "limits": amounts}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels() if own else {}},
        "spec": {"containers": [container]},
        "status": {"phase": phase},
    }


def resource_version(item: Object | None) -> str:
    """Return the version of an object that must exist."""
    assert item is not None
    return str(item["metadata"]["resourceVersion"])


class GatewayContract:
    """What a Gateway promises."""

    # Reading

    def test_lists_policies_by_namespace_and_name(self, gateway: Gateway, world: World) -> None:
        for name in ("b", "a"):
            world.create(policy(world.namespace, name))
        world.settle()

        here = [
            found.metadata.name
            for found in gateway.policies()
            if isinstance(found, CostPolicy) and found.metadata.namespace == world.namespace
        ]
        assert ["a", "b"] == here

    def test_reads_one_policy_with_its_address(self, gateway: Gateway, world: World) -> None:
        stored = world.create(policy(world.namespace))
        world.settle()

        found = gateway.policy(world.namespace, "chat")

        assert isinstance(found, CostPolicy)
        assert (stored["metadata"]["uid"], 1) == (found.metadata.uid, found.metadata.generation)

    def test_a_policy_that_is_not_there_is_none(self, gateway: Gateway, world: World) -> None:
        assert gateway.policy(world.namespace, "nobody") is None

    def test_a_policy_that_was_deleted_is_none(self, gateway: Gateway, world: World) -> None:
        stored = world.create(policy(world.namespace))
        world.settle()
        world.remove(reference(stored))
        world.settle()

        assert gateway.policy(world.namespace, "chat") is None

    def test_reads_price_books(self, gateway: Gateway, world: World) -> None:
        stored = world.create(price_book(f"book-{world.namespace}"))
        world.settle()

        found = [book.metadata.name for book in gateway.price_books() if isinstance(book, PriceBook)]
        world.remove(reference(stored))

        assert f"book-{world.namespace}" in found

    def test_reads_nodes_with_their_accelerators(self, gateway: Gateway, world: World) -> None:
        stored = world.create(node(f"gpu-{world.namespace}", 8))
        world.settle()

        found = next(each for each in gateway.nodes() if each.name == stored["metadata"]["name"])
        world.remove(reference(stored))

        assert Taint(key=GPU, value="", effect="NoSchedule") in found.taints
        assert ({GPU: 8}, True, False) == (found.allocatable, found.ready, found.unschedulable)
        assert "NVIDIA-L4" == found.labels["nvidia.com/gpu.product"]

    def test_reads_pods_that_are_ours_or_hold_accelerators(self, gateway: Gateway, world: World) -> None:
        world.create(pod(world.namespace, "ours", own=True))
        world.create(pod(world.namespace, "training", gpus=2))
        world.create(pod(world.namespace, "web"))
        world.create(pod(world.namespace, "finished", gpus=2, phase="Succeeded"))
        world.settle()

        found = {each.name: each.requests for each in gateway.pods() if each.namespace == world.namespace}
        assert {"ours": {}, "training": {GPU: 2}} == found

    def test_owned_are_the_children_of_that_policy_alone(self, gateway: Gateway, world: World) -> None:
        for child in (
            service(world.namespace),
            deployment(world.namespace),
            service(world.namespace, "other"),
        ):
            gateway.apply(child, OPERATOR)
        foreign = service(world.namespace, "foreign")
        del foreign["metadata"]["labels"]
        world.create(foreign)
        world.settle()

        found = [(child["kind"], child["metadata"]["name"]) for child in gateway.owned(world.namespace, "chat")]
        assert [("Deployment", "chat-0123456789"), ("Service", "chat")] == found

    def test_reads_any_object_by_name_or_none(self, gateway: Gateway, world: World) -> None:
        stored = world.create(deployment(world.namespace))
        absent = ObjectRef(api_version="apps/v1", kind="Deployment", name="nobody", namespace=world.namespace)

        found = gateway.read(reference(stored))

        assert found is not None
        assert stored["metadata"]["uid"] == found["metadata"]["uid"]
        assert gateway.read(absent) is None

    def test_knows_which_kinds_the_cluster_has(self, gateway: Gateway) -> None:
        assert gateway.serves("apps/v1", "Deployment")
        assert not gateway.serves("nobody.example.com/v1", "Nothing")

    # Applying

    def test_apply_creates_and_returns_what_is_stored(self, gateway: Gateway, world: World) -> None:
        applied = gateway.apply(deployment(world.namespace), OPERATOR)

        stored = world.get(reference(applied))
        assert stored is not None
        assert (stored["metadata"]["uid"], resource_version(stored)) == (
            applied["metadata"]["uid"],
            resource_version(applied),
        )

    def test_what_was_applied_is_visible_at_once(self, gateway: Gateway, world: World) -> None:
        gateway.apply(deployment(world.namespace), OPERATOR)

        assert ["Deployment"] == [child["kind"] for child in gateway.owned(world.namespace, "chat")]

    def test_applying_the_same_again_changes_nothing(self, gateway: Gateway, world: World) -> None:
        first = gateway.apply(deployment(world.namespace, replicas=2), OPERATOR)
        again = gateway.apply(deployment(world.namespace, replicas=2), OPERATOR)

        assert resource_version(first) == resource_version(again) == resource_version(world.get(reference(first)))

    def test_gives_up_what_is_no_longer_intended(self, gateway: Gateway, world: World) -> None:
        first = gateway.apply(deployment(world.namespace), OPERATOR)
        gateway.apply(deployment(world.namespace, env=[{"name": "HF_HOME", "value": "/models"}]), OPERATOR)

        stored = world.get(reference(first))
        assert stored is not None
        assert ["HF_HOME"] == [entry["name"] for entry in _engine(stored)["env"]]

    def test_takes_back_a_field_that_somebody_edited(self, gateway: Gateway, world: World) -> None:
        first = gateway.apply(service(world.namespace), OPERATOR)
        world.edit(reference(first), {"spec": {"selector": {"app": "mine"}}}, "kubectl-edit")
        world.settle()

        gateway.apply(service(world.namespace), OPERATOR)

        stored = world.get(reference(first))
        assert stored is not None
        assert {POLICY_LABEL: "chat"} == stored["spec"]["selector"]

    def test_leaves_alone_what_others_added(self, gateway: Gateway, world: World) -> None:
        first = gateway.apply(service(world.namespace), OPERATOR)
        edited = world.edit(reference(first), {"metadata": {"annotations": {"team": "search"}}}, "kubectl-annotate")
        world.settle()

        again = gateway.apply(service(world.namespace), OPERATOR)

        assert resource_version(edited) == resource_version(again)
        assert "search" == again["metadata"]["annotations"]["team"]

    def test_a_name_that_somebody_else_uses_is_not_touched(self, gateway: Gateway, world: World) -> None:
        foreign = service(world.namespace)
        foreign["metadata"]["labels"] = {"app": "mine"}
        stored = world.create(foreign)
        world.settle()

        with pytest.raises(NameTaken, match=r"Service .*chat"):
            gateway.apply(service(world.namespace), OPERATOR)

        assert stored == world.get(reference(stored))

    def test_a_child_of_another_policy_is_not_touched(self, gateway: Gateway, world: World) -> None:
        stored = gateway.apply(service(world.namespace, "other"), OPERATOR)
        intruder = service(world.namespace, "chat")
        intruder["metadata"]["name"] = "other"

        with pytest.raises(NameTaken):
            gateway.apply(intruder, OPERATOR)

        assert stored == world.get(reference(stored))

    # Replicas and their second field manager

    def test_hands_over_replicas_without_a_moment_at_one(self, gateway: Gateway, world: World) -> None:
        created = gateway.apply(deployment(world.namespace, replicas=3), OPERATOR)
        shared = gateway.apply(replicas_of(created, 3), REPLICAS)
        dropped = gateway.apply(deployment(world.namespace), OPERATOR)

        assert [3, 3, 3] == [item["spec"]["replicas"] for item in (created, shared, dropped)]
        assert {"costpolicy-replicas"} == owners_of(dropped, ("spec", "replicas"))
        assert 1 == dropped["metadata"]["generation"]

    def test_scales_by_the_second_manager_alone(self, gateway: Gateway, world: World) -> None:
        created = _handed_over(gateway, world, 2)
        gateway.apply(replicas_of(created, 5), REPLICAS)
        after = gateway.apply(deployment(world.namespace), OPERATOR)

        assert 5 == after["spec"]["replicas"]

    def test_takes_back_replicas_that_somebody_scaled(self, gateway: Gateway, world: World) -> None:
        created = _handed_over(gateway, world, 2)
        world.edit(reference(created), {"spec": {"replicas": 9}}, "kubectl-scale")
        world.settle()

        assert 2 == gateway.apply(replicas_of(created, 2), REPLICAS)["spec"]["replicas"]

    def test_lets_go_of_replicas_once_an_autoscaler_owns_them(self, gateway: Gateway, world: World) -> None:
        created = _handed_over(gateway, world, 2)
        scaled = world.edit(reference(created), {"spec": {"replicas": 4}}, "autoscaler")
        world.settle()

        first = gateway.apply(replicas_of(created, None), REPLICAS)
        again = gateway.apply(replicas_of(created, None), REPLICAS)

        assert {"autoscaler"} == owners_of(scaled, ("spec", "replicas")) == owners_of(first, ("spec", "replicas"))
        assert 4 == again["spec"]["replicas"]
        assert resource_version(first) == resource_version(again)

    def test_replicas_of_a_missing_deployment_are_not_created(self, gateway: Gateway, world: World) -> None:
        with pytest.raises(Gone):
            gateway.apply(replicas_of(deployment(world.namespace), 2), REPLICAS)

        assert world.get(reference(deployment(world.namespace))) is None

    # Deleting

    def test_deletes_and_sees_it_at_once(self, gateway: Gateway, world: World) -> None:
        stored = gateway.apply(service(world.namespace), OPERATOR)
        gateway.delete(reference(stored))

        assert () == gateway.owned(world.namespace, "chat")
        assert world.get(reference(stored)) is None

    def test_deleting_what_is_gone_is_success(self, gateway: Gateway, world: World) -> None:
        gateway.delete(reference(service(world.namespace)))

    def test_deletes_only_the_very_object_that_was_meant(self, gateway: Gateway, world: World) -> None:
        old = gateway.apply(service(world.namespace), OPERATOR)
        gateway.delete(reference(old))
        new = gateway.apply(service(world.namespace), OPERATOR)

        with pytest.raises(Conflict):
            gateway.delete(reference(old))

        assert new == world.get(reference(new))

    # Status

    def test_writes_a_status_and_drops_what_it_no_longer_says(self, gateway: Gateway, world: World) -> None:
        stored = world.create(policy(world.namespace))
        world.settle()
        gateway.apply_status(reference(stored), {"observedGeneration": 1, "whyNotCheaper": "no quota"})
        gateway.apply_status(reference(stored), {"observedGeneration": 1})

        after = world.get(reference(stored))
        assert after is not None
        assert {"observedGeneration": 1} == after["status"]
        assert stored["spec"] == after["spec"]

    def test_an_equal_status_changes_nothing(self, gateway: Gateway, world: World) -> None:
        stored = world.create(policy(world.namespace))
        world.settle()
        gateway.apply_status(reference(stored), {"observedGeneration": 1})
        before = resource_version(world.get(reference(stored)))
        gateway.apply_status(reference(stored), {"observedGeneration": 1})

        assert before == resource_version(world.get(reference(stored)))

    def test_own_status_is_visible_at_once(self, gateway: Gateway, world: World) -> None:
        stored = world.create(policy(world.namespace))
        world.settle()
        gateway.apply_status(reference(stored), {"observedGeneration": 1})

        found = gateway.policy(world.namespace, "chat")
        assert isinstance(found, CostPolicy)
        assert found.status is not None
        assert 1 == found.status.observed_generation

    def test_a_status_is_not_written_to_a_namesake(self, gateway: Gateway, world: World) -> None:
        old = world.create(policy(world.namespace))
        world.remove(reference(old))
        new = world.create(policy(world.namespace))
        world.settle()

        with pytest.raises(Conflict):
            gateway.apply_status(reference(old), {"observedGeneration": 1})

        assert new == world.get(reference(new))

    def test_a_status_without_its_policy_is_gone(self, gateway: Gateway, world: World) -> None:
        with pytest.raises(Gone):
            gateway.apply_status(reference(policy(world.namespace)), {"observedGeneration": 1})

    # Events

    def test_publishes_events(self, gateway: Gateway, world: World) -> None:
        stored = world.create(policy(world.namespace))
        for note in ("first", "x" * 2000):
            gateway.publish(
                Event(
                    regarding=reference(stored),
                    type=EventType.NORMAL,
                    reason="PlanChanged",
                    action="Plan",
                    note=note,
                )
            )

        found = [(event["regarding"]["uid"], event["reason"], len(event["note"])) for event in world.events()]
        uid = stored["metadata"]["uid"]
        assert [(uid, "PlanChanged", 5), (uid, "PlanChanged", 1024)] == found


def _engine(item: Object) -> dict[str, Any]:
    container: dict[str, Any] = item["spec"]["template"]["spec"]["containers"][0]
    return container


def _handed_over(gateway: Gateway, world: World, count: int) -> Object:
    created = gateway.apply(deployment(world.namespace, replicas=count), OPERATOR)
    gateway.apply(replicas_of(created, count), REPLICAS)
    return gateway.apply(deployment(world.namespace), OPERATOR)
