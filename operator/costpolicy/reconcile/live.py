"""What runs of a policy now, read from its own objects alone: no memory is needed to go on after a restart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from costpolicy.kube.gateway import VARIANT_LABEL, Object, ObjectRef, Pod, reference
from costpolicy.manifests.record import Record, read_record
from costpolicy.planning.configuration import Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveVariant:
    """A variant's Deployment and its pods.

    Attributes:
        record: what it was rendered from; ``None`` when its annotation was removed or edited.
        replicas: asked for; ``ready`` of them serve.
        failure: what its pods die of or wait for, in the engine's or the scheduler's own words; empty: nothing.
        waiting: what a container of its pods waits for, such as ``ImagePullBackOff``; empty: for nothing.
        crashed: the failure is one of the engine (restarts), not of scheduling.
        requested: accelerators that a pod asks for, where that is not what its engine uses; ``None``: it is.
        unready_since: since when the pod that is not ready for the longest time is not; ``None``: all are ready.
    """

    hash: str
    ref: ObjectRef
    record: Record | None
    image: str
    replicas: int
    ready: int
    created: datetime
    restarts: int = 0
    failure: str = ""
    waiting: str = ""
    crashed: bool = False
    unschedulable: bool = False
    unready_since: datetime | None = None
    requested: int | None = None

    @property
    def configuration(self) -> Configuration | None:
        """What it serves with, if that is known."""
        return self.record.configuration if self.record else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """All variants of a policy, oldest first, and the one that its Service names."""

    variants: tuple[LiveVariant, ...]
    stable_hash: str | None

    @property
    def stable(self) -> LiveVariant | None:
        """The variant that serves: named by the Service, else the oldest."""
        named = next((variant for variant in self.variants if variant.hash == self.stable_hash), None)
        return named or next(iter(self.variants), None)

    @property
    def others(self) -> tuple[LiveVariant, ...]:
        """All variants but the stable one."""
        stable = self.stable
        return tuple(variant for variant in self.variants if stable is None or variant.hash != stable.hash)

    def variant(self, hash_: str) -> LiveVariant | None:
        """Return the variant of a hash, if it exists."""
        return next((variant for variant in self.variants if variant.hash == hash_), None)


def live_of(owned: Sequence[Object], pods: Iterable[Pod], policy: str) -> Live:
    """Read a policy's variants from the objects that carry its labels and from its pods."""
    by_variant: dict[str, list[Pod]] = {}
    for pod in pods:
        by_variant.setdefault(pod.labels.get(VARIANT_LABEL, ""), []).append(pod)
    variants = [
        _variant(item, by_variant.get(item["metadata"]["labels"][VARIANT_LABEL], []))
        for item in owned
        if item["kind"] == "Deployment" and VARIANT_LABEL in item["metadata"].get("labels", {})
    ]
    service = next((item for item in owned if item["kind"] == "Service" and item["metadata"]["name"] == policy), None)
    selected = service["spec"].get("selector", {}).get(VARIANT_LABEL) if service else None
    return Live(
        variants=tuple(sorted(variants, key=lambda variant: (variant.created, variant.hash))),
        stable_hash=selected,
    )


def _variant(item: Object, pods: Sequence[Pod]) -> LiveVariant:
    metadata, spec, status = item["metadata"], item["spec"], item.get("status", {})
    failing = next((pod for pod in pods if not pod.ready and (pod.restarts or pod.unschedulable)), None)
    return LiveVariant(
        hash=metadata["labels"][VARIANT_LABEL],
        ref=reference(item),
        record=read_record(item),
        image=_image(spec),
        replicas=spec.get("replicas", 1),
        ready=status.get("readyReplicas", 0),
        created=datetime.fromisoformat(metadata["creationTimestamp"]),
        restarts=max((pod.restarts for pod in pods), default=0),
        failure=_failure(failing),
        waiting=next((pod.waiting_reason for pod in pods if not pod.ready and pod.waiting_reason), ""),
        crashed=failing is not None and failing.restarts > 0,
        unschedulable=failing is not None and bool(failing.unschedulable),
        unready_since=min(
            (pod.unready_since for pod in pods if pod.unready_since and not pod.terminating), default=None
        ),
    )


def _image(spec: dict[str, Any]) -> str:
    image: str = spec["template"]["spec"]["containers"][0]["image"]
    return image


def _failure(pod: Pod | None) -> str:
    if pod is None:
        return ""
    if pod.unschedulable:
        return pod.unschedulable
    message = pod.termination_message.strip() or "the engine left no message"
    return f"{pod.name} restarted {pod.restarts} times: {message[-600:]}"
