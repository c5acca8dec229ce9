"""The kind CostPolicy: a model, its latency objective, its budget and the savings that are allowed."""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from costpolicy.api.engine import EngineSettings, EnvVar, PodSettings
from costpolicy.api.model import ApiModel, RuledModel
from costpolicy.api.objects import ObjectMeta
from costpolicy.api.operation import (
    Canary,
    Evaluation,
    MaintenanceWindow,
    Measurement,
    Quality,
    Rollout,
    Scaling,
    Schedule,
    Stabilization,
)
from costpolicy.api.rules import Bounds, Rule, exactly_one
from costpolicy.api.served import (
    ArchitectureSpec,
    Checkpoint,
    HuggingFaceSource,
    ImageSource,
    MlaSpec,
    ModelSource,
    ModelSpec,
    VolumeSource,
)
from costpolicy.api.status import CostPolicyStatus
from costpolicy.api.techniques import (
    Batching,
    KvCacheQuantization,
    OutputLength,
    PrefixCaching,
    Quantization,
    SpeculativeDecoding,
    Techniques,
)
from costpolicy.api.types import (
    AcceleratorName,
    CapacityType,
    Count,
    DeletionPolicy,
    Flag,
    Number,
    ObjectName,
    OptionalCurrencyCode,
    PositiveCount,
    PositiveDurationText,
    PositiveMoneyText,
    RolloutMode,
)

__all__ = [
    "ArchitectureSpec",
    "Availability",
    "Batching",
    "Budget",
    "Canary",
    "Checkpoint",
    "CostPolicy",
    "CostPolicySpec",
    "EngineSettings",
    "EnvVar",
    "Evaluation",
    "Hardware",
    "HuggingFaceSource",
    "ImageSource",
    "KvCacheQuantization",
    "LatencyObjective",
    "MaintenanceWindow",
    "Measurement",
    "MlaSpec",
    "ModelSource",
    "ModelSpec",
    "Objectives",
    "OutputLength",
    "PodSettings",
    "PrefixCaching",
    "Quality",
    "Quantization",
    "Rollout",
    "Scaling",
    "Schedule",
    "SpeculativeDecoding",
    "Stabilization",
    "TargetRef",
    "Techniques",
    "TrafficSpec",
    "VolumeSource",
]

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
MAX_NAME_LENGTH = 40


class TargetRef(ApiModel):
    """A vLLM Deployment that somebody else owns; the operator only advises."""

    api_version: Literal["apps/v1"] = "apps/v1"
    """API version of the object."""
    kind: Literal["Deployment"] = "Deployment"
    """Kind of the object."""
    name: ObjectName
    """Name of the object, in the policy's namespace."""


class LatencyObjective(ApiModel):
    """A promise about a latency."""

    p95: PositiveDurationText
    """95th percentile, such as `800ms`."""


class Availability(ApiModel):
    """A promise about replicas."""

    min_ready_replicas: Annotated[int, Bounds(1, 1000)] = 1
    """Replicas that must be ready; from 2 on, the load is also carried with one of them missing."""


class Objectives(ApiModel):
    """The promise that a plan must keep."""

    ttft: LatencyObjective | None = None
    """Time to first token."""
    inter_token_latency: LatencyObjective | None = None
    """Time between two tokens of an answer."""
    availability: Availability = Field(default_factory=Availability)
    """Replicas that must be ready."""


class Budget(RuledModel):
    """What may be spent. It stops growth, never service."""

    hourly: PositiveMoneyText | None = None
    """Most per hour, a decimal such as `12.50`."""
    monthly: PositiveMoneyText | None = None
    """Most per calendar month in UTC. What is left of it over the hours left is how far replicas are added."""
    currency: OptionalCurrencyCode = ""
    """ISO 4217 code. Empty: that of the price books."""

    rules: ClassVar = (
        Rule(
            "has(self.hourly) || has(self.monthly)",
            "a budget needs hourly or monthly",
            lambda budget: budget.hourly is not None or budget.monthly is not None,
        ),
    )


class Hardware(ApiModel):
    """What may be used."""

    accelerators: Annotated[tuple[AcceleratorName, ...], Field(max_length=32)] = ()
    """Accelerators by catalogue name, such as `nvidia-h100-80gb`. Empty: everything offered."""
    capacity_types: Annotated[tuple[CapacityType, ...], Field(max_length=3)] = ()
    """Ways of paying. Empty: OnDemand and Reserved; Spot only when named."""
    max_accelerators: PositiveCount | None = None
    """Most accelerators of all replicas together."""
    allow_mixed: Flag = False
    """Replicas may run on different accelerators at the same time."""


class TrafficSpec(RuledModel):
    """What to expect until metrics exist."""

    requests_per_second: Number | None = None
    """Requests that arrive per second."""
    prompt_tokens: PositiveCount | None = None
    """Mean tokens of a prompt, the shared prefix included."""
    output_tokens: PositiveCount | None = None
    """Mean tokens of an answer."""
    shared_prefix_tokens: Count | None = None
    """Tokens at the start of a prompt that most requests share."""

    rules: ClassVar = (
        Rule(
            "!has(self.sharedPrefixTokens) || !has(self.promptTokens) || self.sharedPrefixTokens <= self.promptTokens",
            "sharedPrefixTokens must not exceed promptTokens, of which they are a part",
            lambda traffic: (
                traffic.shared_prefix_tokens is None
                or traffic.prompt_tokens is None
                or traffic.shared_prefix_tokens <= traffic.prompt_tokens
            ),
        ),
    )


def _has_objective(spec: "CostPolicySpec") -> bool:
    objectives = spec.objectives
    return objectives.ttft is not None or objectives.inter_token_latency is not None


class CostPolicySpec(RuledModel):
    """What is wanted."""

    model: ModelSpec | None = None
    """The model to serve. Exactly one of model and targetRef."""
    target_ref: TargetRef | None = None
    """A Deployment to advise on. Exactly one of model and targetRef."""
    objectives: Objectives = Field(default_factory=Objectives)
    """The promise that must be kept; ttft, interTokenLatency or both where a model is given."""
    budget: Budget | None = None
    """What may be spent."""
    priority_class_name: ObjectName | None = None
    """PriorityClass of the pods; it also orders policies that compete for accelerators."""
    hardware: Hardware = Field(default_factory=Hardware)
    """What may be used."""
    traffic: TrafficSpec | None = None
    """What to expect until metrics exist."""
    techniques: Techniques = Field(default_factory=Techniques)
    """Savings that are allowed."""
    scaling: Scaling = Field(default_factory=Scaling)
    """Number of replicas."""
    rollout: Rollout = Field(default_factory=Rollout)
    """Changes of configuration."""
    quality: Quality = Field(default_factory=Quality)
    """Proof of quality."""
    measurement: Measurement = Field(default_factory=Measurement)
    """Measurement of savings."""
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    """Delete removes what serves together with the policy, Orphan leaves it serving."""
    engine: EngineSettings = Field(default_factory=EngineSettings)
    """Settings of the engine and its pods."""

    rules: ClassVar = (
        exactly_one("a policy", "model", "targetRef"),
        Rule(
            "!has(self.model) || (has(self.objectives) && "
            "(has(self.objectives.ttft) || has(self.objectives.interTokenLatency)))",
            "a model needs an objective: objectives.ttft.p95 or objectives.interTokenLatency.p95",
            lambda spec: spec.model is None or _has_objective(spec),
        ),
        Rule(
            "!has(self.targetRef) || !has(self.rollout) || !has(self.rollout.mode) || "
            "self.rollout.mode in ['Off', 'Recommend']",
            "with targetRef the operator only advises: rollout.mode must be Off or Recommend",
            lambda spec: spec.target_ref is None or spec.rollout.mode in (None, RolloutMode.OFF, RolloutMode.RECOMMEND),
        ),
    )


class CostPolicy(RuledModel):
    """A promise about a model and the cheapest deployment that keeps it."""

    api_version: Literal["costpolicy.dev/v1alpha1"] = "costpolicy.dev/v1alpha1"
    kind: Literal["CostPolicy"] = "CostPolicy"
    metadata: ObjectMeta
    spec: CostPolicySpec
    """What is wanted."""
    status: CostPolicyStatus | None = None
    """What was found, planned and done."""

    rules: ClassVar = (
        Rule(
            f"size(self.metadata.name) <= {MAX_NAME_LENGTH}",
            f"the name must not exceed {MAX_NAME_LENGTH} characters: names of variants are made from it",
            lambda policy: len(policy.metadata.name) <= MAX_NAME_LENGTH,
        ),
        Rule(
            "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
            "the name must begin with a letter and hold only a-z, 0-9 and '-': a Service is called the same",
            lambda policy: _NAME.fullmatch(policy.metadata.name) is not None,
        ),
    )

    @property
    def key(self) -> str:
        """``namespace/name``, as it is shown and logged."""
        return f"{self.metadata.namespace}/{self.metadata.name}"
