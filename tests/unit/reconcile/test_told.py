"""What status says in situations that the scenes of test_decide.py pass by.

Covered: objectives kept and missed and not known, a technique that the user accepted, replicas replaced one by one, an edit
of an edit, a refusal by the API server. Not covered: what follows from them (test_decide.py, scenarios).
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from builders import node, offering, policy, policy_document, price_book_document
from costpolicy.kube.errors import Forbidden
from costpolicy.observe.latency import Tail
from costpolicy.simulation.world import STEP, World
from staging import Stage

BUSY = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}
SLOW = Tail(value=1.5, lower=1.0, upper=2.5)


@pytest.mark.parametrize(
    ("ttft", "says"),
    [(None, ("True", "ObjectivesKept")), (SLOW, ("False", "ObjectiveMissed"))],
    ids=["kept", "missed"],
)
def test_observed_latency_is_compared_with_the_promise(measured, ttft, says):
    seen = measured(2.0)
    if ttft is not None:
        seen = replace(seen, variants=tuple(replace(variant, ttft=ttft) for variant in seen.variants))
    stage = Stage(policy(traffic=BUSY), observed=seen)
    stage.settle()

    assert says == stage.condition("ObjectivesMet")
    assert "True" == stage.condition("Ready")[0]


@pytest.mark.parametrize(
    ("mode", "says"),
    [("Disabled", ("False", "ObjectiveMissed")), ("Enabled", ("Unknown", "MeasuredPerStep"))],
    ids=["plain", "speculating"],
)
def test_steps_of_several_tokens_are_not_held_against_inter_token_latency(measured, mode, says):
    seen = measured(2.0)
    slow = tuple(replace(variant, inter_token=SLOW) for variant in seen.variants)
    technique = {"speculativeDecoding": {"mode": mode, "method": "eagle", "model": "example/head"}}
    promised = {"ttft": {"p95": "500ms"}, "interTokenLatency": {"p95": "100ms"}}
    stage = Stage(
        policy(traffic=BUSY, techniques=technique, objectives=promised), observed=replace(seen, variants=slow)
    )
    stage.settle()

    assert says == stage.condition("ObjectivesMet")


def test_a_technique_that_the_user_accepted_is_said_to_be_untested():
    quantized = {"quantization": {"mode": "Enabled", "formats": ["fp8"]}}
    model = {"name": "qwen", "source": {"huggingFace": {"repository": "Qwen/Qwen3-32B"}}, "contextLength": 4096}
    stage = Stage(
        policy(model=model, techniques=quantized, objectives={"ttft": {"p95": "5s"}}),
        offerings=(offering("nvidia-l40s", "1.00"), offering(hourly="9.00")),
    )
    stage.settle()

    assert "fp8" == stage.status().current.weights
    assert ("Unknown", "AcceptedByUser") == stage.condition("QualityMaintained")


def test_replicas_without_a_spare_accelerator_are_replaced_one_by_one():
    two = {"scaling": {"minReplicas": 2}, "traffic": BUSY}
    stage = Stage(policy(**two), offerings=(offering(),), nodes=(node("h100", count=2),))
    stage.settle()
    stage.edit(**two, engine={"extraArgs": ["--seed=1"]})
    told = []
    for _ in range(4):
        stage.step()
        told.append(stage.condition("RolloutInProgress"))
        stage.all_ready()

    assert ("True", "Replacing") in told


def test_an_edit_of_an_edit_gives_the_first_one_up():
    stage = Stage(policy(traffic=BUSY))
    stage.settle()
    stage.edit(traffic=BUSY, engine={"extraArgs": ["--seed=1"]})
    stage.step()
    stage.edit(traffic=BUSY, engine={"extraArgs": ["--seed=2"]})
    decision = stage.step()

    assert "Superseded" in [news.reason for news in decision.news]


def test_a_write_that_the_api_server_refuses_is_told_with_its_words(monkeypatch):
    world = World(datetime(2026, 11, 23, tzinfo=UTC))
    world.cluster.add_node("gpu-1", "nvidia-h100-80gb", 8)
    world.apply(price_book_document())
    world.apply(policy_document())

    def refuse(*_: object) -> None:
        raise Forbidden("an admission policy says no")

    monkeypatch.setattr(world.gateway, "apply", refuse)
    world.run(STEP)

    stalled = next(each for each in world.status("default", "chat")["conditions"] if each["type"] == "Stalled")
    assert ("True", "Forbidden") == (stalled["status"], stalled["reason"])
    assert "an admission policy says no" in stalled["message"]


def test_a_price_that_makes_another_accelerator_cheaper_is_told_once_and_changes_nothing():
    stage = Stage(policy(traffic=BUSY))
    stage.settle()
    serving, accelerator = stage.serving(), stage.status().current.accelerator
    other = next(one for one in stage.offerings if one.accelerator.name != accelerator)
    stage.offerings = tuple(offering(one.accelerator.name, "0.10") if one is other else one for one in stage.offerings)

    told = [one for _ in range(3) for one in stage.step().news]

    assert ["CheaperElsewhere"] == [one.reason for one in told]
    assert f"{other.accelerator.name} OnDemand would now do for" in told[0].note
    assert "a month less than" in told[0].note
    assert serving == stage.serving()


def test_a_price_that_makes_what_serves_cheaper_is_no_news():
    stage = Stage(policy(traffic=BUSY))
    stage.settle()
    accelerator = stage.status().current.accelerator
    stage.offerings = tuple(
        offering(accelerator, "0.10") if one.accelerator.name == accelerator else one for one in stage.offerings
    )

    assert [] == [one for _ in range(3) for one in stage.step().news]
