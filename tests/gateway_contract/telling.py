"""What a Gateway promises of deletes, status and events."""

import pytest

from costpolicy.api.policy import CostPolicy
from costpolicy.kube.errors import Conflict, Gone
from costpolicy.kube.gateway import Event, EventType, Gateway, reference
from gateway_contract.objects import OPERATOR, policy, resource_version, service
from gateway_contract.world import World


class Telling:
    """The rest of what is written: never to a namesake, visible at once."""

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
