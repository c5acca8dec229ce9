"""A change of configuration that is under way: its next step, its end, or its withdrawal."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from costpolicy.api.reasons import Reason
from costpolicy.api.status import Receipt, RolloutStatus
from costpolicy.kube.gateway import EventType
from costpolicy.manifests.variant import Variant
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.explain import describe
from costpolicy.planning.plan import Target
from costpolicy.reconcile.autoscaling import autoscaling_of
from costpolicy.reconcile.canary import asks_for_evidence, evidence_of, stage_number, told, trigger_of
from costpolicy.reconcile.change import Change, Keep, Trigger, newly_edited, rollback_asked
from costpolicy.reconcile.course import (
    CALM,
    STEADY,
    SUPERSEDED,
    WATCHING,
    Course,
    WantedVariant,
    again,
    last_rollout,
    running_target,
)
from costpolicy.reconcile.decision import News
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.outlook import Outlook
from costpolicy.reconcile.rejected import with_rejected
from costpolicy.reconcile.replacement import replacing
from costpolicy.reconcile.steady import follow_load, steady, waiting
from costpolicy.rollout.evidence import PATIENCE, Against, Enough, Evidence, Gathering
from costpolicy.rollout.replicas import bounded
from costpolicy.rollout.transition import (
    CRASH_LIMIT,
    NEVER_READY_LIMIT,
    UNSCHEDULABLE_LIMIT,
    Phase,
    Situation,
    Step,
    next_step,
    stages,
)
from costpolicy.rollout.verdict import Hold
from costpolicy.units import parse_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """A change that is under way: from what serves to a variant, which ``canary`` is once it exists."""

    outlook: Outlook
    stable: LiveVariant
    canary: LiveVariant | None
    configuration: Configuration
    variant: Variant
    trigger: Trigger | Literal[""]
    message: str
    number: int
    evidence: Evidence | None
    now: datetime

    @property
    def has_stages(self) -> bool:
        """Whether it has to show evidence on the way."""
        return self.trigger == "BetterPlan" and asks_for_evidence(self.outlook)


_ENDED: Final[Mapping[str, object]] = MappingProxyType(
    {"trigger": "", "started_at": None, "step": 0, "evidence": "", "wrong_since": None}
)
"""What status forgets of a change that is over."""


def progress(
    outlook: Outlook, stable: LiveVariant, canary: LiveVariant | None, change: Change | None, now: datetime
) -> Course:
    """Return the next step of a change; ``canary`` is its variant, or ``None`` before it exists (then ``change``)."""
    configuration = canary.configuration if canary else change.target.configuration if change else None
    variant = outlook.rendered_again(canary) if canary else outlook.rendered(change.target) if change else None
    if configuration is None or variant is None:  # the canary's record was removed: it cannot be judged any more
        return steady(outlook, stable, Keep(), now)
    evidence = evidence_of(outlook, stable, canary, now) if canary else None
    move = _Move(
        outlook=outlook,
        stable=stable,
        canary=canary,
        configuration=configuration,
        variant=variant,
        trigger=change.trigger if change else trigger_of(outlook, variant.hash),
        message=change.message if change else last_rollout(outlook).message,
        number=stage_number(outlook, variant.hash) + isinstance(evidence, Enough),
        evidence=evidence,
        now=now,
    )
    step = next_step(_situation(move))
    if step.phase is Phase.SHARING and move.number == 0:
        move = replace(move, number=1)
    rollout = _advanced(move, step)
    return _promoted(move, step, rollout) if step.phase is Phase.PROMOTED else _beside(move, step, rollout)


def _beside(move: _Move, step: Step, rollout: RolloutStatus) -> Course:
    """Return both variants as a step wants them; during stages what serves may also grow with the load."""
    outlook, stable = move.outlook, move.stable
    follow = follow_load(outlook, stable, move.now) if move.has_stages and step.old == stable.replicas else None
    variants = [again(outlook, stable, max(step.old, follow.replicas) if follow else step.old)]
    if step.new:
        canary = WantedVariant(hash=move.variant.hash, role="Canary", replicas=step.new, objects=move.variant.objects)
        variants.append(canary)
    no_spare = Hold(reason=Reason.NO_SPARE_GPU, message=_no_spare(move.configuration.accelerator))
    return Course(
        variants=tuple(variants),
        service=None if step.shared else stable.hash,
        rollout=rollout,
        scaling=waiting(follow) if follow else None,
        hold=no_spare if step.phase is Phase.BLOCKED else None,
        news=() if move.canary or not step.new else (_begun(describe(move.configuration), rollout),),
        look_again=CALM if step.phase is Phase.SHARING or not step.new else WATCHING,
    )


def _promoted(move: _Move, step: Step, rollout: RolloutStatus) -> Course:
    outlook, stable, now = move.outlook, move.stable, move.now
    before = describe(stable.configuration, stable.replicas) if stable.configuration else stable.hash
    led = move.canary is not None and move.canary.hash in autoscaling_of(outlook.snapshot).led
    count = (
        move.canary.replicas if move.canary and led else step.new
    )  # led: promoted before, and status does not know it
    after = describe(move.configuration, count)
    return Course(
        variants=(
            WantedVariant(hash=move.variant.hash, role="Stable", replicas=count, objects=move.variant.objects),
            # The old one drains: it goes with the next decision, after the Service has named the new one.
            again(outlook, stable, stable.replicas, role="Retiring"),
        ),
        service=move.variant.hash,
        rollout=rollout.model_copy(update={**_ENDED, "phase": STEADY, "last_change_at": now, "message": ""}),
        receipt=Receipt(
            at=now,
            change=rollout.message or rollout.trigger,
            before=before,
            after=after,
            proof=_proof(move),
        ),
        news=(News(type=EventType.NORMAL, reason=Reason.PROMOTED, note=f"{after} serves instead of {before}"),),
        look_again=WATCHING,
    )


def _proof(move: _Move) -> str:
    shown = f"kept its objectives beside what served in {move.number - 1} stage(s); " if move.has_stages else ""
    return f"{shown}all replicas ready"


def withdraw(
    outlook: Outlook, stable: LiveVariant, canary: LiveVariant, reason: tuple[Reason, str], now: datetime
) -> Course:
    """Return the course without the canary: the stable variant gets all traffic, and the failure is remembered."""
    word, message = reason
    before = last_rollout(outlook)
    rollout = before.model_copy(update={**_ENDED, "phase": SUPERSEDED, "trigger": "SpecChange"})
    if word != SUPERSEDED:
        rollout = rollout.model_copy(
            update={
                "phase": Reason.ROLLED_BACK,
                "last_change_at": now,
                "rejected": with_rejected(outlook, canary, word),
                "trigger": before.trigger,
                "message": message,
            }
        )
    return Course(
        variants=(again(outlook, stable, stable.replicas),),
        service=stable.hash,
        rollout=rollout,
        hold=Hold(reason=Reason.ROLLED_BACK if word == Reason.ENGINE_DIED else word, message=message),
        news=(News(type=EventType.WARNING, reason=word, note=f"{canary.hash} was withdrawn: {message}"),),
        look_again=WATCHING,
    )


def must_go(outlook: Outlook, stable: LiveVariant, canary: LiveVariant, now: datetime) -> tuple[Reason, str] | None:
    """Return why a canary is taken back: the user's word, its own failure, or a newer edit of the policy."""
    if rollback_asked(outlook.snapshot):
        return Reason.ROLLED_BACK, "the annotation costpolicy.dev/rollback=now took the change back"
    evidence = evidence_of(outlook, stable, canary, now)
    if isinstance(evidence, Against):
        return evidence.reason, evidence.message
    if canary.crashed and canary.restarts >= CRASH_LIMIT and not canary.ready:
        return Reason.ENGINE_DIED, f"{canary.failure}; see kubectl logs --previous"
    if canary.unschedulable and not canary.ready and now - canary.created >= UNSCHEDULABLE_LIMIT:
        return Reason.CANARY_UNSCHEDULABLE, canary.failure
    if not canary.unschedulable and (late := _late(outlook, canary, now)):
        return Reason.CANARY_NEVER_READY, "; ".join(filter(None, (late, canary.waiting)))
    target = outlook.plan.target
    if target and newly_edited(outlook.snapshot) and outlook.rendered(target).hash != canary.hash:
        return SUPERSEDED, "the policy was edited again"
    return None


def _late(outlook: Outlook, canary: LiveVariant, now: datetime) -> str:
    """Return what a canary has not reached for too long; empty: nothing."""
    if not canary.ready and now - canary.created >= NEVER_READY_LIMIT:
        return "no replica of it was ready for two hours"
    rollout = last_rollout(outlook)
    since = rollout.phase_since if (rollout.trigger, rollout.phase) == ("BetterPlan", Phase.SURGING) else None
    if since is not None and now - since >= PATIENCE:
        return f"not all {canary.replicas} replicas of its stage were ready for a day"
    return ""


def _situation(move: _Move) -> Situation:
    outlook, stable, canary = move.outlook, move.stable, move.canary
    wanted = max(bounded(replacing(outlook, stable, move.configuration, move.trigger), outlook.bounds), 1)
    rollout = outlook.snapshot.policy.spec.rollout
    staged = stages(wanted, parse_ratio(rollout.canary.step)) if move.has_stages else ()
    sized = running_target(outlook, stable)
    return Situation(
        old=stable.replicas,
        old_ready=stable.ready,
        new=canary.replicas if canary else 0,
        new_ready=canary.ready if canary else 0,
        wanted=wanted,
        spare=outlook.spare_replicas(move.configuration),
        one_less_carries=isinstance(sized, Target) and _carries(outlook, sized, stable.replicas - 1),
        allow_downtime=rollout.allow_downtime,
        stage=staged[min(max(move.number, 1), len(staged)) - 1] if staged else wanted,
        proven=move.number > len(staged) or not staged,
        sharing=move.number > 0,
    )


def _carries(outlook: Outlook, sized: Target, replicas: int) -> bool:
    """Return whether that many replicas carry the demand; bounds of ``spec.scaling`` are a wish, not a promise."""
    promised = outlook.snapshot.policy.spec.objectives.availability.min_ready_replicas
    carried = sized.capacity_per_replica * replicas >= outlook.request.demand.requests_per_second
    return carried and replicas >= promised


def _advanced(move: _Move, step: Step) -> RolloutStatus:
    before, evidence = last_rollout(move.outlook), move.evidence
    going_on = before.to_variant == move.variant.hash and before.started_at is not None
    same = going_on and (before.phase, before.step) == (str(step.phase), move.number)
    return before.model_copy(
        update={
            "phase": str(step.phase),
            "trigger": move.trigger,
            "from_variant": move.stable.hash,
            "to_variant": move.variant.hash,
            "started_at": before.started_at if going_on else move.now,
            "phase_since": before.phase_since if same else move.now,
            "message": move.message,
            "step": move.number,
            "evidence": told(evidence) if same else "",
            "wrong_since": evidence.wrong_since if isinstance(evidence, Gathering) else None,
            "proposed_variant": "",
            "proposed_since": None,
        }
    )


def _begun(what: str, rollout: RolloutStatus) -> News:
    return News(
        type=EventType.NORMAL,
        reason=Reason.ROLLOUT_STARTED,
        note=f"{what} starts beside what serves: {rollout.message}",
    )


def _no_spare(accelerator: str) -> str:
    return (
        f"no {accelerator} is spare for a second variant, and one replica cannot be replaced without downtime; "
        "free one, or set spec.rollout.allowDowntime"
    )
