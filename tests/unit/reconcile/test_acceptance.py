"""Observed acceptance in decisions: what is taken back, what stays away, what may carry more, and what status says.

Covered: poor and good acceptance of what runs, too little evidence, cooldown, hours of a variant that went, somebody else's
hours, a restarted operator, objectives judged over requests.  Not covered: reading the hours (tests/contract/observe), the
statistics (tests/unit/perf/test_acceptance.py).
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import offering, policy
from costpolicy.observe.latency import Tail
from costpolicy.observe.observation import PolicyObservation
from costpolicy.observe.window import LoadWindow, Speculated
from costpolicy.perf.speculation import Speculation
from costpolicy.planning.configuration import Proposer
from staging import START, Stage

L40S = (offering("nvidia-l40s", "1.86"),)
EAGLE = Proposer(method="eagle", tokens=3, model="example/head")
RATE = 2.0


def spec(*, mode: str = "Auto", cooldown: str = "0s", latency: str = "32ms") -> dict[str, Any]:
    technique = {"mode": mode, "method": EAGLE.method, "model": EAGLE.model}
    return {
        "objectives": {"ttft": {"p95": "2s"}, "interTokenLatency": {"p95": latency}},
        "traffic": {"requestsPerSecond": RATE, "promptTokens": 1000, "outputTokens": 250},
        "techniques": {"quantization": {"mode": "Disabled"}, "speculativeDecoding": technique},
        "rollout": {
            "mode": "Auto",
            "cooldown": cooldown,
            "canary": {"duration": "0s"},
        },  # what decides is the plan here
        "model": {"contextLength": 8192},
    }


def hours(
    acceptance: float, proposer: str = EAGLE.label, count: int = 20, steps: float = 1e6
) -> tuple[LoadWindow, ...]:
    """Recorded hours in which so many of the proposed tokens were accepted; nothing else of them is comparable."""
    accepted = Speculation(tokens=3, acceptance=acceptance).tokens_per_step - 1.0
    return tuple(
        LoadWindow(
            until=START - (count - index) * timedelta(hours=7),
            requests=1.0,  # too few to teach anything about latency
            requests_per_second=RATE,
            prompt_tokens=1000.0,
            output_tokens=250.0,
            cached_tokens=0.0,
            ttft=0.2,
            inter_token=None,
            speculated=Speculated(proposer, steps, 3 * steps, accepted * steps),
        )
        for index in range(count)
    )


def staged(**fields: str) -> Stage:
    """A policy of which one L40S serves, speculating."""
    stage = Stage(policy(**spec(**fields)), offerings=L40S)
    stage.settle()
    assert EAGLE == serving(stage)
    return stage


def serving(stage: Stage) -> Proposer | None:
    stable = stage.snapshot().live.stable
    assert stable is not None
    assert stable.configuration is not None
    return stable.configuration.proposer


def watched(
    stage: Stage, measured: Any, windows: tuple[LoadWindow, ...], *, of: str | None = None, steps: int = 12
) -> None:
    """Decide on and on with recorded hours of the variant that serves now, or of another one."""
    of = of or stage.serving()
    assert of is not None
    seen: PolicyObservation = measured(RATE)
    for _ in range(steps):
        stage.all_ready()
        here = replace(seen.variants[0], variant=stage.serving() or "", last_sample=stage.now)
        stage.observed = replace(seen, variants=(here,), windows={of: windows})
        stage.step()


def test_speculation_of_which_little_is_accepted_is_taken_back(measured):
    stage = staged()
    before = stage.serving()
    watched(stage, measured, hours(0.1))

    assert serving(stage) is None
    assert before != stage.serving()
    assert 1 == len(stage.deployments())


def test_it_is_not_tried_again_while_prometheus_remembers_and_is_when_it_has_forgotten(measured):
    stage = staged()
    poor = stage.serving()
    watched(stage, measured, hours(0.1))
    watched(stage, measured, hours(0.1), of=poor)
    assert serving(stage) is None

    watched(stage, measured, (), of=poor)
    assert EAGLE == serving(stage)


def test_an_operator_without_a_memory_decides_the_same(measured):
    stage = staged()
    poor = stage.serving()
    watched(stage, measured, hours(0.1))
    stage.policy = stage.policy.model_copy(update={"status": None})
    watched(stage, measured, hours(0.1), of=poor)

    assert serving(stage) is None


def test_it_is_taken_back_no_sooner_than_any_other_change(measured):
    stage = staged(cooldown="5h")
    stage.edit(**{**spec(cooldown="5h"), "engine": {"extraArgs": ["--seed=1"]}})
    watched(stage, measured, ())
    watched(stage, measured, hours(0.1))

    assert EAGLE == serving(stage)
    assert ("True", "CoolingDown") == stage.condition("RolloutBlocked")
    replicas = stage.deployments()[0]["spec"]["replicas"]
    target = stage.status().target
    assert target is not None
    assert target.replicas >= replicas, "no more are bought for it than would do without"

    stage.now += timedelta(hours=5)
    watched(stage, measured, hours(0.1))
    assert serving(stage) is None


@pytest.mark.parametrize(
    "windows",
    [hours(0.1, steps=500.0), hours(0.1, proposer="eagle:3:example/other"), hours(0.62)],
    ids=["too-few-steps", "of-another-proposer", "as-published"],
)
def test_it_stays_where_nothing_speaks_against_it(measured, windows: tuple[LoadWindow, ...]):
    stage = staged()
    before = stage.serving()
    watched(stage, measured, windows)

    assert before == stage.serving()


def test_an_order_is_carried_out_and_counted_with_what_is_accepted(measured):
    predicted = []
    for acceptance in (0.1, 0.9):
        stage = staged(mode="Enabled", latency="90ms")
        watched(stage, measured, hours(acceptance))
        assert EAGLE == serving(stage)
        target = stage.status().target
        assert target is not None
        assert target.predicted is not None
        predicted.append(target.predicted.inter_token_latency_seconds.p95)

    assert predicted[0] > predicted[1]


def test_status_says_what_was_observed_and_what_is_counted_on_and_stays_still(measured):
    stage = staged()
    watched(stage, measured, hours(0.62), steps=2)
    found = stage.status().speculation

    assert found is not None
    assert ("eagle:3:example/head", 20, 2e7) == (found.proposer, found.hours, found.steps)
    assert 2.24 == pytest.approx(found.tokens_per_step, abs=0.01)
    assert 0.41 == pytest.approx(found.accepted_share, abs=0.01)
    assert 1.6 < found.counted_tokens_per_step < 1.72
    before = stage.step(0).status
    assert before == stage.step(0).status


def test_without_hours_status_says_nothing_of_it(measured):
    stage = staged()
    watched(stage, measured, (), steps=2)

    assert stage.status().speculation is None


@pytest.mark.parametrize(
    ("of_requests", "says"),
    [
        (Tail(value=0.02, lower=0.02, upper=0.025), ("True", "ObjectivesKept")),
        (Tail(value=0.06, lower=0.05, upper=0.075), ("False", "ObjectiveMissed")),
        (None, ("Unknown", "MeasuredPerStep")),
    ],
    ids=["kept", "missed", "no-request-finished"],
)
def test_the_promise_is_judged_by_the_time_per_token_of_requests(measured, of_requests: Tail | None, says):
    stage = staged()
    seen = measured(RATE)
    variant = replace(
        seen.variants[0],
        variant=stage.serving(),
        last_sample=stage.now,
        inter_token=Tail(value=0.06, lower=0.05, upper=0.075),
    )
    if of_requests is not None:
        variant = replace(variant, request_inter_token=of_requests)
    stage.observed = replace(seen, variants=(variant,))
    stage.step()

    assert says == stage.condition("ObjectivesMet")
