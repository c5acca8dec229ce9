"""``scan``, ``init`` and ``render --patch`` on a real API server without our kinds, as users who may only read.

Covered: the built-in ClusterRole ``view``, with and without rights on nodes; that these users could not write; the patch,
applied by its owner.  The real Deployment controller makes the pods.
Not covered: kubelets (a test binds pods to nodes and says that they are ready), Prometheus (tests/contract/observe).
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import policy_document
from cluster.api_server import ApiServer, run_client, start_api_server
from cluster.progress import ClusterError
from foreign import container, deployment
from waiting import wait_until

NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "h100", "labels": {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}},
}
STATUS = {
    "capacity": {"nvidia.com/gpu": "8", "pods": "110"},
    "allocatable": {"nvidia.com/gpu": "8", "pods": "110"},
    "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready"}],
}
ARGS = ["--model", "meta-llama/Llama-3.1-70B-Instruct", "--tensor-parallel-size", "4", "--port=8000"]
OURS = deployment(
    {"name": "proxy", "image": "envoy", "args": ["--model"]}, container(ARGS, gpus=4), name="llama", replicas=2
)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A cluster that has never heard of CostPolicy, with one engine on one node, and what is none."""
    started = start_api_server(tmp_path_factory.mktemp("without-our-kinds"), controllers=True)
    try:
        apply(started, NODE, OURS, deployment({"name": "web", "image": "nginx"}, name="web"))
        started.kubectl(
            "patch", "node", "h100", "--subresource=status", "--type=merge", "-p", json.dumps({"status": STATUS})
        )
        wait_until(lambda: 2 == len(engine_pods(started)), seconds=60)
        for pod in engine_pods(started):
            bind(started, pod)
        # The rules of `view` are put together from other roles by a controller.
        wait_until(lambda: "deployments" in started.kubectl("get", "clusterrole", "view", "-o", "yaml"), seconds=60)
        # No kubelet renews the node's lease here: after 40 seconds a controller would call node and pods not ready.
        started.processes[-1].kill()
        started.processes[-1].wait()
        yield started
    finally:
        started.stop()


def apply(server: ApiServer, *items: dict[str, Any]) -> None:
    server.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(items))


def engine_pods(server: ApiServer) -> list[str]:
    return server.kubectl("get", "pods", "-n", "default", "-l", "app=llama", "-o", "name").split()


def bind(server: ApiServer, pod: str) -> None:
    """Do what the scheduler and the kubelet do: give the pod its node, and say that it is ready."""
    name = pod.removeprefix("pod/")
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": name, "namespace": "default"},
        "target": {"apiVersion": "v1", "kind": "Node", "name": "h100"},
    }
    server.kubectl(
        "create", "--raw", f"/api/v1/namespaces/default/pods/{name}/binding", "-f", "-", input=json.dumps(binding)
    )
    ready = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
    server.kubectl("patch", pod, "-n", "default", "--subresource=status", "--type=merge", "-p", json.dumps(ready))


def account(server: ApiServer, name: str, *roles: str) -> Path:
    """Create a ServiceAccount with cluster roles; return its kubeconfig."""
    server.kubectl("create", "serviceaccount", name, "-n", "default")
    for role in roles:
        server.kubectl(
            "create",
            "clusterrolebinding",
            f"{name}-{role}",
            f"--clusterrole={role}",
            f"--serviceaccount=default:{name}",
        )
    config = yaml.safe_load(server.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": server.kubectl("create", "token", name, "-n", "default").strip()}
    target = server.folder / f"{name}.kubeconfig"
    target.write_text(yaml.safe_dump(config))
    return target


@pytest.fixture(scope="module")
def viewer(server: ApiServer) -> Path:
    """A user with the built-in role ``view`` and nothing else."""
    return account(server, "viewer", "view")


@pytest.fixture(scope="module")
def node_viewer(server: ApiServer, viewer: Path) -> Path:
    """A user with ``view`` who may read nodes, too."""
    server.kubectl("create", "clusterrole", "node-viewer", "--verb=get,list", "--resource=nodes")
    return account(server, "node-viewer", "view", "node-viewer")


def command(kubeconfig: Path) -> Run:
    def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        program = [sys.executable, "-m", "costpolicy.cli.main", *arguments]
        environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
        done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60, input=stdin)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.mark.parametrize("verb", ["create", "update", "patch", "delete"])
@pytest.mark.parametrize("resource", ["deployments", "pods", "services", "configmaps", "nodes", "events"])
def test_these_users_could_not_write_if_they_wanted_to(server, viewer, node_viewer, verb, resource):
    for kubeconfig in (viewer, node_viewer):
        with pytest.raises(ClusterError, match="no"):
            run_client("kubectl", kubeconfig, ["auth", "can-i", verb, resource, "-A"])


def test_scan_prices_what_runs_on_nodes_that_may_be_read(server, node_viewer):
    code, out, err = command(node_viewer)("scan", "-A", "-o", "json")
    answer = json.loads(out)
    [row] = answer["deployments"]

    assert (0, "") == (code, err)
    assert ("default/llama", 2, 2, 8, "nvidia-h100-80gb", "0.32.0") == (
        row["deployment"],
        row["replicas"],
        row["readyReplicas"],
        row["accelerators"],
        row["accelerator"],
        row["engineVersion"],
    )
    assert row["costPerHour"] == answer["costPerHour"] != "0.00"
    assert 0 < float(row["bestChange"]["savesPerMonth"])
    assert [] == row["assumptions"] == row["unknown"]


def test_scan_degrades_with_the_reason_where_nodes_may_not_be_read(server, viewer):
    code, out, err = command(viewer)("scan", "-A", "-o", "json")
    answer = json.loads(out)
    [row] = answer["deployments"]

    assert (0, "") == (code, err)
    assert (8, None, None) == (row["accelerators"], row["costPerHour"], row["bestChange"])
    [why] = row["unknown"]
    assert "nodes may not be listed" in why
    assert "name the product in its node selector" in why
    assert any("nodes may not be listed" in one for one in answer["assumptions"])


def test_scan_of_one_namespace_needs_rights_there_only(server):
    server.kubectl("create", "serviceaccount", "local", "-n", "default")
    server.kubectl(
        "create", "rolebinding", "local", "-n", "default", "--clusterrole=view", "--serviceaccount=default:local"
    )
    config = yaml.safe_load(server.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": server.kubectl("create", "token", "local", "-n", "default").strip()}
    target = server.folder / "local.kubeconfig"
    target.write_text(yaml.safe_dump(config))

    assert 0 == command(target)("scan", "-n", "default")[0]
    code, out, err = command(target)("scan", "-A")
    assert (2, "") == (code, out)
    assert "ask for the ClusterRole view in all namespaces (-A)" in err


def test_init_orders_what_the_cluster_runs(server, node_viewer):
    run = command(node_viewer)
    code, out, _ = run("init", "--from", "deployment/llama")

    assert 0 == code
    assert ["nvidia-h100-80gb"] == yaml.safe_load(out)["spec"]["hardware"]["accelerators"]
    target = json.loads(run("plan", "-f", "-", "-o", "json", stdin=out)[1])["target"]
    assert (4, 2) == (target["acceleratorsPerReplica"], target["replicas"])


def test_the_patch_changes_what_it_says_and_nothing_else(server, node_viewer, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(yaml.safe_dump(policy_document("advice", model=None, targetRef={"name": "llama"})))
    before = json.loads(server.kubectl("get", "deployment", "llama", "-n", "default", "-o", "json"))
    code, out, _ = command(node_viewer)("render", "--patch", "-f", str(policy))
    assert 0 == code
    assert before == json.loads(server.kubectl("get", "deployment", "llama", "-n", "default", "-o", "json"))

    patch = tmp_path / "patch.yaml"
    patch.write_text(out)
    server.kubectl("patch", "deployment", "llama", "-n", "default", "--patch-file", str(patch))
    after = json.loads(server.kubectl("get", "deployment", "llama", "-n", "default", "-o", "json"))

    [proxy, engine] = after["spec"]["template"]["spec"]["containers"]
    [old_proxy, old_engine] = before["spec"]["template"]["spec"]["containers"]
    assert old_proxy == proxy
    assert {key for key in engine if engine[key] != old_engine[key]} <= {"args", "resources"}
    assert any(word.startswith("--quantization=") for word in engine["args"])
    assert {"--model", "meta-llama/Llama-3.1-70B-Instruct", "--port=8000"} <= set(engine["args"])
    for part in (before, after):
        del part["spec"]["template"]["spec"]["containers"], part["spec"]["replicas"]
    assert before["spec"] == after["spec"]
