"""A CostPolicy for a Deployment that runs: what it serves, and, if wanted, everything as it runs as an order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from costpolicy.advice.existing import Existing
from costpolicy.api.policy import MAX_NAME_LENGTH
from costpolicy.api.reasons import Reason
from costpolicy.api.types import KvCacheDtype
from costpolicy.catalog.arguments import written_arguments
from costpolicy.manifests.arguments import OWNED_ARGUMENTS
from costpolicy.manifests.stopping import MIDDLEWARE_ARGUMENT
from costpolicy.observe.source import Missing
from costpolicy.planning.configuration import Configuration

Document = dict[str, Any]

_LEAST_REPLICAS: Final = 10
"""The API's own default of ``maxReplicas``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The objectives of a policy, as durations of the API; empty: none."""

    ttft: str = "1s"
    inter_token: str = "100ms"  # noqa: S105 - a time

    @property
    def document(self) -> Document:
        """``spec.objectives``."""
        stated = {"ttft": self.ttft, "interTokenLatency": self.inter_token}
        return {name: {"p95": text} for name, text in stated.items() if text}


def advising_policy(existing: Existing, promise: Promise) -> Document:
    """Return a policy that advises on the Deployment and leaves it to its owner."""
    spec: Document = {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": existing.name}}
    return _policy(existing, {**spec, "objectives": promise.document, "rollout": {"mode": "Recommend"}})


def serving_policy(existing: Existing, promise: Promise, source: Mapping[str, Any]) -> Document:
    """Return a policy that would serve the same model with any hardware and settings that are cheaper."""
    most = max(_LEAST_REPLICAS, 2 * existing.replicas)
    spec: Document = {
        "model": {"name": _served_name(existing), "source": dict(source)},
        "objectives": promise.document,
        "scaling": {"minReplicas": 1, "maxReplicas": most},
        "rollout": {"mode": "Recommend"},
        "engine": _engine(existing),
    }
    length = existing.given.whole("--max-model-len")
    if isinstance(length, int):
        spec["model"]["contextLength"] = length
    if existing.given.switch("--enable-prefix-caching") is False:
        spec["techniques"] = {"prefixCaching": {"mode": "Disabled"}}
    return _policy(existing, spec)


def as_it_runs(document: Document, existing: Existing, configuration: Configuration) -> Document:
    """Return the policy with hardware, techniques and replicas of what runs as orders: its plan is what runs, as far as the
    API can order it (not the split over accelerators, nor the share of memory).
    """
    spec = document["spec"]
    ordered: Document = {
        **spec,
        "hardware": {
            "accelerators": [configuration.accelerator],
            "capacityTypes": [configuration.capacity_type.value],
        },
        "techniques": {**spec.get("techniques", {}), **_techniques(configuration)},
        "scaling": {"minReplicas": max(existing.replicas, 1), "maxReplicas": max(existing.replicas, 1)},
    }
    return {**document, "spec": ordered}


def source_of(existing: Existing) -> Document | Missing:
    """Return where the weights come from, as ``spec.model.source``."""
    model = existing.given.model
    if isinstance(model, Missing):
        return model
    if not model.startswith(("/", ".")):
        revision = existing.given.text("--revision")
        hub: Document = {"repository": model} | ({"revision": revision} if isinstance(revision, str) else {})
        return {"huggingFace": hub}
    claim = next(iter(_claims(existing, model)), None)
    if claim is None:
        message = f"{model} is on no PersistentVolumeClaim of the pod; state spec.model.source yourself"
        return Missing(reason=Reason.TARGET_UNREADABLE, message=message)
    return {"volume": claim}


def _claims(existing: Existing, path: str) -> Iterator[Document]:
    pod = existing.deployment["spec"]["template"]["spec"]
    claims = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in pod.get("volumes") or ()
        if "persistentVolumeClaim" in volume
    }
    engine = next(one for one in pod["containers"] if one.get("name") == existing.command.container)
    for mount in engine.get("volumeMounts") or ():
        if mount["name"] in claims and PurePosixPath(path).is_relative_to(mount["mountPath"]):
            below = PurePosixPath(mount.get("subPath") or "") / PurePosixPath(path).relative_to(mount["mountPath"])
            folder = {} if str(below) == "." else {"path": str(below)}
            yield {"claimName": claims[mount["name"]], **folder}


def _techniques(configuration: Configuration) -> Document:
    batching = {
        "maxNumSeqs": configuration.max_num_seqs,
        "maxNumBatchedTokens": configuration.max_num_batched_tokens,
    }
    limits = {name: value for name, value in batching.items() if value is not None}
    proposer, cache = configuration.proposer, configuration.kv_cache_dtype
    return {
        "quantization": {"mode": "Enabled", "formats": [configuration.weights.value]}
        if configuration.online_quantization
        else {"mode": "Disabled"},
        "kvCacheQuantization": {"mode": "Disabled"}
        if cache is KvCacheDtype.AUTO
        else {"mode": "Enabled", "formats": [cache.value]},
        "batching": {"mode": "Enabled", **limits}
        if limits
        else {"mode": "Auto" if configuration.tuned else "Disabled"},
        "speculativeDecoding": {"mode": "Disabled"}
        if proposer is None
        else {
            "mode": "Enabled",
            "method": proposer.method,
            "tokens": proposer.tokens,
            **({"model": proposer.model} if proposer.model else {}),
        },
    }


def _engine(existing: Existing) -> Document:
    engine: Document = {"image": existing.command.image}
    if not isinstance(existing.version, Missing):
        engine["version"] = existing.version
    extra = list(_extra_arguments(existing))
    return {**engine, **({"extraArgs": extra} if extra else {})}


def _extra_arguments(existing: Existing) -> Iterator[str]:
    """Yield arguments that no field of a policy decides, in one word each."""
    if isinstance(existing.engine, Missing):
        return
    flags = existing.engine.flags
    for one in written_arguments(flags, existing.command.words):
        flag = flags.find(one.spelling)
        if (
            flag is None
            or flag.name in OWNED_ARGUMENTS
            or one.text == MIDDLEWARE_ARGUMENT
            or isinstance(existing.given.values.get(flag.name), Missing)
        ):
            continue
        spelling = f"{one.spelling}.{one.path}" if one.path else one.spelling
        yield from [f"{spelling}={one.values[0]}"] if len(one.values) == 1 else [spelling, *one.values]


def _served_name(existing: Existing) -> str:
    name = existing.served_name
    return existing.name if isinstance(name, Missing) else PurePosixPath(name).name if name[:1] in "/." else name


def _policy(existing: Existing, spec: Document) -> Document:
    name = existing.name[:MAX_NAME_LENGTH].rstrip("-")
    name = name if name[:1].isalpha() else f"m-{name}"[:MAX_NAME_LENGTH]
    return {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "CostPolicy",
        "metadata": {"name": name.replace(".", "-"), "namespace": existing.namespace},
        "spec": spec,
    }
