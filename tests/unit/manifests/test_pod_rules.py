"""What pod settings may not hold.

Covered: each rule, accepted and refused.
Not covered: the chart's ValidatingAdmissionPolicy, which says the same to the API server.
"""

import pytest

from builders import policy
from costpolicy.manifests.pod_rules import clashes, host_access


def init_container(**security):
    return {"initContainers": [{"name": "fetch", "image": "busybox", "securityContext": security}]}


def settings(pod):
    return policy(engine={"pod": pod}).spec.engine


@pytest.mark.parametrize(
    ("pod", "message"),
    [
        ({"volumes": [{"name": "node", "hostPath": {"path": "/etc"}}]}, "volume node: hostPath /etc"),
        (init_container(privileged=True), "privileged"),
        (init_container(allowPrivilegeEscalation=True), "allowPrivilegeEscalation"),
        (init_container(runAsUser=0), "root"),
        (init_container(runAsNonRoot=False), "root"),
        (init_container(capabilities={"add": ["SYS_ADMIN"]}), "SYS_ADMIN"),
        (init_container(seccompProfile={"type": "Unconfined"}), "Unconfined"),
    ],
)
def test_what_reaches_for_the_node_is_named(pod, message):
    found = host_access(settings(pod).pod)

    assert 1 == len(found)
    assert message in found[0]


@pytest.mark.parametrize(
    "pod",
    [
        {},
        {"volumes": [{"name": "scratch", "emptyDir": {}}]},
        init_container(runAsUser=1001, capabilities={"drop": ["ALL"]}, privileged=False),
    ],
)
def test_ordinary_settings_are_accepted(pod):
    assert () == host_access(settings(pod).pod)
    assert () == clashes(settings(pod))


@pytest.mark.parametrize(
    ("pod", "message"),
    [
        ({"volumes": [{"name": "shm", "emptyDir": {}}]}, "volume shm"),
        ({"volumeMounts": [{"name": "scratch", "mountPath": "/models/"}]}, "volumeMount /models/"),
        ({"initContainers": [{"name": "copy-weights", "image": "busybox"}]}, "init container copy-weights"),
        ({"labels": {"costpolicy.dev/policy": "other"}}, "label costpolicy.dev/policy"),
        ({"labels": {"app.kubernetes.io/name": "other"}}, "label app.kubernetes.io/name"),
        ({"resources": {"limits": {"nvidia.com/gpu": 4}}}, "resource nvidia.com/gpu"),
    ],
)
def test_what_the_operator_renders_itself_is_refused(pod, message):
    found = clashes(settings(pod))

    assert 1 == len(found)
    assert message in found[0]


def test_a_policy_without_pod_settings_clashes_with_nothing():
    assert () == clashes(policy().spec.engine)


def test_a_search_path_from_elsewhere_is_refused_because_nothing_can_be_appended_to_it():
    reference = {"configMapKeyRef": {"name": "paths", "key": "python"}}
    found = clashes(policy(engine={"env": [{"name": "PYTHONPATH", "valueFrom": reference}]}).spec.engine)

    assert 1 == len(found)
    assert "env PYTHONPATH" in found[0]
    assert () == clashes(policy(engine={"env": [{"name": "PYTHONPATH", "value": "/mine"}]}).spec.engine)
