"""The loop over a namespace's routes, on a simulated store: what is written, once, and what is taken away again.

Not covered: a process that ends between two writes (faults), rights and real objects (integration ring).
"""

import pytest

from costpolicy.kube.errors import Forbidden
from costpolicy.kube.gateway import reference
from routed import proof_data
from router_world import NAMESPACE, RouterWorld

CAPPED = {"outputLength": {"mode": "Enforce", "maxTokens": 50}}


@pytest.fixture
def world() -> RouterWorld:
    return RouterWorld()


def test_a_route_brings_up_the_namespaces_router(world: RouterWorld):
    chat = world.route()
    world.turn()
    before = world.says(chat, "Ready")
    world.roll()
    world.turn()

    assert before == ("False", "WaitingForReplicas")
    assert world.says(chat, "Ready") == ("True", "Serving")
    assert (
        world.one("Deployment")["metadata"]["name"] == world.one("Service")["metadata"]["name"] == "costpolicy-router"
    )
    assert world.one("ConfigMap")["metadata"]["name"] == world.status(chat)["router"]["configuration"]
    assert world.status(chat)["blendedPerMillionTokens"] == "2.55"


def test_a_router_that_is_as_it_should_be_is_not_written_again(world: RouterWorld):
    world.route()
    world.route("code")
    world.settle()
    before = world.store.writes
    world.turn()
    world.turn()

    assert world.store.writes == before


def test_two_routes_share_one_router_and_both_own_it(world: RouterWorld):
    world.route()
    world.route("code", router={"replicas": 4})
    world.settle()

    deployment = world.one("Deployment")
    assert deployment["spec"]["replicas"] == 4
    owners = deployment["metadata"]["ownerReferences"]
    assert [owner["name"] for owner in owners] == ["chat", "code"]
    assert not any(owner.get("controller") for owner in owners)


def test_a_route_that_goes_leaves_the_router_to_the_others_and_the_last_takes_it_along(world: RouterWorld):
    chat, code = world.route(), world.route("code")
    world.settle()
    world.store.delete(chat)
    world.settle()
    left = [owner["name"] for owner in world.one("Deployment")["metadata"]["ownerReferences"]]
    world.store.delete(code)

    assert left == ["code"]
    assert world.plain.router(NAMESPACE) == ()
    assert world.operator.reconcile(NAMESPACE) is None


def test_the_master_key_is_made_once_and_outlives_the_routes(world: RouterWorld):
    chat = world.route()
    world.settle()
    made = world.secret()
    world.store.delete(chat)
    world.route()
    world.settle()

    assert made is not None
    assert world.secret() == made
    assert len(world.keys) == 2  # the second was offered before the Deployment was there, and not taken


def test_a_master_key_that_somebody_named_is_not_made(world: RouterWorld):
    world.route(router={"masterKeySecretRef": {"name": "ours", "key": "master"}})
    world.settle()

    assert world.secret() is None
    assert world.keys == []


def test_the_former_configuration_goes_once_all_replicas_have_the_new_one(world: RouterWorld):
    chat = world.route()
    world.settle()
    [first] = world.all("ConfigMap")
    world.route(**CAPPED)
    world.turn()
    world.turn()
    meanwhile = {item["metadata"]["name"] for item in world.all("ConfigMap")}
    world.roll()
    world.turn()
    [last] = world.all("ConfigMap")

    assert meanwhile == {first["metadata"]["name"], last["metadata"]["name"]}
    assert first != last
    assert world.says(chat, "Ready") == ("True", "Serving")


def test_a_calibration_that_changes_is_taken_over(world: RouterWorld):
    chat = world.route()
    world.settle()
    world.config_map("small", proof_data("0.2"))
    world.settle()

    assert world.status(chat)["tiers"][0]["below"] == "0.2"
    assert world.status(chat)["routed"] == "90%"


def test_a_change_of_mind_is_one_event(world: RouterWorld):
    world.route()
    world.settle()
    world.config_map("small", proof_data(None))
    world.settle()
    world.config_map("medium", {})
    world.settle()

    told = [(event.reason, event.regarding.name) for event in world.plain.published]
    assert told == [("Routed", "chat"), ("NothingProven", "chat")]


def test_a_name_that_is_taken_is_told_and_nothing_is_taken_over(world: RouterWorld):
    theirs = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "costpolicy-router", "namespace": NAMESPACE},
        "spec": {"selector": {"app": "mine"}},
    }
    world.apply(theirs)
    chat = world.route()
    world.turn()

    assert world.says(chat, "Stalled") == ("True", "NameTaken")
    assert "is not a router of ours: delete that object" in str(world.status(chat))
    stored = world.store.get(reference(theirs))
    assert stored is not None
    assert stored["spec"] == {"selector": {"app": "mine"}}
    assert world.all("Deployment") == []


def test_a_write_that_is_refused_is_told(world: RouterWorld, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise Forbidden("networkpolicies is forbidden")

    chat = world.route()
    monkeypatch.setattr(world.plain, "apply", refuse)
    world.turn()

    assert world.says(chat, "Stalled") == ("True", "Forbidden")
    assert "networkpolicies is forbidden" in str(world.status(chat))


def test_a_stored_route_that_cannot_be_read_is_told_and_hides_no_other(world: RouterWorld):
    chat, old = world.route(), world.route("old")
    world.store.edit(old, {"spec": {"provider": "Envoy"}}, "an-older-schema")
    world.settle()
    before = world.store.writes
    world.turn()

    assert world.says(old, "Stalled") == ("True", "InvalidPolicy")
    assert world.says(chat, "Ready") == ("True", "Serving")
    assert world.store.writes == before


def test_what_a_namespace_lacks_is_not_written(world: RouterWorld):
    assert world.operator.reconcile(NAMESPACE) is None
    assert world.plain.router(NAMESPACE) == ()
    assert world.secret() is None


def test_an_operator_without_an_image_takes_no_router_away(world: RouterWorld):
    chat = world.route()
    world.settle()
    world.image = ""
    world.restart()
    world.turn()

    assert world.says(chat, "Stalled") == ("True", "RouterImageMissing")
    assert world.says(chat, "Ready") == ("True", "Serving")
    assert world.one("Deployment")["status"]["readyReplicas"] == 2
