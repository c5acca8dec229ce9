"""Deployments of others that policies advise on (``spec.targetRef``): read, priced, and put in the place of a variant.

From there on a policy that advises is decided about as one that serves: what runs is a variant that nobody rendered, its pods
count as the policy's (so that their accelerators are free for the plan, are paid for by it, and their metrics are joined by
``costpolicy_pod_info``), and the mode, Off or Recommend, keeps every write but that of status away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from costpolicy.advice.adoption import source_of
from costpolicy.advice.existing import Existing, Surroundings, existing_of, pods_of
from costpolicy.api.policy import CostPolicy
from costpolicy.api.reasons import Reason
from costpolicy.api.served import ModelSource, ModelSpec
from costpolicy.api.validation import Problem, problems
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.catalog.engines import Engine
from costpolicy.kube.errors import Forbidden
from costpolicy.kube.gateway import (
    POLICY_LABEL,
    VARIANT_LABEL,
    Gateway,
    NamespacedName,
    Object,
    ObjectRef,
    Pod,
    reference,
)
from costpolicy.kube.kinds import DEPLOYMENT
from costpolicy.manifests.identity import fingerprint
from costpolicy.manifests.record import Record
from costpolicy.manifests.timing import DEFAULT_GRACE, ENGINE_START
from costpolicy.observe.source import Missing
from costpolicy.planning.configuration import Configuration
from costpolicy.reconcile.inputs import Inputs
from costpolicy.reconcile.live import Live, LiveVariant
from costpolicy.reconcile.supply import Capacity

FRESH_FOR: Final = timedelta(seconds=20)
"""How long one read of a Deployment serves: less than a policy's own loop.  The mirror holds our children only."""

_LONG_AGO: Final = "1970-01-01T00:00:00Z"
"""When a Deployment that no API server has stored was made."""

NOTHING: Final = Live(variants=(), stable_hash=None)

Found = Object | Missing

UNSEEN: Final = Missing(reason=Reason.TARGET_NOT_FOUND, message="its Deployment has not been looked for yet")
"""What a policy advises on that was edited after the last look."""


class Targets:
    """Reads the Deployments that policies name, each at most once in ``FRESH_FOR``."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._known: dict[NamespacedName, tuple[datetime, Found]] = {}

    def of(self, policies: Iterable[CostPolicy], now: datetime) -> Mapping[NamespacedName, Found]:
        """Return the Deployments that policies name, by namespace and name; of one that is not there, why not.

        Raises:
            GatewayError: the API server does not answer.
        """
        found: dict[NamespacedName, tuple[datetime, Found]] = {}
        for ref in filter(None, map(target_of, policies)):
            key = NamespacedName(ref.namespace, ref.name)
            known = found.get(key) or self._known.get(key)
            fresh = known is not None and known[0] <= now < known[0] + FRESH_FOR
            found[key] = known if known is not None and fresh else (now, self._read(ref))
        self._known = found
        return {key: item for key, (_, item) in found.items()}

    def _read(self, ref: ObjectRef) -> Found:
        try:
            found = self._gateway.read(ref)
        except Forbidden as error:
            return Missing(reason=Reason.FORBIDDEN, message=f"{ref} cannot be read: {error}")
        if found is None:
            message = f"there is no {ref}: correct spec.targetRef.name, or create it"
            return Missing(reason=Reason.TARGET_NOT_FOUND, message=message)
        return found


def target_of(policy: CostPolicy) -> ObjectRef | None:
    """Return the address of the Deployment that a policy advises on, if it does."""
    ref = policy.spec.target_ref
    if ref is None:
        return None
    return ObjectRef(
        api_version=DEPLOYMENT.api_version, kind=DEPLOYMENT.kind, name=ref.name, namespace=policy.metadata.namespace
    )


def with_targets(
    capacity: Capacity, policies: Iterable[CostPolicy], targets: Mapping[NamespacedName, Found]
) -> Capacity:
    """Return the pods with those of targets labelled as their policy's.  Of two policies for one Deployment the first by name
    has them: two series of ``costpolicy_pod_info`` for one pod would be no join.
    """
    labels: dict[tuple[str, str], Mapping[str, str]] = {}
    for policy in sorted(policies, key=lambda one: one.key):
        ref = target_of(policy)
        deployment = targets.get(NamespacedName(ref.namespace, ref.name)) if ref else None
        if deployment is None or isinstance(deployment, Missing):
            continue
        mine = {POLICY_LABEL: policy.metadata.name, VARIANT_LABEL: hash_of(deployment)}
        for pod in pods_of(deployment, capacity.pods):
            labels.setdefault((pod.namespace, pod.name), mine)
    if not labels:
        return capacity
    labelled = (_labelled(pod, labels.get((pod.namespace, pod.name))) for pod in capacity.pods)
    return replace(capacity, pods=tuple(labelled))


def _labelled(pod: Pod, labels: Mapping[str, str] | None) -> Pod:
    return pod if labels is None or POLICY_LABEL in pod.labels else replace(pod, labels={**pod.labels, **labels})


def hash_of(deployment: Object) -> str:
    """Return what stands for a variant's hash: another one with every change of the pod template."""
    return fingerprint({"template": deployment["spec"]["template"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Advised:
    """A policy as if it served what it advises on, what that means to the planner, and what runs."""

    policy: CostPolicy
    inputs: Inputs | Problem
    live: Live
    existing: Existing | None = None


def advised(policy: CostPolicy, found: Found, around: Surroundings) -> Advised:
    """Return how a policy is decided about whose ``targetRef`` leads to ``found``."""
    wrong = next(iter(problems(policy, frozenset(accelerators()))), None)
    if wrong is not None:
        return Advised(policy=policy, inputs=wrong, live=NOTHING)
    if isinstance(found, Missing):
        return Advised(policy=policy, inputs=_problem(found), live=NOTHING)
    existing = existing_of(found, around, policy.spec.engine.version or "")
    if isinstance(existing, Missing):
        problem = Problem(reason=existing.reason, message=f"Deployment {found['metadata']['name']}: {existing.message}")
        return Advised(policy=policy, inputs=problem, live=NOTHING)
    known = _known(existing)
    if isinstance(known, Missing):
        return Advised(policy=policy, inputs=_problem(known, existing.name), live=NOTHING, existing=existing)
    engine, architecture, configuration = known
    inputs = Inputs(
        architecture=architecture, source_format=existing.source_format, engine=engine, image=existing.command.image
    )
    return Advised(
        policy=_as_if_it_served(policy, existing, architecture),
        inputs=inputs,
        live=_live(found, existing, engine, configuration),
        existing=existing,
    )


def _known(existing: Existing) -> tuple[Engine, ModelArchitecture, Configuration] | Missing:
    """Return what a plan needs to know of a Deployment, or the first of it that is missing."""
    if isinstance(existing.engine, Missing):
        return existing.engine
    if isinstance(existing.architecture, Missing):
        return existing.architecture
    if isinstance(existing.configuration, Missing):
        return existing.configuration
    return existing.engine, existing.architecture, existing.configuration


def _problem(missing: Missing, name: str = "") -> Problem:
    where = f"Deployment {name}: " if name else ""
    return Problem(reason=missing.reason, message=f"{where}{missing.message}")


def _as_if_it_served(policy: CostPolicy, existing: Existing, architecture: ModelArchitecture) -> CostPolicy:
    """Return the policy with the model of what runs; ``targetRef`` stays, and tells whose it is."""
    source = source_of(existing)
    model = ModelSpec(
        name=existing.name,
        source=ModelSource.model_validate(
            {"huggingFace": {"repository": architecture.id}} if isinstance(source, Missing) else source
        ),
        context_length=_context(existing),
    )
    scaling = policy.spec.scaling
    most = max(scaling.max_replicas, existing.replicas)
    spec = policy.spec.model_copy(update={"model": model, "scaling": scaling.model_copy(update={"max_replicas": most})})
    return policy.model_copy(update={"spec": spec})


def _context(existing: Existing) -> int | None:
    length = existing.given.whole("--max-model-len")
    return length if isinstance(length, int) else None


def _live(deployment: Object, existing: Existing, engine: Engine, configuration: Configuration) -> Live:
    metadata, status = deployment["metadata"], deployment.get("status") or {}
    holding = existing.holding
    variant = LiveVariant(
        hash=hash_of(deployment),
        ref=reference(deployment),
        record=Record(
            configuration=configuration,
            engine_version=engine.version,
            image=existing.command.image,
            template_revision=0,
            grace=DEFAULT_GRACE,
            startup_budget=ENGINE_START,
            product_labels={},
            scrape_annotations=False,
        ),
        image=existing.command.image,
        replicas=existing.replicas,
        ready=status.get("readyReplicas") or 0,
        created=datetime.fromisoformat(metadata.get("creationTimestamp", _LONG_AGO)),
        requested=None if isinstance(holding, Missing) else holding.count,
    )
    return Live(variants=(variant,), stable_hash=None)
