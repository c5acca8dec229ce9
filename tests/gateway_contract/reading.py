"""What a Gateway promises to whoever reads."""

from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.kube.autoscaler import parse_autoscaler
from costpolicy.kube.gateway import JOB_LABEL, Gateway, ObjectRef, Taint, reference
from gateway_contract.objects import (
    GPU,
    OPERATOR,
    autoscaler,
    deployment,
    labels,
    node,
    pod,
    policy,
    price_book,
    service,
)
from gateway_contract.world import World


class Reading:
    """Lists, single objects, and which kinds exist."""

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

    def test_reads_autoscalers_of_whomever_and_owns_none_that_another_kind_controls(
        self, gateway: Gateway, world: World
    ) -> None:
        by_keda = {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "name": "chat",
            "uid": "1",
            "controller": True,
        }
        world.create(autoscaler(world.namespace, "chat", labels=labels()))
        world.create(autoscaler(world.namespace, "keda-hpa-chat", labels=labels(), ownerReferences=[by_keda]))
        world.create(autoscaler(world.namespace, "theirs"))
        world.settle()

        found = [parse_autoscaler(each) for each in gateway.autoscalers()]
        here = {each.ref.name: (each.policy, each.parent) for each in found if each.ref.namespace == world.namespace}
        assert {"chat": ("chat", ""), "keda-hpa-chat": ("", "chat"), "theirs": ("", "")} == here
        assert ["chat"] == [each["metadata"]["name"] for each in gateway.owned(world.namespace, "chat")]
        assert {"chat-0123456789"} == {each.target for each in found if each.ref.namespace == world.namespace}

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

    def test_the_pods_of_a_job_are_read_finished_ones_too(self, gateway: Gateway, world: World) -> None:
        for name, job, phase in (("b", "mine", "Succeeded"), ("a", "mine", "Running"), ("c", "another", "Running")):
            made = pod(world.namespace, name, phase=phase)
            world.create({**made, "metadata": {**made["metadata"], "labels": {JOB_LABEL: job}}})
        world.settle()

        assert ["a", "b"] == [each.name for each in gateway.pods_of_job(world.namespace, "mine")]
        assert () == gateway.pods_of_job(world.namespace, "nobody")

    def test_knows_which_kinds_the_cluster_has(self, gateway: Gateway) -> None:
        assert gateway.serves("apps/v1", "Deployment")
        assert not gateway.serves("nobody.example.com/v1", "Nothing")
