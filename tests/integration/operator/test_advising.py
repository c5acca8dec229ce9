"""The operator, under the chart's own rights, advises on a Deployment of somebody else (``spec.targetRef``).

Covered: the answer in status, what is said where there is nothing to advise on, that the Deployment stays as it is.
Not covered: its pods (tests/unit/reconcile/test_targets), its metrics.
"""

from builders import policy_document
from costpolicy.kube.gateway import ObjectRef
from foreign import container, deployment
from stories import H100
from waiting import wait_until

SEVENTY = ["--model", "meta-llama/Llama-3.1-70B-Instruct", "--tensor-parallel-size=4"]
SELECTOR = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}


def advice(cluster, **spec):
    return policy_document("chat", namespace=cluster.namespace, model=None, targetRef={"name": "theirs"}, **spec)


def theirs(cluster, *args):
    box = container([*SEVENTY, *args], gpus=4)
    return deployment(box, namespace=cluster.namespace, nodeSelector=SELECTOR)


def stored(cluster):
    found = cluster.get(ObjectRef(api_version="apps/v1", kind="Deployment", name="theirs", namespace=cluster.namespace))
    assert found is not None
    return found


def test_a_deployment_is_priced_and_a_cheaper_plan_is_advised_while_it_stays_as_it_is(cluster, running):
    before = cluster.create(theirs(cluster))
    cluster.create(advice(cluster))
    wait_until(lambda: cluster.condition("Ready") == ("True", "Planned"))
    status = cluster.policy()["status"]

    assert (H100, 4, "18.00") == (
        status["current"]["accelerator"],
        status["current"]["acceleratorsPerReplica"],
        status["current"]["costPerHour"],
    )
    assert float(status["recommended"]["costPerHour"]) < 18
    assert status["target"]["assumedTraffic"] is True
    assert ("False", "PrometheusUnreachable") == cluster.condition("MetricsAvailable")
    writes, turns = running.writes(), running.reconciles()
    wait_until(lambda: running.reconciles() >= turns + 3, seconds=60)
    assert writes == running.writes()
    assert before["metadata"]["resourceVersion"] == stored(cluster)["metadata"]["resourceVersion"]
    assert [] == cluster.deployments()
    assert [] == cluster.services()


def test_a_deployment_that_is_not_there_is_said_and_found_when_it_comes(cluster, running):
    cluster.create(advice(cluster))
    wait_until(lambda: cluster.condition("Stalled") == ("True", "TargetNotFound"))

    cluster.create(theirs(cluster))
    wait_until(lambda: cluster.condition("Ready") == ("True", "Planned"), seconds=60)


def test_what_cannot_be_read_of_it_is_said_with_what_to_do(cluster, running):
    cluster.create(theirs(cluster, "--config=/etc/vllm.yaml"))
    cluster.create(advice(cluster))
    wait_until(lambda: cluster.condition("Stalled") == ("True", "TargetUnreadable"))
    [said] = [one for one in cluster.policy()["status"]["conditions"] if one["type"] == "Stalled"]

    assert "write them into the Deployment" in said["message"]
