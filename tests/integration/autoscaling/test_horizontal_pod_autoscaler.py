"""The real HorizontalPodAutoscaler follows the load of a policy, on the real API server and its real controllers.

Covered: load up and down and through a promotion, with never fewer ready replicas than the load needs; who owns the count;
nights; a metrics API that is not there; somebody else's autoscaler; silence of the operator while an autoscaler works.
Not covered: engines (pods on simulated nodes are ready after a second); KEDA (tests/long/autoscaling).
"""

import pytest

from cluster.external_metrics import ExternalMetrics
from costpolicy.api.types import ScalingProvider
from costpolicy.kube.kinds import HORIZONTAL_POD_AUTOSCALER
from following import Following, assert_no_replica_was_missing, is_quiet, waves
from operating import Cluster, Running

RUNNING = "costpolicy_requests_running"
IDLE = {"costpolicy_requests_waiting": "0", "costpolicy_kv_cache_usage": "100m"}


@pytest.fixture
def following(cluster: Cluster, running: Running, metrics: ExternalMetrics) -> Following:
    def say(requests: int) -> None:
        metrics.write({RUNNING: str(requests), **IDLE})

    return Following(cluster=cluster, provider=ScalingProvider.HPA, say=say)


def test_up_and_down_and_through_a_promotion_no_replica_is_missing(following: Following, capsys):
    following.serving()

    seen = waves(following)
    with capsys.disabled():
        print(f"\n{seen}")
    assert_no_replica_was_missing(following, seen)


def test_at_a_steady_load_the_operator_writes_nothing_while_the_autoscaler_goes_on_looking(
    following: Following, running: Running
):
    following.serving()
    up = following.load(requests=120)
    following.until(lambda: following.all_ready(up))

    following.until(lambda: is_quiet(running))
    assert is_quiet(running)
    assert {"kube-controller-manager"} == following.owners()


def test_nights_at_zero_and_mornings_are_the_operators(following: Following, cluster: Cluster):
    following.serving()
    up = following.load(requests=100)
    following.until(lambda: following.all_ready(up))

    always = {"schedule": "* * * * *", "minReplicas": 0, "maxReplicas": 0}
    following.edit(scaling={"schedules": [always]})
    following.until(lambda: following.all_ready(0))
    following.until(lambda: following.says("ScalingActive", following.autoscaler()) == ("False", "ScalingDisabled"))
    following.until(lambda: cluster.condition("Ready") == ("True", "ScheduledToZero"))
    assert ("True", "Autoscaled") == cluster.condition("ScalingActive")

    following.edit(scaling={"schedules": None})
    following.until(lambda: following.all_ready(up))


def test_without_a_metrics_api_scaling_is_unavailable_and_the_operator_keeps_the_replicas(
    cluster: Cluster, running: Running, control_plane
):
    alone = Following(cluster=cluster, provider=ScalingProvider.HPA, say=lambda requests: None)
    cluster.create(alone.policy(minReplicas=2))
    alone.until(lambda: alone.says("ScalingActive", alone.autoscaler()) == ("False", "FailedGetExternalMetric"))
    alone.until(lambda: alone.all_ready(2))
    alone.until(lambda: cluster.condition("Ready") == ("True", "Serving"))
    assert ("False", "ScalingUnavailable") == cluster.condition("ScalingActive")
    assert {"costpolicy-replicas"} == alone.owners()

    alone.edit(scaling={"minReplicas": 3})
    alone.until(lambda: alone.all_ready(3))


def test_an_autoscaler_of_somebody_else_is_told_and_left_alone(
    following: Following, cluster: Cluster, running: Running
):
    following.serving()
    theirs = following.autoscaler()
    assert theirs is not None
    following.until(lambda: is_quiet(running))
    spec = {**theirs["spec"], "minReplicas": 4}
    metadata = {"name": "theirs", "namespace": cluster.namespace}
    kind = HORIZONTAL_POD_AUTOSCALER
    cluster.create({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "spec": spec})

    following.until(lambda: cluster.condition("ScalingActive") == ("False", "ForeignAutoscaler"))
    following.until(lambda: following.all_ready(4))
    following.until(lambda: is_quiet(running))
    assert following.autoscaler() is None
    assert following.all_ready(4)
