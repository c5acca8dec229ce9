"""The clients of simulated engines: a load that the demo moves, and a stand-in that plays what the engines measure."""

import contextlib
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cluster.paths import CHECKOUT
from costpolicy.kube.errors import GatewayError
from demo.world import NAMESPACE, Object, World, is_true, variant_of

MANIFEST = Path(__file__).with_name("manifests") / "standin.yaml"
PROGRAM = CHECKOUT / "tests" / "standin"
PROMPT_TOKENS, OUTPUT_TOKENS = 1000, 250
GROWING_SECONDS = 60
SPEED = {"decodeSeconds": 0.019, "prefillTokensPerSecond": 12_000, "kvTokens": 190_000}
"""The stand-in's own idea of an 8B model on an L40S: nobody's measurement, and not the planner's formulas."""

_PROXY = f"/api/v1/namespaces/{NAMESPACE}/services/standin:http/proxy"


@dataclass(slots=True)
class Traffic:
    """The stand-in in the cluster; it is told every second which of the policy's pods are Ready."""

    world: World
    policy: str
    model: str
    _rate: float = 0.0
    _goal: float = 0.0
    _growth: float = 0.0
    _told: dict[str, list[str]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def load(self, requests_per_second: float) -> None:
        """Let clients send so many requests a second from now on."""
        self._rate = self._goal = requests_per_second
        self._say_load()

    def grow(self, requests_per_second: float) -> None:
        """Let the load grow to so many requests a second within a minute, as a morning does."""
        self._goal = requests_per_second
        self._growth = (requests_per_second - self._rate) / GROWING_SECONDS

    def follow(self) -> None:
        """Every second until :meth:`stop`: tell the stand-in about Ready pods, and let the load grow."""
        while not self._stop.wait(1.0):
            with contextlib.suppress(GatewayError):  # the API server is busy: ask again in a second
                self.tell()
                if self._rate < self._goal:
                    self._rate = min(self._rate + self._growth, self._goal)
                    self._say_load()

    def stop(self) -> None:
        """End :meth:`follow`."""
        self._stop.set()

    def tell(self) -> None:
        """Tell the stand-in once which pods are Ready, variant by variant."""
        ready: defaultdict[str, list[str]] = defaultdict(list)
        for pod in self.world.ready_pods(self.policy):
            ready[variant_of(pod)].append(pod["metadata"]["name"])
        for variant in ready.keys() | self._told.keys():
            names = sorted(ready[variant])
            if names != self._told.get(variant, []):
                self._post("pods", variant=variant, model=self.model, pods=names, engine=SPEED)
                self._told[variant] = names

    def _say_load(self) -> None:
        self._post("load", requestsPerSecond=self._rate, promptTokens=PROMPT_TOKENS, outputTokens=OUTPUT_TOKENS)

    def _post(self, path: str, **body: object) -> None:
        body |= {"namespace": NAMESPACE, "policy": self.policy}
        self.world.connection.request("POST", f"{_PROXY}/{path}", body=body)


@contextlib.contextmanager
def traffic(world: World, policy: str, model: str) -> Iterator[Traffic]:
    """Run the stand-in for one policy."""
    kubectl = world.cluster.kubectl
    program = kubectl(
        *("create", "configmap", "standin", "-n", NAMESPACE, f"--from-file={PROGRAM}", "--dry-run=client", "-o", "yaml")
    )
    kubectl("apply", "-f", "-", input=program)
    world.apply(MANIFEST)
    world.until(
        "the metrics stand-in is Ready", lambda: _pod(world), lambda pod: is_true(pod.get("status", {}), "Ready")
    )
    running = Traffic(world, policy, model)
    thread = threading.Thread(target=running.follow, name="traffic", daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.stop()
        thread.join()


def _pod(world: World) -> Object:
    pod: Object = world.connection.request("GET", f"/api/v1/namespaces/{NAMESPACE}/pods/standin")
    return pod
