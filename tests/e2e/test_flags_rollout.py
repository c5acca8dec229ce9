"""Flags of a real vLLM are changed under requests that never pause: nothing fails and nothing is cut short.

Covered: an edit of a user that changes a flag, asked by applications that keep connections and by such that do not; a flag
that the engine refuses, taken back with the engine's own words while what serves goes on.
Not covered: better plans of the operator's own (they share traffic before the same last step), more than one replica.
"""

from collections.abc import Iterator

import pytest

from cluster.cluster import Cluster
from demo import operator, real_engine
from demo.applications import Applications, applications
from demo.journal import Journal
from demo.real_engine import MODEL, POLICY
from demo.stage import set_up
from demo.world import NAMESPACE, Object, World, variant_of

SOME = 20
"""Answers in every way of asking before and after a change."""
REFUSED = "no-such-parser"
WAYS = {"one connection a request", "kept connections", "kept connections and retries"}


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[World]:
    with set_up(cluster, Journal(), replicas=1, patience=400, keep=False) as world:
        operator.runs(world)
        yield world


@pytest.fixture(scope="module")
def callers(world: World) -> Iterator[Applications]:
    engine = real_engine.starts(world)
    world.ready(POLICY)
    with applications(world, engine, POLICY, MODEL) as callers:
        yield callers


@pytest.mark.timeout(1200)
def test_another_flag_takes_over_without_a_failed_or_truncated_answer(world: World, callers: Applications):
    callers.answered(SOME)
    (old,) = world.ready_pods(POLICY)

    world.patch(POLICY, '{"spec":{"techniques":{"batching":{"maxNumSeqs":24}}}}')

    (new,) = world.until("the old pod is gone", lambda: all_pods(world), lambda pods: only_others(pods, old))
    callers.answered(SOME)
    assert [variant_of(new)] == [variant_of(deployment) for deployment in world.deployments(POLICY)]
    assert "--max-num-seqs=24" in new["spec"]["containers"][0]["args"]
    assert_nothing_was_lost(world, callers)


@pytest.mark.timeout(1200)
def test_a_flag_that_the_engine_refuses_is_taken_back_with_the_engines_own_words(world: World, callers: Applications):
    callers.answered(SOME)
    (serving,) = world.ready_pods(POLICY)
    arguments = world.policy(POLICY)["spec"]["engine"]["extraArgs"]

    world.patch(POLICY, spec(arguments + [f"--reasoning-parser={REFUSED}"]))

    (event,) = world.until("the canary is withdrawn", lambda: events(world, "EngineDied"), bool)
    world.until("its Deployment is gone", lambda: world.deployments(POLICY), lambda found: len(found) == 1)
    callers.answered(SOME)
    assert REFUSED in event["note"]
    assert [serving["metadata"]["uid"]] == [pod["metadata"]["uid"] for pod in world.ready_pods(POLICY)]
    assert_nothing_was_lost(world, callers)


def assert_nothing_was_lost(world: World, callers: Applications) -> None:
    seen = callers.seen()
    world.journal.sees(str(seen))
    assert WAYS == seen.keys()
    assert [] == [fault for way in seen.values() for fault in way.faults]
    assert [(0, 0)] * 3 == [(way.failed, way.truncated) for way in seen.values()]


def spec(arguments: list[str]) -> str:
    import json

    return json.dumps({"spec": {"engine": {"extraArgs": arguments}}})


def all_pods(world: World) -> list[Object]:
    """Pods of the policy, those on their way out too."""
    query = {"labelSelector": f"costpolicy.dev/policy={POLICY}"}
    items: list[Object] = world.connection.request("GET", f"/api/v1/namespaces/{NAMESPACE}/pods", query=query)["items"]
    return items


def only_others(pods: list[Object], old: Object) -> bool:
    return len(pods) == 1 and pods[0]["metadata"]["uid"] != old["metadata"]["uid"]


def events(world: World, reason: str) -> list[Object]:
    path = f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events"
    items: list[Object] = world.connection.request("GET", path)["items"]
    return [event for event in items if event["reason"] == reason and event["regarding"]["name"] == POLICY]
