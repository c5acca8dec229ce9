"""HPA and KEDA follow the load: what is rendered, who writes the replicas when, and what is said where they cannot.

Covered: decisions.  Not covered: owners of fields (test_actions.py), the real controller (tests/integration/autoscaling), the
real KEDA (tests/long/autoscaling).
"""

import pytest

from builders import node, offering, policy
from costpolicy.kube.autoscaler import Autoscaler
from costpolicy.kube.gateway import ObjectRef
from costpolicy.kube.kinds import AUTOSCALERS, HORIZONTAL_POD_AUTOSCALER
from costpolicy.reconcile.snapshot import Scalers
from staging import NO_METRICS, Stage

BUSY = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}
ON_L40S = {"accelerators": ["nvidia-l40s"]}
ON_H100 = {"accelerators": ["nvidia-h100-80gb"]}
EVERYTHING = Scalers(
    served=frozenset(AUTOSCALERS), prometheus_url="http://prometheus:9090", prometheus_matchers='cluster="c"'
)
FOLLOWS = {"HPA": {"AbleToScale": ("True", "ReadyForNewScale"), "ScalingActive": ("True", "ValidMetricFound")}}
FOLLOWS["KEDA"] = {"Ready": ("True", "ScaledObjectReady"), "Active": ("True", "ScalerActive")}
PAUSED = {**FOLLOWS["KEDA"], "Paused": ("True", "ScaledObjectPaused")}
AT_NIGHT = {"schedule": "0 20 * * *", "minReplicas": 0, "maxReplicas": 0}
IN_THE_MORNING = {"schedule": "0 6 * * *", "minReplicas": 2}


def led(provider: str = "HPA", replicas: int = 3, said: dict | None = None, **spec) -> Stage:
    """A stage on which an autoscaler runs so many replicas."""
    scaling = {"provider": provider, **spec.pop("scaling", {})}
    stage = Stage(policy(**{"traffic": BUSY, "hardware": ON_L40S, "scaling": scaling, **spec}), scaling=EVERYTHING)
    stage.settle(2)
    stage.said = FOLLOWS[provider] if said is None else said
    stage.made = FOLLOWS["HPA"]
    if replicas:
        stage.autoscale(replicas)
    stage.settle(2)
    return stage


def counts(stage: Stage) -> list[int]:
    return [item["spec"]["replicas"] for item in stage.deployments()]


def bounds(stage: Stage) -> tuple[int, int]:
    spec = stage.autoscaler()["spec"]
    return (
        spec.get("minReplicas", spec.get("minReplicaCount")),
        spec.get("maxReplicas", spec.get("maxReplicaCount")),
    )


@pytest.mark.parametrize("provider", ["HPA", "KEDA"])
def test_the_autoscaler_of_the_provider_scales_what_serves_and_the_operator_leaves_its_count(provider):
    stage = led(provider)

    assert [3] == counts(stage)
    assert f"chat-{stage.serving()}" == stage.autoscaler()["spec"]["scaleTargetRef"]["name"]
    assert (1, 10) == bounds(stage)
    assert ("True", "Autoscaled") == stage.condition("ScalingActive")
    assert [None] == [wanted.replicas for wanted in stage.step().deployments]


def test_nobody_else_is_mentioned_where_the_operator_follows_the_load():
    stage = Stage(policy(traffic=BUSY), scaling=EVERYTHING)
    stage.settle()

    assert stage.autoscaler() is None
    assert "ScalingActive" not in {one.type for one in stage.status().conditions}


@pytest.mark.parametrize(
    ("provider", "said", "why"),
    [
        ("HPA", {}, "no controller has looked at the HorizontalPodAutoscaler yet"),
        ("HPA", {"AbleToScale": ("True", "SucceededGetScale")}, "has not followed the load yet"),
        (
            "HPA",
            {"ScalingActive": ("False", "FailedGetExternalMetric")},
            "ScalingActive=False (FailedGetExternalMetric)",
        ),
        ("HPA", {**FOLLOWS["HPA"], "AbleToScale": ("False", "FailedGetScale")}, "AbleToScale=False (FailedGetScale)"),
        ("KEDA", {"Ready": ("False", "TriggerError")}, "see kubectl describe scaledobject chat"),
        ("KEDA", {**FOLLOWS["KEDA"], "HPAActive": ("False", "FailedGetExternalMetric")}, "HPAActive=False"),
    ],
)
def test_an_autoscaler_that_does_not_follow_is_scaling_unavailable_and_the_operator_does(provider, said, why, measured):
    stage = led(provider)
    stage.said = said
    stage.observed = measured(20.0)
    stage.settle(3)

    assert ("False", "ScalingUnavailable") == stage.condition("ScalingActive")
    assert why in next(one.message for one in stage.status().conditions if one.type == "ScalingActive")
    assert counts(stage)[0] > 3
    assert stage.autoscaler() is not None


@pytest.mark.parametrize(
    ("provider", "scaling", "why"),
    [
        ("HPA", Scalers(), "no HorizontalPodAutoscaler (autoscaling/v2)"),
        ("KEDA", Scalers(served=frozenset({HORIZONTAL_POD_AUTOSCALER})), "no ScaledObject (keda.sh/v1alpha1)"),
        ("KEDA", Scalers(served=frozenset(AUTOSCALERS)), "set prometheus.url in the chart"),
    ],
)
def test_what_cannot_be_had_here_is_not_rendered_and_the_operator_keeps_the_replicas(provider, scaling, why):
    stage = Stage(policy(traffic=BUSY, scaling={"provider": provider}), scaling=scaling)
    stage.settle()

    assert ("True", "Serving") == stage.condition("Ready")
    assert ("False", "ScalingUnavailable") == stage.condition("ScalingActive")
    assert why in next(one.message for one in stage.status().conditions if one.type == "ScalingActive")
    assert stage.autoscaler() is None


def test_without_metrics_nothing_is_taken_away_when_the_autoscaler_fails():
    stage = led(replicas=5)
    stage.said, stage.observed = {"ScalingActive": ("False", "FailedGetExternalMetric")}, NO_METRICS
    stage.settle(8)

    assert [5] == counts(stage)


def foreign(target: str, kind: str = "HorizontalPodAutoscaler") -> Scalers:
    ref = ObjectRef(api_version="autoscaling/v2", kind=kind, name="theirs", namespace="default")
    return Scalers(served=frozenset(AUTOSCALERS), autoscalers=(Autoscaler(ref=ref, target=target),))


@pytest.mark.parametrize("provider", ["Operator", "HPA"])
def test_somebody_elses_autoscaler_keeps_the_count_and_ours_goes(provider, measured):
    stage = Stage(policy(traffic=BUSY, scaling={"provider": provider}), scaling=EVERYTHING, observed=measured(2.0))
    stage.settle(2)
    stage.scaling = foreign(f"chat-{stage.serving()}")
    stage.deployments()[0]["spec"]["replicas"] = 7
    stage.observed = measured(0.1)
    stage.settle(12)

    assert [7] == counts(stage)
    assert ("False", "ForeignAutoscaler") == stage.condition("ScalingActive")
    assert stage.autoscaler() is None


def test_an_autoscaler_that_scales_something_else_is_nobodys_business():
    stage = Stage(policy(traffic=BUSY), scaling=foreign("another"))
    stage.settle()

    assert "ScalingActive" not in {one.type for one in stage.status().conditions}


def test_what_keda_made_of_our_own_scaled_object_is_not_foreign():
    stage = led("KEDA")
    [_, theirs] = stage.snapshot().scaling.autoscalers

    assert ("keda-hpa-chat", f"chat-{stage.serving()}") == (theirs.ref.name, theirs.target)
    assert ("True", "Autoscaled") == stage.condition("ScalingActive")


def night_and_morning(provider: str) -> Stage:
    return led(provider, scaling={"schedules": [AT_NIGHT, IN_THE_MORNING], "maxReplicas": 6})


def test_with_an_hpa_the_operator_writes_the_nights_zero_and_the_mornings_count():
    stage = night_and_morning("HPA")
    assert (2, 6) == bounds(stage)
    stage.now = stage.now.replace(hour=20)
    assert [0] == [wanted.replicas for wanted in stage.step().deployments]
    stage.said = {"AbleToScale": ("True", "SucceededGetScale"), "ScalingActive": ("False", "ScalingDisabled")}
    stage.settle(3)

    assert [0] == counts(stage)
    assert ("True", "ScheduledToZero") == stage.condition("Ready")
    assert ("True", "Autoscaled") == stage.condition("ScalingActive")

    stage.now = stage.now.replace(day=stage.now.day + 1, hour=6)
    assert [2] == [wanted.replicas for wanted in stage.step().deployments]
    stage.said = FOLLOWS["HPA"]
    stage.autoscale(4)
    stage.settle(3)
    assert [4] == counts(stage)


def test_with_keda_a_night_is_an_annotation_and_the_operator_writes_no_count():
    stage = night_and_morning("KEDA")
    stage.now = stage.now.replace(hour=20)
    assert [None] == [wanted.replicas for wanted in stage.step().deployments]
    assert {"autoscaling.keda.sh/paused-replicas": "0"} == stage.autoscaler()["metadata"]["annotations"]
    stage.said, stage.made = PAUSED, None
    stage.autoscale(0)
    stage.settle(3)
    assert ("True", "ScheduledToZero") == stage.condition("Ready")
    assert ("True", "Autoscaled") == stage.condition("ScalingActive")

    stage.now = stage.now.replace(day=stage.now.day + 1, hour=6)
    assert [None] == [wanted.replicas for wanted in stage.step().deployments]
    assert "annotations" not in stage.autoscaler()["metadata"]
    assert (2, 6) == bounds(stage)


def test_a_morning_that_keda_does_not_make_is_made_by_the_operator():
    stage = night_and_morning("KEDA")
    stage.autoscale(0)

    assert [2] == [wanted.replicas for wanted in stage.step().deployments]


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({"ScalingActive": ("False", "FailedGetExternalMetric")}, "describe horizontalpodautoscaler keda-hpa-chat"),
        ({"AbleToScale": ("True", "SucceededGetScale")}, "has not followed the load yet"),
        (None, "KEDA has made no HorizontalPodAutoscaler of the ScaledObject"),
    ],
)
def test_a_keda_that_has_ended_goes_on_saying_that_it_is_ready_and_is_not_believed(made, why, measured):
    stage = led("KEDA")
    stage.made = made
    stage.observed = measured(20.0)
    stage.settle(3)

    assert ("False", "ScalingUnavailable") == stage.condition("ScalingActive")
    assert why in next(one.message for one in stage.status().conditions if one.type == "ScalingActive")
    assert counts(stage)[0] > 3
    assert stage.autoscaler() is not None


def test_the_night_of_a_keda_that_has_ended_in_it_is_ended_by_the_operator(measured):
    stage = night_and_morning("KEDA")
    stage.now = stage.now.replace(hour=20)
    stage.step()
    stage.said, stage.made = PAUSED, None
    stage.autoscale(0)
    stage.settle(3)

    stage.now = stage.now.replace(day=stage.now.day + 1, hour=6)
    stage.observed = measured(20.0)
    stage.settle(3)
    assert counts(stage)[0] > 2
    assert ("False", "ScalingUnavailable") == stage.condition("ScalingActive")


def test_a_keda_that_works_again_gets_the_count_back():
    stage = led("KEDA")
    stage.made = None
    stage.settle(2)
    stage.made = FOLLOWS["HPA"]
    stage.autoscale(5)
    stage.settle(2)

    assert [5] == counts(stage)
    assert ("True", "Autoscaled") == stage.condition("ScalingActive")


def test_the_autoscaler_stays_on_what_serves_until_the_new_variant_carries_as_much():
    stage = led(replicas=4)
    old = stage.serving()
    stage.edit(
        traffic=BUSY, hardware=ON_L40S, scaling={"provider": "HPA"}, engine={"env": [{"name": "A", "value": "b"}]}
    )
    for _ in range(3):
        stage.step()
        assert f"chat-{old}" == stage.autoscaler()["spec"]["scaleTargetRef"]["name"]
        assert (4, 4) == bounds(stage)
    assert [4, 4] == counts(stage)

    stage.all_ready()
    stage.step()
    assert old != stage.serving()
    assert f"chat-{stage.serving()}" == stage.autoscaler()["spec"]["scaleTargetRef"]["name"]
    assert (1, 10) == bounds(stage)
    assert [4, 4] == counts(stage)

    stage.settle(2)
    assert [4] == counts(stage)
    assert ("True", "Autoscaled") == stage.condition("ScalingActive")


def test_a_faster_variant_needs_fewer_replicas_than_the_autoscaler_ran_of_the_slower():
    stage = led(replicas=6)
    stage.edit(traffic=BUSY, hardware=ON_H100, scaling={"provider": "HPA"})
    stage.settle()

    assert "nvidia-h100-80gb" == stage.status().current.accelerator
    assert 1 < counts(stage)[0] < 6


def test_without_a_spare_accelerator_the_autoscaler_makes_room_and_the_new_variant_gets_all_that_it_ran():
    stage = led(replicas=3)
    stage.nodes = (node("l40s", "nvidia-l40s", 3),)
    stage.offerings = (offering("nvidia-l40s", "1.86"),)
    stage.edit(
        traffic=BUSY, hardware=ON_L40S, scaling={"provider": "HPA"}, engine={"env": [{"name": "A", "value": "b"}]}
    )
    seen = []
    for _ in range(16):
        stage.step()
        fewest, most = bounds(stage)
        if counts(stage)[0]:  # at 0 it is disabled
            stage.autoscale(max(fewest, min(3, most)))
        stage.all_ready()
        seen.append(tuple(counts(stage)))

    assert all(sum(each) >= 2 for each in seen)
    assert [(2,), (2, 1), (1, 1), (1, 2), (0, 2), (0, 3)] == seen[:6]
    assert (3,) == seen[-1]
    assert (1, 10) == bounds(stage)
    assert "annotations" not in stage.autoscaler()["metadata"]


def test_the_budget_caps_what_an_autoscaler_may_run_and_takes_nothing_away():
    stage = led(replicas=2, budget={"hourly": "6.00", "currency": "USD"})
    assert (1, 3) == bounds(stage)

    stage.offerings = (offering("nvidia-l40s", "3.50"),)
    stage.settle(2)
    assert (1, 2) == bounds(stage)


def test_minimum_ready_replicas_are_the_least_an_autoscaler_may_run():
    stage = led(objectives={"availability": {"minReadyReplicas": 3}})

    assert (3, 10) == bounds(stage)


def test_another_provider_takes_over_one_step_after_the_former_autoscaler_went():
    stage = led("HPA", replicas=4)
    stage.edit(traffic=BUSY, hardware=ON_L40S, scaling={"provider": "KEDA"})
    stage.said = FOLLOWS["KEDA"]
    stage.step()
    assert stage.autoscaler() is None
    assert ("False", "ScalingUnavailable") == stage.condition("ScalingActive")

    stage.settle(2)
    assert "ScaledObject" == stage.autoscaler()["kind"]


def test_back_to_the_operator_the_autoscaler_goes_and_the_count_is_written_again():
    stage = led("HPA", replicas=4)
    stage.edit(traffic=BUSY, hardware=ON_L40S)
    decision = stage.step()

    assert stage.autoscaler() is None
    assert [4] == [wanted.replicas for wanted in decision.deployments]


def test_an_autoscaler_goes_with_the_record_of_what_runs():
    stage = led(replicas=4)
    for item in stage.deployments():
        item["metadata"]["annotations"] = {}
    stage.settle(2)

    assert stage.autoscaler() is None
    assert [4] == counts(stage)
