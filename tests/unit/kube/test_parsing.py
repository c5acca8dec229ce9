"""JSON of the API server to values.

Covered: pods as the scheduler counts them, failures in words, nodes, stored objects that no longer parse.
"""

from datetime import datetime

import pytest

from costpolicy.kube.gateway import Unreadable
from costpolicy.kube.parsing import concerns_us, extended_resources, parse_node, parse_pod, parse_policy

GPU = "nvidia.com/gpu"


def pod(spec: dict | None = None, status: dict | None = None, **metadata: object) -> dict:
    return {"metadata": {"name": "p", "namespace": "n", **metadata}, "spec": spec or {}, "status": status or {}}


def asks(gpus: int, **more: object) -> dict:
    return {"name": "c", "resources": {"requests": {GPU: str(gpus), "cpu": "1"}}, **more}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [asks(1), asks(2)]}, {GPU: 3}),
        ({"containers": [asks(1)], "initContainers": [asks(4)]}, {GPU: 4}),
        ({"containers": [asks(1)], "initContainers": [asks(2, restartPolicy="Always")]}, {GPU: 3}),
        (
            {"containers": [asks(1)], "initContainers": [asks(2, restartPolicy="Always"), asks(3)]},
            {GPU: 5},
        ),
        ({"containers": [{"name": "c", "resources": {"limits": {GPU: "2"}}}]}, {GPU: 2}),
        ({"containers": [{"name": "c"}]}, {}),
    ],
    ids=["sum", "init is larger", "sidecar adds", "init beside sidecar", "limit alone", "none"],
)
def test_counts_accelerators_as_the_scheduler_does(spec: dict, expected: dict[str, int]) -> None:
    assert parse_pod(pod(spec)).requests == expected


def test_reads_why_an_engine_died() -> None:
    died = {"lastState": {"terminated": {"message": "CUDA out of memory"}}, "restartCount": 3}
    waiting = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 0}
    found = parse_pod(pod(status={"containerStatuses": [died, waiting]}))

    assert (found.termination_message, found.waiting_reason, found.restarts) == (
        "CUDA out of memory",
        "CrashLoopBackOff",
        3,
    )


def test_reads_why_a_pod_is_not_scheduled() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/4 nodes"}

    assert parse_pod(pod(status={"conditions": [condition]})).unschedulable == "0/4 nodes"


@pytest.mark.parametrize(
    ("status", "since"),
    [
        (
            {"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-22T08:00:00Z"},
            "2026-11-22T08:00:00+00:00",
        ),
        ({"type": "Ready", "status": "False"}, "2026-11-21T00:00:00+00:00"),
        ({"type": "PodScheduled", "status": "False"}, "2026-11-21T00:00:00+00:00"),
        ({"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-22T08:00:00Z"}, None),
    ],
    ids=["it was ready", "nobody says when", "it never was", "it is ready"],
)
def test_reads_since_when_a_pod_is_not_ready(status: dict, since: str | None) -> None:
    found = parse_pod(pod(status={"conditions": [status]}, creationTimestamp="2026-11-21T00:00:00Z"))

    assert found.unready_since == (datetime.fromisoformat(since) if since else None)


def test_a_pod_that_is_going_away_says_so() -> None:
    assert parse_pod(pod(deletionTimestamp="2026-11-22T00:00:00Z")).terminating


def test_finished_pods_hold_nothing() -> None:
    assert not concerns_us(parse_pod(pod({"containers": [asks(1)]}, {"phase": "Failed"})))


def test_a_node_is_ready_only_when_it_says_so() -> None:
    silent = {"metadata": {"name": "n"}, "spec": {"unschedulable": True}, "status": {"allocatable": {GPU: "8"}}}

    assert (parse_node(silent).ready, parse_node(silent).unschedulable) == (False, True)


def test_only_whole_units_of_extended_resources_count() -> None:
    assert extended_resources({"cpu": "8", GPU: "4", "example.com/odd": "1k"}) == {GPU: 4}


def test_a_policy_of_an_older_schema_is_reported_and_not_lost() -> None:
    item = {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "CostPolicy",
        "metadata": {"name": "chat", "namespace": "n", "uid": "1", "generation": 3},
        "spec": {"colour": "blue"},
    }
    found = parse_policy(item)

    assert isinstance(found, Unreadable)
    assert (found.ref.name, found.ref.uid, found.generation) == ("chat", "1", 3)
    assert "spec.colour" in found.message
