"""An autoscaler that follows the load of a policy, as tests of real ones see it: HPA and KEDA alike."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from costpolicy.api.types import ScalingProvider
from costpolicy.kube.autoscaler import Said
from costpolicy.kube.gateway import VARIANT_LABEL, Object, ObjectRef
from costpolicy.kube.kinds import COST_POLICY, HORIZONTAL_POD_AUTOSCALER
from costpolicy.kube.ownership import owners_of
from costpolicy.reconcile.autoscaling import KINDS
from operating import Cluster, Running
from stories import L40S, chat
from waiting import wait_until

PATIENCE = 180.0
"""Seconds; the machine may be busy."""
SETTING = {"env": [{"name": "SETTING", "value": "new"}]}
OPERATORS = frozenset({"costpolicy-replicas", "costpolicy"})
"""Field managers of the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """A policy called ``chat`` of which an autoscaler follows the load.

    Attributes:
        say: lets so many requests run from now on, by what the autoscaler reads.
    """

    cluster: Cluster
    provider: ScalingProvider
    say: Callable[[int], None]

    def policy(self, **scaling: Any) -> Object:
        """Return the policy; its autoscaler is as quick as it can."""
        asked = {"provider": self.provider.value, "maxReplicas": 6, "stabilization": {"scaleDown": "0s"}, **scaling}
        return chat(namespace=self.cluster.namespace, hardware={"accelerators": [L40S]}, scaling=asked)

    def serving(self, **scaling: Any) -> None:
        """Create the policy and wait until its autoscaler follows the load."""
        self.say(1)
        self.cluster.create(self.policy(**scaling))
        self.until(lambda: self.cluster.condition("ScalingActive") == ("True", "Autoscaled"))
        self.until(lambda: self.all_ready(scaling.get("minReplicas", 1)))

    def edit(self, **spec: Any) -> None:
        """Edit the policy; ``None`` removes a field."""
        self.cluster.edit(_reference(COST_POLICY, self.cluster), {"spec": spec})

    def autoscaler(self) -> Object | None:
        """Return the operator's own autoscaler."""
        return self.cluster.get(_reference(KINDS[self.provider], self.cluster))

    def following(self) -> Object | None:
        """Return the HorizontalPodAutoscaler that follows the load: the operator's own, or the one that KEDA made of it."""
        name = "chat" if self.provider == ScalingProvider.HPA else "keda-hpa-chat"
        return self.cluster.get(_reference(HORIZONTAL_POD_AUTOSCALER, self.cluster, name))

    def says(self, kind: str, item: Object | None) -> Said | None:
        """Return a condition of an autoscaler."""
        conditions = item.get("status", {}).get("conditions", ()) if item else ()
        return next((Said(one["status"], one["reason"]) for one in conditions if one["type"] == kind), None)

    def load(self, requests: int) -> int:
        """So many requests run from now on; return the replicas that they need."""
        self.say(requests)
        return math.ceil(requests / self._target())

    def _target(self) -> float:
        """Return how many running requests the autoscaler gives one replica."""
        item = self.following()
        assert item is not None
        first = item["spec"]["metrics"][0]["external"]
        value: str = first["target"]["averageValue"]
        return float(value.removesuffix("m")) / (1000 if value.endswith("m") else 1)

    def ready(self) -> int | None:
        """Return the ready replicas behind the policy's Service; ``None`` where it was changed while one looked."""
        chosen = self._selected()
        count = sum(
            item.get("status", {}).get("readyReplicas", 0)
            for item in self.cluster.deployments()
            if chosen in (None, item["metadata"]["labels"][VARIANT_LABEL])
        )
        return count if self._selected() == chosen else None

    def _selected(self) -> str | None:
        service = next(item for item in self.cluster.services() if item["metadata"]["name"] == "chat")
        selected: str | None = service["spec"]["selector"].get(VARIANT_LABEL)
        return selected

    def all_ready(self, count: int) -> bool:
        """Tell whether one Deployment is left, with so many replicas, all ready."""
        return [count] == [item["spec"]["replicas"] for item in self.cluster.deployments()] and self.ready() == count

    def names(self) -> list[str]:
        """Return the names of the policy's Deployments."""
        return [item["metadata"]["name"] for item in self.cluster.deployments()]

    def owners(self) -> frozenset[str]:
        """Return who owns the count of the only Deployment."""
        [item] = self.cluster.deployments()
        return frozenset(owners_of(item, ("spec", "replicas")))

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        wait_until(holds, PATIENCE)

    def watch(self, holds: Callable[[], bool]) -> int:
        """Wait until something holds; return the fewest replicas that were ready meanwhile."""
        seen: list[int] = []

        def looked() -> bool:
            count = self.ready()
            if count is not None:
                seen.append(count)
            return holds()

        self.until(looked)
        return min(seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waves:
    """What was seen of a rise, a promotion at the peak, a fall and a rise: replicas wanted, and the fewest that were ready."""

    up: int
    down: int
    again: int
    fewest_up: int
    fewest_at_promotion: int
    fewest_down: int


def waves(following: Following) -> Waves:
    """Let the load of a serving policy rise, change its configuration, and let the load fall and rise."""
    up = following.load(requests=120)
    fewest_up = following.watch(lambda: following.all_ready(up))
    [before] = following.names()
    following.until(lambda: not OPERATORS & following.owners())

    following.edit(engine=SETTING)
    # As long as the former variant is there, the count that the load needs has to be ready.
    promoted = following.watch(lambda: before not in following.names() and following.all_ready(up))

    down = following.load(requests=50)
    fewest_down = following.watch(lambda: following.all_ready(down))
    again = following.load(requests=120)
    following.watch(lambda: following.all_ready(again))
    return Waves(
        up=up, down=down, again=again, fewest_up=fewest_up, fewest_at_promotion=promoted, fewest_down=fewest_down
    )


def assert_no_replica_was_missing(following: Following, seen: Waves) -> None:
    """Assert that replicas followed the load within the bounds, and that none was missing at any time."""
    assert 1 < seen.down < seen.up == seen.again <= 6
    assert 1 <= seen.fewest_up
    assert seen.up == seen.fewest_at_promotion
    assert seen.down <= seen.fewest_down
    item = following.autoscaler()
    assert item is not None
    assert following.names() == [item["spec"]["scaleTargetRef"]["name"]]
    assert ("True", "Autoscaled") == following.cluster.condition("ScalingActive")
    assert ("True", "Serving") == following.cluster.condition("Ready")


def is_quiet(running: Running) -> bool:
    """Tell whether ten reconciles follow each other without a write."""
    done, written = running.reconciles(), running.writes()
    wait_until(lambda: running.reconciles() >= done + 10, PATIENCE)
    return running.writes() == written


def _reference(kind: Any, cluster: Cluster, name: str = "chat") -> ObjectRef:
    return ObjectRef(api_version=kind.api_version, kind=kind.kind, name=name, namespace=cluster.namespace)
