"""Applications in the cluster that ask a policy's Service without pause (`tests/callers`), and what they have seen."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from cluster.cluster import RealEngine
from cluster.paths import CHECKOUT
from costpolicy.kube.kinds import SERVICE
from demo.world import NAMESPACE, Object, World, is_true

PROGRAM = CHECKOUT / "tests" / "callers"
POD = "callers"
WAYS = frozenset({"one connection a request", "kept connections", "kept connections and retries"})
"""The ways of asking (`tests/callers/ways.py`, which is the engine's to import)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What became of all questions that were asked in one way; those that were cut are among the failed."""

    whole: int
    truncated: int
    failed: int
    cut: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Applications:
    """The running pod."""

    world: World

    def seen(self) -> dict[str, Seen]:
        """Return what each way of asking has seen so far."""
        said = self.world.cluster.kubectl("logs", POD, "-n", NAMESPACE, "--tail=1")
        counts: dict[str, dict[str, Any]] = json.loads(said or "{}")
        return {way: Seen(**{**figures, "faults": tuple(figures["faults"])}) for way, figures in counts.items()}

    def answered(self, more: int) -> dict[str, Seen]:
        """Wait until every way of asking has had so many more whole answers, and return what was seen then."""
        before = self.seen()

        def enough(now: dict[str, Seen]) -> bool:
            gained = [seen.whole - (before[way].whole if way in before else 0) for way, seen in now.items()]
            return bool(gained) and min(gained) >= more

        return self.world.until(f"{more} more answers in every way", self.seen, enough)


def assert_nothing_was_lost(seen: dict[str, Seen]) -> None:
    """Assert that applications asked in every way, and that no answer failed or was cut short."""
    assert seen.keys() == WAYS
    assert {way: outcome.faults for way, outcome in seen.items()} == dict.fromkeys(WAYS, ())
    assert {way: (each.failed, each.truncated) for way, each in seen.items()} == dict.fromkeys(WAYS, (0, 0))


@contextlib.contextmanager
def applications(world: World, engine: RealEngine, policy: str, model: str, *options: str) -> Iterator[Applications]:
    """Run the applications against a policy's Service, from before the block begins until after it ends.

    `options` are those of the program.
    """
    kubectl = world.cluster.kubectl
    program = kubectl(
        *("create", "configmap", POD, "-n", NAMESPACE, f"--from-file={PROGRAM}", "--dry-run=client", "-o", "yaml")
    )
    kubectl("apply", "-f", "-", input=program)
    service = world.connection.request("GET", f"{SERVICE.path(NAMESPACE)}/{policy}")
    url = f"http://{service['spec']['clusterIP']}:{service['spec']['ports'][0]['port']}/v1"
    kubectl("apply", "-f", "-", input=yaml.safe_dump(_pod(engine, [url, model, *options])))
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{POD}"
    world.until(
        "the applications run",
        lambda: world.connection.request("GET", path),
        lambda pod: is_true(pod.get("status", {}), "Ready"),
    )
    try:
        yield Applications(world)
    finally:
        kubectl("delete", "pod", POD, "-n", NAMESPACE, "--grace-period=1")


def _pod(engine: RealEngine, arguments: list[str]) -> Object:
    container = {
        "name": POD,
        "image": engine.image,
        "command": ["python3", "-m", "callers", *arguments],
        "workingDir": "/srv",
        "env": [{"name": "PYTHONPATH", "value": "/srv"}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        # Without a request, busy engines would leave them no time to ask.
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
        "volumeMounts": [{"name": "program", "mountPath": "/srv/callers"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": POD, "namespace": NAMESPACE},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 1,
            "runtimeClassName": engine.runtime_class,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "program", "configMap": {"name": POD}}],
        },
    }
