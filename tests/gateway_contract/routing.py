"""What a Gateway promises about routes and the routers that serve them."""

from typing import Any

from costpolicy.api.model_route import ModelRoute
from costpolicy.kube.gateway import Gateway, Object, ObjectRef, reference
from gateway_contract.objects import OPERATOR, configuration, pod, resource_version, route, router_labels, service
from gateway_contract.world import World


class Routing:
    """Routes, the objects of a router, and Secrets that are made and never read."""

    def test_lists_routes_by_namespace_and_name(self, gateway: Gateway, world: World) -> None:
        for name in ("b", "a"):
            world.create(route(world.namespace, name))
        world.settle()

        found = [one for one in gateway.routes() if isinstance(one, ModelRoute)]
        assert ["a", "b"] == [one.metadata.name for one in found if one.metadata.namespace == world.namespace]

    def test_the_status_of_a_route_is_visible_at_once(self, gateway: Gateway, world: World) -> None:
        stored = world.create(route(world.namespace))
        world.settle()
        gateway.apply_status(reference(stored), {"observedGeneration": 1})

        [found] = [one for one in gateway.routes() if _namespace(one) == world.namespace]
        assert isinstance(found, ModelRoute)
        assert found.status is not None
        assert 1 == found.status.observed_generation

    def test_a_router_is_what_carries_its_labels_in_that_namespace(self, gateway: Gateway, world: World) -> None:
        gateway.apply(_router_service(world.namespace), OPERATOR)
        gateway.apply(service(world.namespace), OPERATOR)

        found = [(one["kind"], one["metadata"]["name"]) for one in gateway.router(world.namespace)]
        assert [("Service", "costpolicy-router")] == found
        assert ["chat"] == [one["metadata"]["name"] for one in gateway.owned(world.namespace, "chat")]

    def test_a_configuration_that_is_there_is_not_written_again(self, gateway: Gateway, world: World) -> None:
        first = gateway.apply(configuration(world.namespace, "costpolicy-router-1"), OPERATOR)
        again = gateway.apply(configuration(world.namespace, "costpolicy-router-1"), OPERATOR)

        assert resource_version(first) == resource_version(again) == resource_version(world.get(reference(first)))

    def test_a_configuration_gets_another_owner(self, gateway: Gateway, world: World) -> None:
        gateway.apply(configuration(world.namespace, "costpolicy-router-1"), OPERATOR)
        stored = world.create(route(world.namespace))
        owner = {key: stored[key] for key in ("apiVersion", "kind")} | {
            key: stored["metadata"][key] for key in ("name", "uid")
        }

        gateway.apply(configuration(world.namespace, "costpolicy-router-1", ownerReferences=[owner]), OPERATOR)

        after = world.get(reference(configuration(world.namespace, "costpolicy-router-1")))
        assert after is not None
        assert ["chat"] == [one["name"] for one in after["metadata"]["ownerReferences"]]

    def test_a_configuration_that_somebody_deleted_is_made_anew(self, gateway: Gateway, world: World) -> None:
        stored = gateway.apply(configuration(world.namespace, "costpolicy-router-1"), OPERATOR)
        world.remove(reference(stored))
        gateway.apply(configuration(world.namespace, "costpolicy-router-1"), OPERATOR)

        assert world.get(reference(stored)) is not None

    def test_pods_of_a_router_are_among_the_pods(self, gateway: Gateway, world: World) -> None:
        item = pod(world.namespace, "costpolicy-router-abc")
        item["metadata"]["labels"] = router_labels()
        world.create(item)
        world.settle()

        assert ["costpolicy-router-abc"] == [one.name for one in gateway.pods() if one.namespace == world.namespace]

    def test_reads_an_object_without_its_content_or_none(self, gateway: Gateway, world: World) -> None:
        stored = world.create(configuration(world.namespace, "proof"))
        absent = ObjectRef(api_version="v1", kind="ConfigMap", name="nobody", namespace=world.namespace)

        found = gateway.metadata(reference(stored))
        assert found is not None
        assert resource_version(stored) == resource_version(found)
        assert {"apiVersion", "kind", "metadata"} == found.keys()
        assert gateway.metadata(absent) is None

    def test_a_secret_is_created_once_and_kept(self, gateway: Gateway, world: World) -> None:
        assert gateway.create(_secret(world.namespace, "Zmlyc3Q="))
        assert not gateway.create(_secret(world.namespace, "c2Vjb25k"))

        stored = world.get(reference(_secret(world.namespace, "")))
        assert stored is not None
        assert {"key": "Zmlyc3Q="} == stored["data"]


def _namespace(found: Any) -> str:
    return str(found.metadata.namespace if isinstance(found, ModelRoute) else found.ref.namespace)


def _router_service(namespace: str) -> Object:
    item = service(namespace)
    item["metadata"] |= {"name": "costpolicy-router", "labels": router_labels()}
    return item


def _secret(namespace: str, value: str) -> Object:
    metadata = {"name": "costpolicy-router", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"key": value}}
