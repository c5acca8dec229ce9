"""The quality gate in the whole loop: the operator's own Jobs ask real engines, under requests that never pause.

One story: what serves is asked twice and judged to be enough like itself; a checkpoint with other weights is tried, loses
and is withdrawn; the checkpoint is mended, and the same weights under another argument are promoted.
Covered: chart, operator, Jobs, pods, Services, engines and Prometheus as they are.
Not covered: accelerators, whose batches change answers (a CPU repeats itself); quantized weights (the engines of the story
serve a tiny model in 16 bits, whatever is planned); evidence of stages (tests/scenarios).
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from cluster.cluster import Cluster
from cluster.paths import cache_folder
from costpolicy.kube.gateway import VARIANT_LABEL
from costpolicy.kube.kinds import SERVICE
from demo import operator
from demo.applications import Applications, Seen, applications, assert_nothing_was_lost
from demo.journal import Journal
from demo.real_engine import claim, runs_on
from demo.stage import set_up
from demo.world import NAMESPACE, Object, World, condition, variant_of
from engine.tiny_model import write_tiny_model

POLICY = "asked"
MANIFEST = Path(__file__).with_name("asked.yaml")
PROMPTS, TOKENS = 100, 64
AT_ONCE = 4
SOME = 15
PATIENCE = 1800
"""Seconds that a step may take: a canary starts when its plan has stood for five minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of a canary.

    Attributes:
        chosen: variants that the policy's Service named meanwhile; empty text: all.
        status: the policy's, when it was over.
        seen: what applications had seen by then, and a while after.
    """

    chosen: frozenset[str]
    status: Object
    seen: dict[str, Seen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """How what serves was judged against itself.

    Attributes:
        variants: how many variants there were until it was judged.
        found: the policy's `status.quality.baseline`.
    """

    variants: frozenset[int]
    found: Object


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[World]:
    with set_up(cluster, Journal(), replicas=1, patience=PATIENCE, keep=False) as world:
        operator.runs(world)
        yield world


@pytest.fixture(scope="module")
def serving(world: World) -> Iterator[tuple[str, Applications]]:
    """The variant with the first weights, which serves on two T4, and the applications that ask it."""
    folder = cache_folder() / "gate-models"
    for path, seed in {"first": 0, "other": 1, "same": 0}.items():
        write_tiny_model(folder / path, seed)
    engine = world.cluster.provide_engine(folder)
    world.cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(claim(engine.model_on_node)))
    world.apply_changed(MANIFEST, runs_on(engine))
    world.ready(POLICY)
    tokens = (f"--tokens={TOKENS}", f"--long-tokens={TOKENS}")
    with applications(world, engine, POLICY, POLICY, *tokens) as callers:
        [deployment] = world.deployments(POLICY)
        yield variant_of(deployment), callers


@pytest.fixture(scope="module")
def pilot(world: World, serving: tuple[str, Applications]) -> Pilot:
    """What the operator found when it asked what serves twice."""
    world.cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump(_questions(world)))
    asked = {"prompts": {"configMapRef": {"name": "questions"}, "path": "prompts.jsonl"}}
    world.patch(POLICY, json.dumps({"spec": {"quality": {"maxLoss": "10%", "evaluation": asked}}}))
    counted: set[int] = set()

    def looked() -> Object:
        variants = len(world.deployments(POLICY))  # before the status, which is what allows another
        status = world.status(POLICY)
        if not _is_judged(status):
            counted.add(variants)
        return status

    status = world.until("what serves was asked twice", looked, _is_judged, _told)
    return Pilot(variants=frozenset(counted), found=status["quality"]["baseline"])


@pytest.fixture(scope="module")
def withdrawn(world: World, serving: tuple[str, Applications], pilot: Pilot) -> Tried:
    """What became of the checkpoint with other weights."""
    return _until(world, serving[1], "QualityInferior")


@pytest.fixture(scope="module")
def promoted(world: World, serving: tuple[str, Applications], withdrawn: Tried) -> Tried:
    """What became of the checkpoint once it had the same weights."""
    mended = {"format": "int8", "source": {"volume": {"claimName": "tiny-model", "path": "same"}}}
    world.patch(POLICY, json.dumps({"spec": {"model": {"checkpoints": [mended]}}}))
    return _until(world, serving[1], "Promoted")


@pytest.mark.timeout(3600)
def test_what_serves_is_enough_like_itself_to_judge_others_before_an_accelerator_is_spent(pilot: Pilot) -> None:
    asked = sum(pilot.found[outcome] for outcome in ("bothRight", "lost", "gained", "bothWrong"))

    assert ("Adequate", PROMPTS) == (pilot.found["verdict"], asked)
    assert {1} == pilot.variants


@pytest.mark.timeout(3600)
def test_other_weights_lose_and_are_withdrawn_before_a_client_gets_their_answers(
    world: World, serving: tuple[str, Applications], withdrawn: Tried
) -> None:
    [refused] = withdrawn.status["quality"]["refused"]
    [event] = world.events(POLICY, "QualityInferior")

    assert "QualityInferior" == refused["reason"]
    assert f"of {PROMPTS} prompts" in event["note"]
    assert {serving[0]} == withdrawn.chosen
    assert serving[0] == withdrawn.status["current"]["variant"]
    assert_nothing_was_lost(withdrawn.seen)


@pytest.mark.timeout(3600)
def test_the_same_weights_under_another_argument_are_promoted_and_no_answer_is_lost(
    world: World, serving: tuple[str, Applications], promoted: Tried
) -> None:
    [deployment] = world.deployments(POLICY)
    [pod] = world.ready_pods(POLICY)
    told = world.until("its answers are proven", lambda: world.status(POLICY), _is_proven, _quality)

    assert "/models/same" in pod["spec"]["containers"][0]["args"]
    assert serving[0] != variant_of(deployment)
    assert f"of {PROMPTS} prompts lost" in told["history"][0]["proof"]
    assert 1 == told["current"]["replicas"]
    assert_nothing_was_lost(promoted.seen)


def _until(world: World, callers: Applications, reason: str) -> Tried:
    """Wait until an event tells of a canary's end, and until one variant is left that is ready."""
    chosen: set[str] = set()

    def told() -> list[Object]:
        selector = world.connection.request("GET", f"{SERVICE.path(NAMESPACE)}/{POLICY}")["spec"]["selector"]
        chosen.add(selector.get(VARIANT_LABEL, ""))
        return world.events(POLICY, reason)

    world.until(f"{reason} is told", told, bool, lambda _: _told(world.status(POLICY)))
    world.until("one variant is left", lambda: world.deployments(POLICY), lambda found: len(found) == 1, len)
    status = world.ready(POLICY)
    return Tried(chosen=frozenset(chosen), status=status, seen=callers.answered(SOME))


def _is_judged(status: Object) -> bool:
    return "baseline" in status.get("quality", {})


def _is_proven(status: Object) -> bool:
    return condition(status, "QualityMaintained") == "True/QualityProven"


def _quality(status: Object) -> object:
    return status.get("quality")


def _told(status: Object) -> str:
    conditions = (
        f"{each['type']}={each['status']} {each['reason']}: {each['message']}" for each in status["conditions"]
    )
    return "; ".join(conditions) if status else "no answer yet"


def _questions(world: World) -> Object:
    """Return a ConfigMap of chats with what serves' own answers: then anything else is a loss."""
    with httpx.Client(base_url=world.service_url(POLICY), timeout=600, trust_env=False) as client:
        ask: Callable[[int], Object] = lambda number: _answered(client, f"question {number}: what does it cost?")  # noqa: E731
        with ThreadPoolExecutor(AT_ONCE) as pool:
            lines = [json.dumps(line) for line in pool.map(ask, range(PROMPTS))]
    data = {"prompts.jsonl": "\n".join(lines)}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "questions", "namespace": NAMESPACE},
        "data": data,
    }


def _answered(client: httpx.Client, question: str) -> Object:
    asked = {"messages": [{"role": "user", "content": question}]}
    body = {"model": POLICY, "temperature": 0, "max_tokens": TOKENS, **asked}
    [choice] = client.post("/v1/chat/completions", json=body).raise_for_status().json()["choices"]
    return {**asked, "answer": choice["message"]["content"], "maxTokens": TOKENS}
