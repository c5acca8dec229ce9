"""Flags of a real vLLM are changed under requests that never pause: nothing fails and nothing is cut short.

Covered: an edit of a user that changes a flag, asked by applications that keep connections and by such that do not; a flag
that the engine refuses, taken back with the engine's own words while what serves goes on.
Not covered: better plans of the operator's own (they end with the same step), several replicas, long drains.
"""

import json
from collections.abc import Iterator

import pytest

from cluster.cluster import Cluster
from costpolicy.kube.gateway import POLICY_LABEL
from costpolicy.kube.kinds import POD
from demo import operator, real_engine
from demo.applications import Applications, applications, assert_nothing_was_lost
from demo.journal import Journal
from demo.real_engine import MODEL, POLICY, finished
from demo.stage import set_up
from demo.world import NAMESPACE, Object, World, variant_of

SOME = 15
"""Answers in every way of asking, before and after a change."""
REFUSED = "--enable-auto-tool-choice"
ENGINES_WORDS = "--enable-auto-tool-choice requires --tool-call-parser"


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[World]:
    with set_up(cluster, Journal(), replicas=1, patience=900, keep=False) as world:
        operator.runs(world)
        yield world


@pytest.fixture(scope="module")
def callers(world: World) -> Iterator[Applications]:
    engine = real_engine.starts(world)
    world.ready(POLICY)
    with applications(world, engine, POLICY, MODEL) as callers:
        yield callers


@pytest.mark.timeout(1800)
def test_another_flag_takes_over_without_a_failed_or_truncated_answer(world: World, callers: Applications):
    callers.answered(SOME)
    (old,) = world.ready_pods(POLICY)
    by_old = finished(metrics(world, old))

    world.patch(POLICY, '{"spec":{"techniques":{"batching":{"maxNumSeqs":24}}}}')

    (new,) = world.until("the old pod is gone", lambda: pods(world), lambda found: only_another(found, old), names)
    seen = callers.answered(SOME)
    assert "--max-num-seqs=24" in new["spec"]["containers"][0]["args"]
    assert [variant_of(new)] == [variant_of(deployment) for deployment in world.deployments(POLICY)]
    assert by_old >= SOME
    assert finished(metrics(world, new)) >= SOME
    assert_nothing_was_lost(seen)


@pytest.mark.timeout(1800)
def test_a_flag_that_the_engine_refuses_is_taken_back_with_the_engines_own_words(world: World, callers: Applications):
    callers.answered(SOME)
    (serving,) = world.ready_pods(POLICY)
    arguments = world.policy(POLICY)["spec"]["engine"]["extraArgs"]

    world.patch(POLICY, json.dumps({"spec": {"engine": {"extraArgs": [*arguments, REFUSED]}}}))

    (event,) = world.until("the canary is withdrawn", lambda: world.events(POLICY, "EngineDied"), bool)
    world.until("it has gone", lambda: pods(world), lambda found: len(found) == 1, names)
    seen = callers.answered(SOME)
    assert ENGINES_WORDS in event["note"]
    assert [variant_of(serving)] == [variant_of(deployment) for deployment in world.deployments(POLICY)]
    assert [serving["metadata"]["uid"]] == [pod["metadata"]["uid"] for pod in world.ready_pods(POLICY)]
    assert_nothing_was_lost(seen)


def pods(world: World) -> list[Object]:
    """Return all pods of the policy, those on their way out too."""
    query = {"labelSelector": f"{POLICY_LABEL}={POLICY}"}
    items: list[Object] = world.connection.request("GET", POD.path(NAMESPACE), query=query)["items"]
    return items


def names(found: list[Object]) -> list[str]:
    return [pod["metadata"]["name"] for pod in found]


def only_another(found: list[Object], old: Object) -> bool:
    return [pod["metadata"]["uid"] != old["metadata"]["uid"] for pod in found] == [True]


def metrics(world: World, pod: Object) -> str:
    path = f"{POD.path(NAMESPACE)}/{pod['metadata']['name']}:8000/proxy/metrics/"
    return world.cluster.kubectl("get", "--raw", path)
