"""A real KEDA follows the load of a policy: its operator, its metrics server and its scaler of Prometheus, beside the real
API server and the real HorizontalPodAutoscaler's controller.

Covered: load up and down and through a promotion, with never fewer ready replicas than the load needs; who owns the count;
silence of the operator meanwhile; nights; a KEDA that ends, by day and by night, and one that comes back; a KEDA that never
ran.
Not covered: engines (pods on simulated nodes are ready after a second, and one page of metrics stands for all engines);
KEDA's admission and its roles; a Prometheus that asks for a token.
"""

import pytest

from cluster.keda import Keda
from costpolicy.api.types import ScalingProvider
from following import OPERATORS, PATIENCE, Following, assert_no_replica_was_missing, is_quiet, waves
from operating import Cluster, Running
from waiting import wait_until

NIGHT = {"schedules": [{"schedule": "* * * * *", "minReplicas": 0, "maxReplicas": 0}]}
DAY = {"schedules": None}
PAUSED = "autoscaling.keda.sh/paused-replicas"


def annotations(following: Following) -> dict[str, str]:
    item = following.autoscaler()
    assert item is not None
    found: dict[str, str] = item["metadata"].get("annotations", {})
    return found


def test_up_and_down_and_through_a_promotion_no_replica_is_missing(
    following: Following, capsys: pytest.CaptureFixture[str]
) -> None:
    following.serving()

    seen = waves(following)
    with capsys.disabled():
        print(f"\n{seen}")
    assert_no_replica_was_missing(following, seen)


def test_the_count_is_handed_over_at_kedas_first_change_and_at_a_steady_load_the_operator_writes_nothing(
    following: Following, running: Running
) -> None:
    following.serving()
    following.until(lambda: is_quiet(running))
    assert {"costpolicy-replicas"} == following.owners()

    up = following.load(requests=120)
    following.until(lambda: following.all_ready(up))
    following.until(lambda: is_quiet(running))
    assert {"kube-controller-manager"} == following.owners()


def test_a_night_is_kedas_pause_at_zero_and_in_the_morning_it_begins_anew(
    following: Following, cluster: Cluster
) -> None:
    following.serving()
    up = following.load(requests=100)
    following.until(lambda: following.all_ready(up))

    following.edit(scaling=NIGHT)
    following.until(lambda: following.all_ready(0))
    following.until(lambda: cluster.condition("Ready") == ("True", "ScheduledToZero"))
    following.until(lambda: following.following() is None)
    assert "0" == annotations(following)[PAUSED]
    assert ("True", "Autoscaled") == cluster.condition("ScalingActive")
    # A 0 that KEDA writes through the scale subresource is left without an owner, as 0 is no value there.
    following.until(lambda: following.owners() == {"costpolicy-replicas"})

    following.edit(scaling=DAY)
    following.until(lambda: following.all_ready(up))
    following.until(lambda: cluster.condition("ScalingActive") == ("True", "Autoscaled"))
    following.until(lambda: following.owners() == {"kube-controller-manager"})
    assert PAUSED not in annotations(following)


def test_a_keda_that_ends_is_noticed_and_the_operator_follows_until_it_is_back(
    following: Following, cluster: Cluster, keda: Keda
) -> None:
    following.serving()
    up = following.load(requests=100)
    following.until(lambda: following.all_ready(up))

    keda.kill()
    following.until(lambda: cluster.condition("ScalingActive") == ("False", "ScalingUnavailable"))
    assert following.says("Ready", following.autoscaler()) == ("True", "ScaledObjectReady")
    following.edit(scaling={"minReplicas": up + 1})
    following.until(lambda: following.all_ready(up + 1))
    following.until(lambda: following.owners() == {"costpolicy-replicas"})

    keda.start()
    following.until(lambda: cluster.condition("ScalingActive") == ("True", "Autoscaled"))
    following.edit(scaling={"minReplicas": None})
    following.until(lambda: following.all_ready(up))
    following.until(lambda: not OPERATORS & following.owners())


def test_where_only_kedas_operator_ends_its_metrics_server_keeps_questions_for_a_minute_each_and_then_it_is_noticed(
    following: Following, cluster: Cluster, keda: Keda
) -> None:
    following.serving()

    keda.kill_operator()
    three_questions = 3 * 60.0
    wait_until(
        lambda: cluster.condition("ScalingActive") == ("False", "ScalingUnavailable"), three_questions + PATIENCE
    )
    assert following.says("Ready", following.autoscaler()) == ("True", "ScaledObjectReady")


def test_the_morning_after_a_night_in_which_keda_ended_is_made_by_the_operator(
    following: Following, cluster: Cluster, keda: Keda
) -> None:
    following.serving(minReplicas=2)
    following.edit(scaling=NIGHT)
    following.until(lambda: following.all_ready(0))
    following.until(lambda: following.following() is None)
    keda.kill_operator()

    following.edit(scaling=DAY)
    following.until(lambda: following.all_ready(2))
    following.until(lambda: cluster.condition("ScalingActive") == ("False", "ScalingUnavailable"))
    assert following.says("Paused", following.autoscaler()) == ("True", "ScaledObjectPaused")


@pytest.fixture
def alone(cluster: Cluster, running: Running) -> Following:
    """A policy in a cluster that has KEDA's kinds and no KEDA."""
    return Following(cluster=cluster, provider=ScalingProvider.KEDA, say=lambda requests: None)


def test_without_a_keda_the_operator_keeps_the_replicas(alone: Following, cluster: Cluster) -> None:
    cluster.create(alone.policy(minReplicas=2))
    alone.until(lambda: alone.all_ready(2))
    alone.until(lambda: cluster.condition("ScalingActive") == ("False", "ScalingUnavailable"))

    alone.edit(scaling={"minReplicas": 3})
    alone.until(lambda: alone.all_ready(3))
    assert {"costpolicy-replicas"} == alone.owners()
