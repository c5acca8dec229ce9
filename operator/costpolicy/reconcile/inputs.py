"""What a policy's words mean to the planner: architecture, formats, engine.  What cannot be read is a ``Problem``."""

from collections.abc import Sequence
from dataclasses import dataclass

from costpolicy.api.policy import CostPolicy, CostPolicySpec
from costpolicy.api.reasons import Reason
from costpolicy.api.types import WeightFormat
from costpolicy.api.validation import Problem, problems
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engines import Engine, EngineError, engine, newest_engine, refused_arguments
from costpolicy.catalog.models import ModelArchitecture, architecture_from_spec, models
from costpolicy.manifests.arguments import owned_arguments
from costpolicy.manifests.pod_rules import clashes, host_access

DEFAULT_IMAGE = "docker.io/vllm/vllm-openai"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The parts of a plan request that depend on the policy's text alone."""

    architecture: ModelArchitecture
    source_format: WeightFormat
    engine: Engine
    image: str


def read_inputs(policy: CostPolicy, *, allow_host_access: bool = False) -> Inputs | Problem:
    """Return what the policy asks for in the catalogue's terms, or the first thing that is wrong with it."""
    spec = policy.spec
    first = next(iter(problems(policy, frozenset(accelerators()))), None)
    if first is not None:
        return first
    if spec.model is None:  # in a cluster the operator reads the Deployment (``reconcile.targets``)
        message = (
            "spec.targetRef names a Deployment that only a cluster has: give its manifest, too (render --patch --from)"
        )
        return Problem(reason=Reason.TARGET_NOT_FOUND, message=message)
    try:
        chosen = engine(spec.engine.version) if spec.engine.version else newest_engine()
    except EngineError as error:
        return Problem(reason=Reason.ENGINE_UNSUPPORTED, message=str(error))
    found = architecture_of(spec)
    if found is None:
        return _unknown_model(spec)
    return (
        _argument_problem(policy, chosen)
        or _pod_problem(spec, allow=allow_host_access)
        or Inputs(
            architecture=found,
            source_format=source_format(spec),
            engine=chosen,
            image=spec.engine.image or f"{DEFAULT_IMAGE}:v{chosen.version}",
        )
    )


def architecture_of(spec: CostPolicySpec) -> ModelArchitecture | None:
    """Return the model's sizes: those stated, else those of the catalogue for its repository or name."""
    model = spec.model
    if model is None:
        return None
    if model.architecture is not None:
        return architecture_from_spec(model.architecture, model.name)
    source = model.source.hugging_face
    return models().resolve(source.repository if source else model.name)


def source_format(spec: CostPolicySpec) -> WeightFormat:
    """Return the format in which ``spec.model.source`` publishes its weights; bf16 unless the catalogue knows better."""
    if spec.model is None or spec.model.source.hugging_face is None:
        return WeightFormat.BF16
    return models().format_of(spec.model.source.hugging_face.repository)


def name_conflict(policy: CostPolicy, others: Sequence[CostPolicy]) -> Problem | None:
    """Return the problem of a policy whose model name an older policy of the same namespace already serves."""
    if policy.spec.model is None:
        return None
    for other in others:
        if other.key != policy.key and _same_name(policy, other) and _age(other) < _age(policy):
            return Problem(
                reason=Reason.MODEL_NAME_TAKEN,
                message=f"the policy {other.metadata.name} already serves a model called {policy.spec.model.name}; "
                "choose another spec.model.name",
            )
    return None


def _same_name(policy: CostPolicy, other: CostPolicy) -> bool:
    if policy.spec.model is None or other.spec.model is None:
        return False
    same_namespace = policy.metadata.namespace == other.metadata.namespace
    return same_namespace and policy.spec.model.name == other.spec.model.name


def _age(policy: CostPolicy) -> tuple[str, str]:
    created = policy.metadata.creation_timestamp
    return created.isoformat() if created else "", policy.metadata.name


def _unknown_model(spec: CostPolicySpec) -> Problem:
    source = spec.model.source.hugging_face if spec.model else None
    name = source.repository if source else spec.model.name if spec.model else ""
    return Problem(
        reason=Reason.UNKNOWN_MODEL,
        message=f"the catalogue does not know {name}; state its sizes in spec.model.architecture",
    )


def _argument_problem(policy: CostPolicy, chosen: Engine) -> Problem | None:
    owned = owned_arguments(policy)
    for argument, why in refused_arguments(chosen, policy.spec.engine.extra_args, owned):
        mine = argument.split("=", 1)[0] in owned
        reason = Reason.ARGUMENT_OWNED_BY_PLAN if mine else Reason.UNKNOWN_ARGUMENT
        return Problem(reason=reason, message=f"spec.engine.extraArgs: {argument}: {why}; take it out")
    return None


def _pod_problem(spec: CostPolicySpec, *, allow: bool) -> Problem | None:
    refused = () if allow or spec.engine.pod is None else host_access(spec.engine.pod)
    found = (*refused, *clashes(spec.engine))
    return Problem(reason=Reason.POD_NOT_ALLOWED, message=f"spec.engine: {found[0]}") if found else None
