"""The status of a CostPolicy: what was found, planned and done.  At most 16 KiB, whatever happens."""

from typing import Annotated, Final, Literal

from pydantic import Field

from costpolicy.api.ahead import AheadStatus
from costpolicy.api.conditions import Condition
from costpolicy.api.evaluated import QualityStatus
from costpolicy.api.figures import (
    Infeasible,
    LatencyFigures,
    Money,
    PlanSummary,
    Prediction,
    Sentence,
    Short,
    TargetStatus,
    Whole,
)
from costpolicy.api.measured import (
    CalibrationStatus,
    Interval,
    MeasurementStatus,
    ObservedTraffic,
    PlaybookRow,
    Receipt,
    SpeculationStatus,
    WindowFigures,
)
from costpolicy.api.model import ObservedModel
from costpolicy.api.rules import ListMap
from costpolicy.api.spending import SpendingStatus
from costpolicy.api.standby import StandbyStatus
from costpolicy.api.types import Timestamp

__all__ = [
    "STATUS_LIMIT",
    "AheadStatus",
    "CalibrationStatus",
    "CostPolicyStatus",
    "Infeasible",
    "Interval",
    "LatencyFigures",
    "MeasurementStatus",
    "ObservedTraffic",
    "PlanSummary",
    "PlaybookRow",
    "Prediction",
    "QualityStatus",
    "Receipt",
    "RejectedVariant",
    "RolloutStatus",
    "SpeculationStatus",
    "SpendingStatus",
    "StandbyStatus",
    "TargetStatus",
    "VariantStatus",
    "WindowFigures",
]

STATUS_LIMIT: Final = 16 * 1024
"""Bytes of a status as compact JSON: it is written often, and lives in etcd and in every watch."""


class VariantStatus(ObservedModel):
    """A Deployment that the operator owns."""

    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{10}$")]
    """What it was made from, as 10 hexadecimal digits; the end of its name."""
    template_revision: Whole
    """Revision of the manifests it is rendered with, pinned."""
    image: Annotated[str, Field(max_length=512)]
    """Engine image, pinned."""
    replicas: Whole = 0
    """Replicas wanted."""
    ready_replicas: Whole = 0
    """Replicas ready."""
    role: Literal["Stable", "Canary", "Standby", "Retiring"]
    """What it is there for."""


class RejectedVariant(ObservedModel):
    """A variant that was tried and taken back."""

    variant: Annotated[str, Field(pattern=r"^[0-9a-f]{10}$")]
    """Its hash."""
    reason: Short
    """Why it was taken back."""
    generation: Whole
    """Generation of the policy that it was tried for; an edit of the policy lets it be tried again."""
    spare: Whole = 0
    """Replicas of it for which accelerators were free then; one that found no node is tried again when more are."""


class RolloutStatus(ObservedModel):
    """A change of configuration."""

    phase: Short
    """Steady, or where a change is: Surging, Evaluating, Sharing, Replacing, NoSpareGPU; or why there is none now: RolledBack, Superseded,
    Infeasible, HoldUntil."""
    trigger: Short = ""
    """Why it began: SpecChange (the user edited the policy), BetterPlan (the operator found one), OutOfStock
    (what served lost its nodes, or needs more accelerators than there are) or DidNotSave (the last better plan was
    measured, and cost more)."""
    from_variant: Short = ""
    """Hash of the variant that served before."""
    to_variant: Short = ""
    """Hash of the variant that takes over."""
    started_at: Timestamp | None = None
    """When it began."""
    phase_since: Timestamp | None = None
    """When this phase began."""
    last_change_at: Timestamp | None = None
    """When the last change of configuration ended; the cooldown counts from it."""
    rejected: Annotated[tuple[RejectedVariant, ...], Field(max_length=4), ListMap(("variant",))] = ()
    """Variants that were taken back, the last one first; none is tried again until something relevant has changed."""
    message: Sentence = ""
    """Why it began, or why it was taken back."""
    step: Whole = 0
    """Stage of a better plan that is put to the proof, from 1; 0 before it takes traffic."""
    evidence: Sentence = ""
    """What this stage has shown so far, or waits for."""
    wrong_since: Timestamp | None = None
    """Since when the canary has been worse than what serves; it is withdrawn when that lasts."""
    restores: Annotated[str, Field(max_length=2048)] = ""
    """What served before the last better plan, as JSON; it serves again if that plan is measured to cost more."""
    proposed_variant: Short = ""
    """Hash of the variant that a better plan would be; it has to stand for some minutes before it is begun."""
    proposed_since: Timestamp | None = None
    """Since when that plan has stood."""


class ScalingStatus(ObservedModel):
    """The replica loop's memory: what it waits to follow."""

    pending_replicas: Whole
    """Replicas that are wanted but not followed yet."""
    pending_since: Timestamp
    """Since when."""


class CostPolicyStatus(ObservedModel):
    """What was found, planned and done."""

    observed_generation: Whole = 0
    """Generation of the policy that this answers."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16), ListMap(("type",))] = ()
    """The answer in the words of Kubernetes."""
    current: PlanSummary | None = None
    """What serves now."""
    target: TargetStatus | None = None
    """What would be applied now."""
    recommended: TargetStatus | None = None
    """A better plan that this mode or a missing proof keeps from being applied."""
    uncapped_target: TargetStatus | None = None
    """The target without budget, limits and stock."""
    infeasible: Infeasible | None = None
    """Why there is no target."""
    why_not_cheaper: Sentence = ""
    """The constraint that keeps the plan from being cheaper, and its price."""
    variants: Annotated[tuple[VariantStatus, ...], Field(max_length=4), ListMap(("hash",))] = ()
    """Deployments that the operator owns."""
    rollout: RolloutStatus | None = None
    """The change of configuration that is under way, or the last one."""
    standby: StandbyStatus | None = None
    """Spot capacity that was lost, and since when."""
    quality: QualityStatus | None = None
    """What evaluations have found about answers."""
    scaling: ScalingStatus | None = None
    """A change of replicas that waits for its stabilization time."""
    ahead: AheadStatus | None = None
    """A rise that days before had at this time, and the replicas that are got ready for it."""
    observed: ObservedTraffic | None = None
    """What the engines' own metrics say."""
    calibration: CalibrationStatus | None = None
    """How far predictions for what serves are off, as measured."""
    speculation: SpeculationStatus | None = None
    """How many of the tokens proposed in speculative decoding are accepted, as measured."""
    spending: SpendingStatus | None = None
    """What this month has cost, and will have cost."""
    measurement: MeasurementStatus | None = None
    """What changes have saved."""
    playbook: Annotated[tuple[PlaybookRow, ...], Field(max_length=16), ListMap(("technique",))] = ()
    """Techniques, the largest saving for its effort first."""
    playbook_saves_per_month: Money | None = None
    """What all that is recommended would save at once; rows are not additive."""
    history: Annotated[tuple[Receipt, ...], Field(max_length=10)] = ()
    """The last changes, newest first."""

    def size(self) -> int:
        """Return the bytes of this status as compact JSON."""
        return len(self.model_dump_json(by_alias=True, exclude_none=True).encode())

    def within_limit(self) -> "CostPolicyStatus":
        """Return this status, texts clipped, without the oldest receipts and last rows that exceed the limit.

        Copies made by ``model_copy`` are not validated, so everything is validated once more here.
        """
        fitting = type(self).model_validate(self.model_dump())
        if fitting.size() <= STATUS_LIMIT:
            return fitting
        while fitting.size() > STATUS_LIMIT and fitting.history:
            fitting = fitting.model_copy(update={"history": fitting.history[:-1]})
        while fitting.size() > STATUS_LIMIT and fitting.playbook:
            fitting = fitting.model_copy(update={"playbook": fitting.playbook[:-1]})
        return fitting
