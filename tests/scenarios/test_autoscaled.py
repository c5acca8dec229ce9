"""Hours in which somebody else than the operator is to follow the load: one who does, one who is not there, one who fails.

Covered: counts, ownership and conditions over time.  Not covered: interruptions (tests/faults/test_killed_autoscaled.py), the
real controller (tests/integration/autoscaling).
"""

from autoscaled import CONTROLLER, SimulatedAutoscaler
from costpolicy.kube.ownership import owners_of
from costpolicy.simulation.traffic import Constant, Traffic
from stories import (
    BUSY,
    H100,
    HOUR,
    KEY,
    L40S,
    MINUTE,
    QUARTER,
    chat,
    children,
    conditions,
    deployments,
    prices,
    ready_behind_the_service,
    runs_on,
    world,
)

REPLICAS = ("spec", "replicas")
HPA = {"provider": "HPA"}


def scaled(wanted=None, controller=True, **spec):
    """A world with a policy that names an autoscaler, and its controller."""
    made = world()
    made.apply(chat(**{"traffic": BUSY, "scaling": HPA, **spec}))
    made.traffic[KEY] = Traffic(curve=Constant(2.0))
    autoscaler = SimulatedAutoscaler(made, wanted) if controller else None
    made.run(QUARTER)
    return made, autoscaler


def test_where_no_controller_answers_the_operator_follows_the_load_as_ever():
    made, _ = scaled(controller=False)
    made.traffic[KEY] = Traffic(curve=Constant(20.0))
    made.run(QUARTER)

    assert "HorizontalPodAutoscaler" in {item["kind"] for item in children(made)}
    assert ("False", "ScalingUnavailable") == conditions(made)["ScalingActive"]
    assert runs_on(made)[0][1] > 4


def test_an_autoscaler_that_loses_its_metrics_leaves_the_load_to_the_operator_and_takes_it_back():
    made, autoscaler = scaled(wanted=2)
    assert [(L40S, 2)] == runs_on(made)
    autoscaler.wanted = None
    made.traffic[KEY] = Traffic(curve=Constant(20.0))
    made.run(QUARTER)
    grown = runs_on(made)[0][1]
    assert grown > 4
    assert ("False", "ScalingUnavailable") == conditions(made)["ScalingActive"]
    assert {"costpolicy-replicas"} == owners_of(deployments(made)[0], REPLICAS)

    autoscaler.wanted = grown + 1
    made.run(QUARTER)
    assert [(L40S, grown + 1)] == runs_on(made)
    assert ("True", "Autoscaled") == conditions(made)["ScalingActive"]
    assert {CONTROLLER} == owners_of(deployments(made)[0], REPLICAS)


def test_a_better_plan_shows_evidence_while_the_autoscaler_goes_on_and_takes_over_what_it_carried():
    rollout = {"mode": "Auto", "cooldown": "5m", "canary": {"duration": "5m"}}
    made, autoscaler = scaled(wanted=3, rollout=rollout)
    made.apply(prices(h100="1.20"))
    ready = []
    for minute in range(180):
        if minute == 20:
            autoscaler.wanted = 4
        made.run(MINUTE)
        ready.append((runs_on(made), ready_behind_the_service(made)))
        if runs_on(made) and all(accelerator == H100 for accelerator, _ in runs_on(made)):
            break

    serving = [count for counts, count in ready if counts[0][0] == L40S]
    beside = [counts for counts, _ in ready if len(counts) == 2]
    assert {3, 4} == {counts[0][1] for counts in beside}
    assert min(serving[:-1]) >= 3
    assert 1 == serving[-1]  # promoted: one H100 carries what four L40S carry
    made.run(HOUR)
    assert [(H100, 4)] == runs_on(made)  # this autoscaler wants four, of whatever kind
    assert ("True", "Autoscaled") == conditions(made)["ScalingActive"]
