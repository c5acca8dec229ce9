"""What a Gateway promises of server-side apply with both field managers."""

from typing import Any

import pytest

from costpolicy.kube.errors import Gone, NameTaken
from costpolicy.kube.gateway import POLICY_LABEL, Gateway, Object, reference
from costpolicy.kube.ownership import owners_of
from gateway_contract.objects import OPERATOR, REPLICAS, deployment, replicas_of, resource_version, service
from gateway_contract.world import World


class Applying:
    """Intents, names that are taken, and the hand-over of replicas."""

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


def _engine(item: Object) -> dict[str, Any]:
    container: dict[str, Any] = item["spec"]["template"]["spec"]["containers"][0]
    return container


def _handed_over(gateway: Gateway, world: World, count: int) -> Object:
    created = gateway.apply(deployment(world.namespace, replicas=count), OPERATOR)
    gateway.apply(replicas_of(created, count), REPLICAS)
    return gateway.apply(deployment(world.namespace), OPERATOR)
