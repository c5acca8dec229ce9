"""The real HorizontalPodAutoscaler follows the load of a policy, on the real API server and its real controllers.

Covered: load up and down and through a promotion, with never fewer ready replicas than the load needs; who owns the count;
nights; a metrics API that is not there; somebody else's autoscaler; silence of the operator while an autoscaler works.
Not covered: engines (pods on simulated nodes are ready after a second); KEDA.
"""

import math
from collections.abc import Callable
from typing import Any

from cluster.external_metrics import ExternalMetrics
from costpolicy.kube.gateway import VARIANT_LABEL, Object, ObjectRef
from costpolicy.kube.kinds import HORIZONTAL_POD_AUTOSCALER
from costpolicy.kube.ownership import owners_of
from operating import Cluster, Running
from stories import L40S, chat
from waiting import wait_until

RUNNING = "costpolicy_requests_running"
IDLE = {"costpolicy_requests_waiting": "0", "costpolicy_kv_cache_usage": "100m"}
SETTING = {"env": [{"name": "SETTING", "value": "new"}]}
PATIENCE = 120.0
"""Seconds; the machine may be busy."""


def scaled(cluster: Cluster, **scaling: Any) -> Object:
    """A policy of which an HPA follows the load, as quickly as it can."""
    asked = {"provider": "HPA", "maxReplicas": 6, "stabilization": {"scaleDown": "0s"}, **scaling}
    return chat(namespace=cluster.namespace, hardware={"accelerators": [L40S]}, scaling=asked)


def autoscaler(cluster: Cluster) -> Object | None:
    kind = HORIZONTAL_POD_AUTOSCALER
    return cluster.get(
        ObjectRef(api_version=kind.api_version, kind=kind.kind, name="chat", namespace=cluster.namespace)
    )


def target(cluster: Cluster) -> float:
    """Running requests that the autoscaler gives one replica."""
    item = autoscaler(cluster)
    assert item is not None
    found = next(one["external"] for one in item["spec"]["metrics"] if one["external"]["metric"]["name"] == RUNNING)
    value: str = found["target"]["averageValue"]
    return float(value.removesuffix("m")) / (1000 if value.endswith("m") else 1)


def load(cluster: Cluster, metrics: ExternalMetrics, requests: int) -> int:
    """So many requests run from now on; return the replicas that they need."""
    metrics.write({RUNNING: str(requests), **IDLE})
    return math.ceil(requests / target(cluster))


def ready(cluster: Cluster) -> int | None:
    """Ready replicas behind the policy's Service; ``None`` where it was changed while one looked."""
    chosen = [_selected(cluster)]
    count = sum(
        item.get("status", {}).get("readyReplicas", 0)
        for item in cluster.deployments()
        if chosen[0] in (None, item["metadata"]["labels"][VARIANT_LABEL])
    )
    return count if _selected(cluster) == chosen[0] else None


def _selected(cluster: Cluster) -> str | None:
    service = next(item for item in cluster.services() if item["metadata"]["name"] == "chat")
    selected: str | None = service["spec"]["selector"].get(VARIANT_LABEL)
    return selected


def watch(cluster: Cluster, holds: Callable[[], bool]) -> int:
    """Wait until something holds; return the fewest replicas that were ready meanwhile."""
    seen: list[int] = []

    def looked() -> bool:
        count = ready(cluster)
        if count is not None:
            seen.append(count)
        return holds()

    wait_until(looked, PATIENCE)
    return min(seen)


def all_ready(cluster: Cluster, count: int) -> bool:
    return [count] == [item["spec"]["replicas"] for item in cluster.deployments()] and ready(cluster) == count


def serving(cluster: Cluster, metrics: ExternalMetrics, **scaling: Any) -> None:
    """Create the policy and wait until its autoscaler follows the load."""
    metrics.write({RUNNING: "1", **IDLE})
    cluster.create(scaled(cluster, **scaling))
    wait_until(lambda: cluster.condition("ScalingActive") == ("True", "Autoscaled"), PATIENCE)
    wait_until(lambda: all_ready(cluster, 1), PATIENCE)


def test_up_and_down_and_through_a_promotion_no_replica_is_missing(
    cluster: Cluster, running: Running, metrics: ExternalMetrics, capsys
):
    serving(cluster, metrics)
    up = load(cluster, metrics, requests=120)
    fewest_up = watch(cluster, lambda: all_ready(cluster, up))
    (before,) = cluster.deployments()
    assert not {"costpolicy-replicas", "costpolicy"} & owners_of(before, ("spec", "replicas"))

    cluster.edit(_address(cluster), {"spec": {"engine": SETTING}})
    # As long as the former variant is there, the count that the load needs has to be ready.
    promoted = watch(cluster, lambda: before["metadata"]["name"] not in _names(cluster) and all_ready(cluster, up))
    item = autoscaler(cluster)
    assert item is not None
    assert _names(cluster) == [item["spec"]["scaleTargetRef"]["name"]]

    down = load(cluster, metrics, requests=50)
    fewest_down = watch(cluster, lambda: all_ready(cluster, down))
    again = load(cluster, metrics, requests=120)
    watch(cluster, lambda: all_ready(cluster, again))
    with capsys.disabled():
        print(
            f"\nload for {up}, {down}, {again} replicas; fewest ready: {fewest_up}, {promoted} (promotion), {fewest_down}"
        )

    assert 1 < down < up == again <= 6
    assert 1 <= fewest_up
    assert up == promoted
    assert down <= fewest_down
    assert ("True", "Autoscaled") == cluster.condition("ScalingActive")
    assert ("True", "Serving") == cluster.condition("Ready")


def test_at_a_steady_load_the_operator_writes_nothing_while_the_autoscaler_goes_on_looking(
    cluster: Cluster, running: Running, metrics: ExternalMetrics
):
    serving(cluster, metrics)
    up = load(cluster, metrics, requests=120)
    wait_until(lambda: all_ready(cluster, up), PATIENCE)

    wait_until(lambda: _quiet(running), PATIENCE)
    assert _quiet(running)
    assert {"kube-controller-manager"} == owners_of(cluster.deployments()[0], ("spec", "replicas"))


def test_nights_at_zero_and_mornings_are_the_operators(cluster: Cluster, running: Running, metrics: ExternalMetrics):
    serving(cluster, metrics)
    up = load(cluster, metrics, requests=100)
    wait_until(lambda: all_ready(cluster, up), PATIENCE)

    always = {"schedule": "* * * * *", "minReplicas": 0, "maxReplicas": 0}
    cluster.edit(_address(cluster), {"spec": {"scaling": {"schedules": [always]}}})
    wait_until(lambda: all_ready(cluster, 0), PATIENCE)
    wait_until(lambda: _says(cluster, "ScalingDisabled"), PATIENCE)
    wait_until(lambda: cluster.condition("Ready") == ("True", "ScheduledToZero"), PATIENCE)
    assert ("True", "Autoscaled") == cluster.condition("ScalingActive")

    cluster.edit(_address(cluster), {"spec": {"scaling": {"schedules": None}}})
    wait_until(lambda: all_ready(cluster, up), PATIENCE)


def test_without_a_metrics_api_scaling_is_unavailable_and_the_operator_keeps_the_replicas(
    cluster: Cluster, running: Running, control_plane
):
    cluster.create(scaled(cluster, minReplicas=2))
    wait_until(lambda: _says(cluster, "FailedGetExternalMetric"), PATIENCE)
    wait_until(lambda: all_ready(cluster, 2), PATIENCE)
    wait_until(lambda: cluster.condition("Ready") == ("True", "Serving"), PATIENCE)
    assert ("False", "ScalingUnavailable") == cluster.condition("ScalingActive")
    assert {"costpolicy-replicas"} == owners_of(cluster.deployments()[0], ("spec", "replicas"))

    cluster.edit(_address(cluster), {"spec": {"scaling": {"minReplicas": 3}}})
    wait_until(lambda: all_ready(cluster, 3), PATIENCE)


def test_an_autoscaler_of_somebody_else_is_told_and_left_alone(
    cluster: Cluster, running: Running, metrics: ExternalMetrics
):
    serving(cluster, metrics)
    theirs = autoscaler(cluster)
    assert theirs is not None
    wait_until(lambda: _quiet(running), PATIENCE)
    spec = {**theirs["spec"], "minReplicas": 4}
    metadata = {"name": "theirs", "namespace": cluster.namespace}
    kind = HORIZONTAL_POD_AUTOSCALER
    cluster.create({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "spec": spec})

    wait_until(lambda: cluster.condition("ScalingActive") == ("False", "ForeignAutoscaler"), PATIENCE)
    wait_until(lambda: all_ready(cluster, 4), PATIENCE)
    wait_until(lambda: _quiet(running), PATIENCE)
    assert autoscaler(cluster) is None
    assert all_ready(cluster, 4)


def _address(cluster: Cluster) -> ObjectRef:
    metadata = cluster.policy()["metadata"]
    return ObjectRef(
        api_version="costpolicy.dev/v1alpha1", kind="CostPolicy", name=metadata["name"], namespace=metadata["namespace"]
    )


def _names(cluster: Cluster) -> list[str]:
    return [item["metadata"]["name"] for item in cluster.deployments()]


def _says(cluster: Cluster, reason: str) -> bool:
    item = autoscaler(cluster)
    conditions = item.get("status", {}).get("conditions", ()) if item else ()
    return any(one["type"] == "ScalingActive" and one["reason"] == reason for one in conditions)


def _quiet(running: Running) -> bool:
    """Ten reconciles follow each other without a write."""
    done, written = running.reconciles(), running.writes()
    wait_until(lambda: running.reconciles() >= done + 10, PATIENCE)
    return running.writes() == written
