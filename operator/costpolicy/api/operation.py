"""How a policy's deployment is run: replicas, changes, proof of quality, measurement."""

from typing import Annotated, ClassVar

from pydantic import Field

from costpolicy.api.model import ApiModel, RuledModel
from costpolicy.api.objects import ConfigMapRef, SecretKeyRef
from costpolicy.api.rules import Bounds, Rule, exactly_one
from costpolicy.api.types import (
    CronSchedule,
    DurationText,
    Flag,
    JudgeType,
    ObjectName,
    PositiveDurationText,
    PositiveRatioText,
    RatioText,
    RelativePath,
    RolloutMode,
    ScalingProvider,
    Text,
    TimeZone,
)


class Stabilization(ApiModel):
    """How long a wanted number of replicas must stay wanted."""

    scale_up: DurationText = "0s"
    """Before replicas are added."""
    scale_down: DurationText = "5m"
    """Before replicas are removed."""


class Schedule(RuledModel):
    """Other bounds from a time on, until the next schedule's time."""

    schedule: CronSchedule
    """Cron expression of five fields: when these bounds begin."""
    time_zone: TimeZone = "UTC"
    """IANA name of the zone that the schedule is in."""
    min_replicas: Annotated[int, Bounds(0, 1000)] | None = None
    """Fewest replicas. Empty: scaling.minReplicas, but never above maxReplicas."""
    max_replicas: Annotated[int, Bounds(0, 1000)] | None = None
    """Most replicas; 0 stops the model. Empty: scaling.maxReplicas."""

    rules: ClassVar = (
        Rule(
            "has(self.minReplicas) || has(self.maxReplicas)",
            "a schedule needs minReplicas or maxReplicas",
            lambda bounds: bounds.min_replicas is not None or bounds.max_replicas is not None,
        ),
        Rule(
            "!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas",
            "minReplicas must not exceed maxReplicas",
            lambda bounds: (
                bounds.min_replicas is None or bounds.max_replicas is None or bounds.min_replicas <= bounds.max_replicas
            ),
        ),
    )


class Scaling(RuledModel):
    """How many replicas may run, and who decides."""

    min_replicas: Annotated[int, Bounds(0, 1000)] = 1
    """Fewest replicas."""
    max_replicas: Annotated[int, Bounds(1, 1000)] = 10
    """Most replicas."""
    provider: ScalingProvider = ScalingProvider.OPERATOR
    """Who writes the number of replicas."""
    stabilization: Stabilization = Field(default_factory=Stabilization)
    """Damping of changes."""
    schedules: Annotated[tuple[Schedule, ...], Field(max_length=16)] = ()
    """Bounds by time of day and week; the latest that has begun holds."""

    rules: ClassVar = (
        Rule(
            "self.minReplicas <= self.maxReplicas",
            "minReplicas must not exceed maxReplicas",
            lambda bounds: bounds.min_replicas <= bounds.max_replicas,
        ),
    )


class Canary(ApiModel):
    """How a new configuration takes over."""

    step: PositiveRatioText = "20%"
    """Share of the traffic that it gains at each step."""
    duration: DurationText = "30m"
    """Evidence asked for at each step."""


class MaintenanceWindow(ApiModel):
    """A time in which configurations may change."""

    schedule: CronSchedule
    """Cron expression of five fields: when the window opens."""
    duration: PositiveDurationText
    """How long it stays open."""
    time_zone: TimeZone = "UTC"
    """IANA name of the zone that the schedule is in."""


class Rollout(ApiModel):
    """What the operator may change by itself, and when."""

    mode: RolloutMode | None = None
    """Off: only status. Recommend: a plan in status. Initial: the first plan is created, better ones are
    recommended. Auto: better plans too. Empty: the operator's default, Initial."""
    minimum_savings: RatioText = "5%"
    """Share of the cost that a change must save."""
    payback_horizon: PositiveDurationText = "168h"
    """Time within which a change must pay for its own disruption."""
    cooldown: DurationText = "1h"
    """Rest between two changes of configuration."""
    canary: Canary = Field(default_factory=Canary)
    """Steps of a change."""
    maintenance_windows: Annotated[tuple[MaintenanceWindow, ...], Field(max_length=16)] = ()
    """When configurations may change. Empty: always. Adding replicas and rolling back are always allowed."""
    allow_downtime: Flag = False
    """A single replica may be replaced by stopping it first, where no accelerator is spare."""


class JudgeModel(ApiModel):
    """A model that compares answers."""

    base_url: Annotated[str, Field(alias="baseURL", pattern=r"^https?://[!-~]+$", max_length=512)]
    """Base of its OpenAI-compatible API, ending in /v1."""
    model: Text
    """Name of the model."""
    api_key_secret_ref: SecretKeyRef | None = None
    """Secret with its API key."""


class Judge(RuledModel):
    """How an answer is compared with the expected one."""

    type: JudgeType = JudgeType.EXACT
    """Exact, Contains and Numeric compare text; Model asks another model."""
    model: JudgeModel | None = None
    """The judging model."""

    rules: ClassVar = (
        Rule(
            "(self.type == 'Model') == has(self.model)",
            "a judge of type Model needs model, and only that type has one",
            lambda judge: (judge.type is JudgeType.MODEL) == (judge.model is not None),
        ),
    )


class Prompts(RuledModel):
    """Prompts with expected answers, as JSON lines."""

    config_map_ref: ConfigMapRef | None = None
    """ConfigMap that holds the file."""
    claim_name: ObjectName | None = None
    """PersistentVolumeClaim that holds the file."""
    path: RelativePath = "prompts.jsonl"
    """The file: a key of the ConfigMap, or a path within the volume."""
    judge: Judge = Field(default_factory=Judge)
    """How answers are compared."""

    rules: ClassVar = (exactly_one("prompts", "configMapRef", "claimName"),)


class LmEval(ApiModel):
    """Tasks of lm-evaluation-harness."""

    tasks: Annotated[tuple[Text, ...], Field(min_length=1, max_length=16)]
    """Names of tasks."""
    claim_name: ObjectName | None = None
    """PersistentVolumeClaim with own tasks and data sets."""


class Evaluation(RuledModel):
    """What proves quality: exactly one of the members."""

    prompts: Prompts | None = None
    """Own prompts with expected answers."""
    lm_eval: LmEval | None = None
    """Tasks of lm-evaluation-harness."""

    rules: ClassVar = (exactly_one("an evaluation", "prompts", "lmEval"),)


class Quality(ApiModel):
    """How much quality a change may cost, and how that is proven."""

    max_loss: RatioText = "2%"
    """Largest loss of quality, as a share of the present one."""
    evaluation: Evaluation | None = None
    """The proof. Empty: what can alter answers is recommended, never applied by itself."""


class Measurement(ApiModel):
    """How savings are measured."""

    window: PositiveDurationText = "168h"
    """Length of the windows that are compared, before and after."""
