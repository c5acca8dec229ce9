"""The charts installed by Helm on a real API server: accepted, least privilege, guarded, upgradable, removable.

Not covered: that the operator's pod runs (e2e), and that nothing it does is forbidden (integration).
"""

import time
from typing import Any

import pytest
import yaml

from charting import CRDS, OPERATOR, release, values_file
from cluster.api_server import ApiServer
from cluster.progress import ClusterError
from plain_documents import policy, with_path

ACCOUNT = "--as=system:serviceaccount:costpolicy:costpolicy-operator"

SUBRESOURCES = {"status", "log"}


def allowed(server: ApiServer, verb: str, resource: str, *arguments: str) -> bool:
    kind, _, part = resource.partition("/")
    subject = [kind, f"--subresource={part}"] if part in SUBRESOURCES else [resource]
    try:
        answer = server.kubectl("auth", "can-i", verb, *subject, ACCOUNT, *arguments)
    except ClusterError:
        return False
    return answer.strip() == "yes"


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("list", "costpolicies.costpolicy.dev"),
        ("patch", "costpolicies.costpolicy.dev/status"),
        ("list", "pricebooks.costpolicy.dev"),
        ("watch", "nodes"),
        ("list", "pods"),
        ("patch", "deployments.apps"),
        ("delete", "services"),
        ("create", "poddisruptionbudgets.policy"),
        ("create", "events.events.k8s.io"),
    ],
)
def test_the_operator_may_do_its_work(installed: ApiServer, verb: str, resource: str):
    assert allowed(installed, verb, resource, "--all-namespaces")


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("get", "secrets"),
        ("list", "secrets"),
        ("create", "pods"),
        ("delete", "pods"),
        ("get", "pods/log"),
        ("patch", "nodes"),
        ("patch", "costpolicies.costpolicy.dev"),
        ("delete", "costpolicies.costpolicy.dev"),
        ("patch", "pricebooks.costpolicy.dev"),
        ("create", "clusterroles.rbac.authorization.k8s.io"),
        ("update", "leases.coordination.k8s.io"),
        ("impersonate", "users"),
    ],
)
def test_the_operator_may_do_nothing_else(installed: ApiServer, verb: str, resource: str):
    assert not allowed(installed, verb, resource, "--all-namespaces")


def test_the_operator_holds_its_own_lease_only(installed: ApiServer):
    mine = "leases.coordination.k8s.io/costpolicy-operator"

    assert allowed(installed, "update", mine, "-n", "costpolicy")
    assert not allowed(installed, "update", "leases.coordination.k8s.io/other", "-n", "costpolicy")
    assert not allowed(installed, "update", mine, "-n", "kube-system")


def test_list_prices_are_there_at_the_lowest_priority(installed: ApiServer):
    [book] = yaml.safe_load(installed.kubectl("get", "pricebooks", "-o", "yaml"))["items"]

    assert book["spec"]["priority"] == -1000
    assert all(offering["source"] for offering in book["spec"]["offerings"])


def refused(server: ApiServer, document: dict[str, Any]) -> str:
    try:
        server.kubectl("apply", "--dry-run=server", "-f", "-", input=yaml.safe_dump(document))
    except ClusterError as error:
        return str(error)
    return ""


def pod(settings: dict[str, Any]) -> dict[str, Any]:
    return with_path(policy(), "engine.pod", settings)


def init(context: dict[str, Any]) -> dict[str, Any]:
    return pod({"initContainers": [{"name": "fetch", "image": "fetch:1", "securityContext": context}]})


@pytest.fixture(scope="module")
def guarded(installed: ApiServer) -> ApiServer:
    """The API server learns of an admission policy some moments after it was created."""
    for _ in range(100):
        if refused(installed, init({"privileged": True})):
            return installed
        time.sleep(0.2)
    raise AssertionError("the admission policy never came into force")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (pod({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}), "hostPath is a path of the node"),
        (init({"privileged": True}), "privileged is not allowed"),
        (init({"allowPrivilegeEscalation": True}), "allowPrivilegeEscalation is not allowed"),
        (init({"runAsUser": 0}), "running as root is not allowed"),
        (init({"runAsNonRoot": False}), "running as root is not allowed"),
        (init({"capabilities": {"add": ["SYS_ADMIN"]}}), "capabilities must not be added"),
        (init({"seccompProfile": {"type": "Unconfined"}}), "Unconfined is not allowed"),
    ],
)
def test_pods_that_reach_for_the_node_are_refused(guarded: ApiServer, document: dict[str, Any], says: str):
    assert says in refused(guarded, document)


@pytest.mark.parametrize(
    "document",
    [
        policy(),
        pod({"volumes": [{"name": "v", "emptyDir": {}}]}),
        init({"runAsUser": 1000, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}),
    ],
)
def test_ordinary_pod_settings_are_accepted(guarded: ApiServer, document: dict[str, Any]):
    assert refused(guarded, document) == ""


def test_upgrades_rolls_back_and_leaves_policies_when_removed(installed: ApiServer):
    installed.kubectl("apply", "-f", "-", input=yaml.safe_dump(policy(name="kept")))

    release(installed, "upgrade", "costpolicy-crds", CRDS)
    release(installed, "upgrade", "costpolicy-operator", OPERATOR, "-f", values_file("default"), "--set", "replicas=2")
    assert "2" == installed.kubectl("get", "deployment", "-n", "costpolicy", "-o", "jsonpath={.items[0].spec.replicas}")

    release(installed, "rollback", "costpolicy-operator", "1")
    release(installed, "uninstall", "costpolicy-operator")
    release(installed, "uninstall", "costpolicy-crds")

    assert "" == installed.kubectl("get", "deployment,clusterrole", "-A", "-l", "helm.sh/chart", "-o", "name").strip()
    assert "kept" in installed.kubectl("get", "costpolicies", "-A", "-o", "name")
