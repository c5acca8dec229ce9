"""A recommended change as a patch of the Deployment, for Git: a strategic merge patch, as Kustomize and ``kubectl patch`` take it.

It holds what changes and nothing else.  Lists of words are replaced as a whole by such a patch, so an argument list is given
in full, with every word that does not change as it was written, variables and all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from costpolicy.advice.command import Form
from costpolicy.advice.existing import Existing
from costpolicy.api.engine import PodSettings
from costpolicy.api.reasons import Reason
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.arguments import written_arguments
from costpolicy.catalog.engines import Engine
from costpolicy.kube.gateway import Object
from costpolicy.manifests.arguments import plan_arguments, speculation_argument
from costpolicy.manifests.placement import ProductLabels, affinity, node_selector, tolerations
from costpolicy.manifests.serialization import to_object
from costpolicy.observe.source import Missing
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.plan import Target

_FLAGS: Final[Mapping[str, tuple[str, ...]]] = {
    "tensor_parallel_size": ("--tensor-parallel-size",),
    "data_parallel_size": ("--data-parallel-size", "--enable-expert-parallel"),
    "weights": ("--quantization", "--dtype"),
    "kv_cache_dtype": ("--kv-cache-dtype",),
    "max_num_seqs": ("--max-num-seqs", "--performance-mode"),
    "max_num_batched_tokens": ("--max-num-batched-tokens", "--performance-mode"),
    "gpu_memory_utilization": ("--gpu-memory-utilization",),
    "api_servers": ("--api-server-count",),
    "stream_interval": ("--stream-interval",),
    "proposer": ("--speculative-config", "--spec-method", "--spec-model", "--spec-tokens"),
}
"""Flags that say what a field of a configuration is."""
_PLACES: Final = ("accelerator", "capacity_type", "node_selector")


class Word(NamedTuple):
    """A word of a container's command line, as written, and whether it stands in ``args``."""

    text: str
    in_args: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommended:
    """What to run instead, the release that reads the arguments, and the labels by which nodes announce the accelerator."""

    target: Target
    engine: Engine
    products: ProductLabels


def change_patch(existing: Existing, recommended: Recommended) -> Object | Missing:
    """Return the patch, or why the change has to be made by hand."""
    running, planned = existing.configuration, recommended.target.configuration
    if isinstance(running, Missing):
        return running
    changed = [field for field in _FLAGS if getattr(running, field) != getattr(planned, field)]
    if changed and existing.command.form is Form.SCRIPT:
        return _by_hand(
            f"its arguments are in a script; change there: {' '.join(_wanted(changed, planned, recommended.engine))}"
        )
    moves = any(getattr(running, place) != getattr(planned, place) for place in _PLACES)
    pod = existing.deployment["spec"]["template"]["spec"]
    if moves and _has_own_affinity(pod):
        return _by_hand(
            f"it has a node affinity of its own; make it name {planned.accelerator} {planned.capacity_type}"
        )
    container = {**_arguments(existing, changed, planned, recommended.engine), **_resources(existing, planned)}
    spec: Object = _placement(pod, planned, recommended.products) if moves else {}
    if container:
        spec["containers"] = [{"name": existing.command.container, **container}]
    replicas = {"replicas": recommended.target.replicas} if recommended.target.replicas != existing.replicas else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": existing.name, "namespace": existing.namespace},
        "spec": {**replicas, **({"template": {"spec": spec}} if spec else {})},
    }


def _by_hand(what: str) -> Missing:
    return Missing(reason=Reason.TARGET_UNREADABLE, message=f"no patch can be made of it: {what}")


def _wanted(changed: Sequence[str], planned: Configuration, engine: Engine) -> list[str]:
    """Return the plan's arguments for the fields that change; one that is left out returns to the release's default."""
    names = {flag for field in changed for flag in _FLAGS[field]}
    speculation = [speculation_argument(planned.proposer)] if planned.proposer else []
    every = (*plan_arguments(planned, engine), *speculation)
    return [argument for argument in every if argument.partition("=")[0] in names]


def _arguments(existing: Existing, changed: Sequence[str], planned: Configuration, engine: Engine) -> Object:
    if not changed:
        return {}
    names = {flag for field in changed for flag in _FLAGS[field]}
    command, args = _written(existing)
    start = existing.command.offset + (len(command) if existing.command.form is Form.ARGS else 0)
    words = [*(Word(text, in_args=False) for text in command), *(Word(text, in_args=True) for text in args)]
    taken = list(_places_of(existing, names, engine))
    kept = [word for place, word in enumerate(words) if not any(place - start in each for each in taken)]
    before = min((start + each.start for each in taken), default=len(words))
    new = [Word(text, in_args=_side(words, before, existing)) for text in _wanted(changed, planned, engine)]
    result = [*kept[:before], *new, *kept[before:]]
    found = {
        "command": [word.text for word in result if not word.in_args],
        "args": [word.text for word in result if word.in_args],
    }
    return {key: texts for key, texts in found.items() if texts != {"command": command, "args": args}[key]}


def _places_of(existing: Existing, names: set[str], engine: Engine) -> Iterator[range]:
    for one in written_arguments(engine.flags, existing.command.words):
        flag = engine.flags.find(one.spelling)
        if flag is not None and flag.name in names:
            yield range(one.begin, one.end)


def _side(words: Sequence[Word], before: int, existing: Existing) -> bool:
    """Whether new words at a place belong to ``args``: as those that they replace, else where the last ones stand."""
    if before < len(words):
        return words[before].in_args
    return words[-1].in_args if words else existing.command.form is Form.ARGS


def _written(existing: Existing) -> tuple[list[str], list[str]]:
    container = _container(existing)
    return list(container.get("command") or ()), list(container.get("args") or ())


def _container(existing: Existing) -> Mapping[str, Any]:
    containers = existing.deployment["spec"]["template"]["spec"]["containers"]
    found: Mapping[str, Any] = next(one for one in containers if one["name"] == existing.command.container)
    return found


def _resources(existing: Existing, planned: Configuration) -> Object:
    holding = existing.holding
    if isinstance(holding, Missing):
        return {}
    wanted = (planned.resource_name, planned.accelerators_per_replica)
    if wanted == (holding.resource, holding.count):
        return {}
    given = _container(existing).get("resources") or {}
    kinds = [kind for kind in ("limits", "requests") if holding.resource in (given.get(kind) or {})] or ["limits"]
    gone = {} if holding.resource == planned.resource_name else {holding.resource: None}
    return {"resources": {kind: {**gone, planned.resource_name: str(wanted[1])} for kind in kinds}}


def _has_own_affinity(pod: Mapping[str, Any]) -> bool:
    node = (pod.get("affinity") or {}).get("nodeAffinity") or {}
    return "requiredDuringSchedulingIgnoredDuringExecution" in node


def _placement(pod: Mapping[str, Any], planned: Configuration, products: ProductLabels) -> Object:
    """Return where the pods go from now on: labels of the former product are taken away, tolerations added."""
    plain = PodSettings()
    known = {key for each in accelerators().values() for key in each.node_labels}
    former = {key: None for key in pod.get("nodeSelector") or {} if key in known}
    selector = {**former, **(node_selector(planned, products, plain) or {})}
    asked, has = affinity(planned, products, plain), list(pod.get("tolerations") or ())
    needed = [to_object(one) for one in tolerations(planned, plain)]
    missing = [one for one in needed if not any(_tolerates(other, one) for other in has)]
    return {
        **({"nodeSelector": selector} if selector else {}),
        **({"affinity": to_object(asked)} if asked else {}),
        **({"tolerations": [*has, *missing]} if missing else {}),
    }


def _tolerates(has: Mapping[str, Any], needed: Mapping[str, Any]) -> bool:
    """Whether a toleration covers another one that only names a key."""
    anything = not has.get("key") and has.get("operator") == "Exists"
    same = has.get("key") == needed["key"] and has.get("operator") == "Exists"
    return (anything or same) and has.get("effect") in (None, "", needed["effect"])
