"""What commands read of a real cluster, with the user's own kubeconfig.

Covered: ``top`` of one namespace and of all, ``init`` of a Deployment, what is not there.
Not covered: what they make of it (tests/unit/cli).
"""

import json
import os
import subprocess
import sys

import pytest

from builders import plan_status, policy_document

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "chat"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "chat"}},
        "template": {
            "metadata": {"labels": {"app": "chat"}},
            "spec": {
                "containers": [
                    {
                        "name": "vllm",
                        "image": "docker.io/vllm/vllm-openai:v0.32.0",
                        "args": ["--model", "meta-llama/Llama-3.1-8B", "--served-model-name", "chat"],
                    }
                ]
            },
        },
    },
}


@pytest.fixture
def run(kubeconfig):
    def command(*arguments: str) -> tuple[int, str, str]:
        program = [sys.executable, "-m", "costpolicy.cli.main", *arguments]
        environment = {**os.environ, "KUBECONFIG": kubeconfig}
        done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    return command


def test_top_lists_the_policies_of_a_namespace_with_their_status(run, world) -> None:
    status = {"current": plan_status(), "target": plan_status(weights="fp8", replicas=1, costPerHour="2.50")}
    world.create({**_of(policy_document("chat"), world), "status": status})
    code, out, err = run("top", "-n", world.namespace, "-o", "json")
    [row] = json.loads(out)["policies"]

    assert (0, "") == (code, err)
    assert (f"{world.namespace}/chat", "5.00", "2.50") == (row["policy"], row["costPerHour"], row["planCostPerHour"])

    [coming] = json.loads(run("top", "-n", world.namespace, "--upcoming", "-o", "json")[1])["upcoming"]
    assert ("1825.00", None) == (coming["savesPerMonth"], coming["when"])


def test_top_of_all_namespaces_shows_every_policy(run, world) -> None:
    world.create(_of(policy_document("everywhere"), world))
    rows = json.loads(run("top", "-A", "-o", "json")[1])["policies"]

    assert f"{world.namespace}/everywhere" in {row["policy"] for row in rows}
    assert [] == json.loads(run("top", "-n", "nowhere", "-o", "json")[1])["policies"]


def test_init_makes_a_policy_of_a_deployment(run, world) -> None:
    world.create(_of(DEPLOYMENT, world))
    code, out, _ = run("init", "--from", "deployment/chat", "-n", world.namespace)

    assert 0 == code
    assert "meta-llama/Llama-3.1-8B" in out


def test_what_is_not_there_is_named(run, world) -> None:
    code, _, err = run("init", "--from", "deployment/nothing", "-n", world.namespace)

    assert (2, f"costpolicy: there is no Deployment nothing in namespace {world.namespace}\n") == (code, err)


def _of(document: dict, world) -> dict:
    metadata = {"name": document["metadata"]["name"], "namespace": world.namespace}
    return {**document, "metadata": metadata}
