"""(c) A real vLLM on the real node under a policy of its own: real requests through its Service, its real metrics."""

import re
from pathlib import Path

import httpx
import yaml

from cluster.cluster import RealEngine
from cluster.paths import cache_folder
from demo.world import NAMESPACE, Object, World, condition
from engine.load import chat
from engine.tiny_model import write_tiny_model

POLICY = "tiny"
MODEL = "tiny"
MANIFEST = Path(__file__).with_name("manifests") / "tiny.yaml"
VOLUME = "costpolicy-demo-model"
AT_ONCE = 16
"""Requests that are sent between two looks at the status."""


def starts(world: World) -> RealEngine:
    """Apply the policy of the tiny model; its engine takes about two minutes to load, so this comes first."""
    world.journal.step("(c) a real vLLM starts in the background")
    engine = world.cluster.provide_engine(write_tiny_model(cache_folder() / "tiny-model"))
    world.cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(claim(engine.model_on_node)))
    world.apply_changed(MANIFEST, runs_on(engine))
    return engine


def runs_on(engine: RealEngine) -> Object:
    """Return the change that makes the tiny model's policy run on the engine that the cluster has."""
    settings: Object = {"version": engine.version, "image": engine.image}
    if engine.runtime_class is not None:
        settings["pod"] = {"runtimeClassName": engine.runtime_class}
    return {"spec": {"engine": settings}}


def answers(world: World) -> None:
    """Send requests through the policy's Service until what the engine measured is in the policy's status."""
    world.journal.step("(c) the real vLLM answers, and its own metrics reach the policy's status")
    world.ready(POLICY)
    url = world.service_url(POLICY)
    # kube-proxy may need some seconds after the pod is Ready.
    world.until("the Service answers", lambda: _models(url), lambda names: names == [MODEL])
    (pod,) = world.ready_pods(POLICY)
    answered = 0

    def observed() -> Object:
        nonlocal answered
        finished = chat(url, MODEL, requests=AT_ONCE, concurrency=4, max_tokens=16, timeout=world.patience)
        answered += sum(answer.status == 200 and answer.completion_tokens == 16 for answer in finished)
        return world.status(POLICY)

    status = world.until(
        "the engine's metrics are in status.observed", observed, _is_measured, lambda seen: seen.get("observed")
    )
    counted = _finished_by_the_engine(url)
    world.expect(counted == answered, f"the engine has counted {answered} finished requests", counted)
    seen = status["observed"]
    name, node = pod["metadata"]["name"], pod["spec"]["nodeName"]
    world.journal.row(
        "(c) real vLLM",
        f"{answered} chats answered by {name} on {node}; its own counter says {counted}",
        "",
        "engine: answers, /metrics",
    )
    figures = (
        f"{seen['requestsPerSecond']:g} requests/s of {seen['promptTokens']:g} + {seen['outputTokens']:g} tokens, "
        f"TTFT p95 {seen['ttftP95Seconds']:g} s, prefix hits {seen.get('prefixHitRatio', 0):.0%}, "
        f"ObjectivesMet {condition(status, 'ObjectivesMet')}"
    )
    world.journal.row(
        "(c) in its policy's status", figures, status["current"]["costPerHour"], "API server: status.observed"
    )


def _models(url: str) -> list[str]:
    try:
        answer = httpx.get(f"{url}/v1/models", timeout=10, trust_env=False)
    except httpx.TransportError:
        return []
    return [model["id"] for model in answer.json()["data"]]


def _is_measured(status: Object) -> bool:
    figures = status.get("observed", {})
    names = ("requestsPerSecond", "promptTokens", "outputTokens", "ttftP95Seconds")
    return all(figures.get(name) for name in names)


def _finished_by_the_engine(url: str) -> int:
    answer = httpx.get(f"{url}/metrics", timeout=10, trust_env=False, follow_redirects=True)
    return finished(answer.raise_for_status().text)


def finished(page: str) -> int:
    """Return how many requests an engine has answered, by its own page of metrics."""
    return sum(
        int(float(value)) for value in re.findall(r"^vllm:request_success_total\{.*\} (\S+)$", page, re.MULTILINE)
    )


def claim(folder: Path) -> list[dict[str, object]]:
    """Return the volume that is a folder of the real node, and the demo's claim of it."""
    access = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": VOLUME},
            "spec": {
                **access,
                "capacity": {"storage": "1Gi"},
                "hostPath": {"path": str(folder), "type": "Directory"},
                "claimRef": {"namespace": NAMESPACE, "name": "tiny-model"},
                "persistentVolumeReclaimPolicy": "Retain",
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "tiny-model", "namespace": NAMESPACE},
            "spec": {**access, "volumeName": VOLUME, "resources": {"requests": {"storage": "1Gi"}}},
        },
    ]
