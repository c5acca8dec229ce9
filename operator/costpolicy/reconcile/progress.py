"""A change of configuration that is under way: its next step, its end, or its withdrawal."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from costpolicy.api.reasons import Reason
from costpolicy.api.status import RolloutStatus
from costpolicy.kube.gateway import EventType
from costpolicy.manifests.record import configuration_to_json
from costpolicy.manifests.variant import Variant
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.explain import describe
from costpolicy.planning.options import alters_answers
from costpolicy.planning.plan import Target
from costpolicy.reconcile.autoscaling import autoscaling_of
from costpolicy.reconcile.canary import asks_for_evidence, costs_told, evidence_of, stage_number, told, trigger_of
from costpolicy.reconcile.change import Change, Keep, Trigger
from costpolicy.reconcile.course import (
    CALM,
    STEADY,
    WATCHING,
    Course,
    WantedVariant,
    again,
    last_rollout,
    running_target,
)
from costpolicy.reconcile.decision import News
from costpolicy.reconcile.gate import Harmless, Proof, Waiting, proof_of
from costpolicy.reconcile.growing import grown
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.outlook import Outlook
from costpolicy.reconcile.receipts import receipt_of
from costpolicy.reconcile.rejected import with_rejected
from costpolicy.reconcile.replacement import replacing
from costpolicy.reconcile.steady import steady, waiting
from costpolicy.reconcile.withdrawal import ENDED
from costpolicy.rollout.evidence import Enough, Evidence, Gathering
from costpolicy.rollout.replicas import bounded
from costpolicy.rollout.transition import (
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
    proof: Proof
    now: datetime

    @property
    def has_stages(self) -> bool:
        """Whether it has to show evidence on the way."""
        return self.trigger == "BetterPlan" and asks_for_evidence(self.outlook)


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
        proof=proof_of(outlook, stable, canary, now) if canary else _unasked(outlook, configuration),
        now=now,
    )
    step = next_step(_situation(move))
    if step.phase is Phase.SHARING and move.number == 0:
        move = replace(move, number=1)
    rollout = _advanced(move, step)
    return _promoted(move, step, rollout) if step.phase is Phase.PROMOTED else _beside(move, step, rollout)


def _beside(move: _Move, step: Step, rollout: RolloutStatus) -> Course:
    """Return both variants as a step wants them; until what serves has to make room it may also grow with the load."""
    outlook, stable = move.outlook, move.stable
    old, follow = step.old, None
    if step.old == stable.replicas:
        more = step.new - (move.canary.replicas if move.canary else 0)
        old, follow = grown(outlook, stable, (move.configuration, more), move.now)
    variants = [again(outlook, stable, old)]
    if step.new:
        canary = WantedVariant(hash=move.variant.hash, role="Canary", replicas=step.new, objects=move.variant.objects)
        variants.append(canary)
    asked = move.proof.questions if isinstance(move.proof, Waiting) else None
    begun = () if move.canary or not step.new else (_begun(describe(move.configuration), rollout),)
    return Course(
        variants=tuple(variants),
        service=None if step.shared else stable.hash,
        rollout=rollout,
        scaling=waiting(follow) if follow else None,
        hold=_hold(move, step),
        asked=asked,
        news=(*begun, *(asked.news if asked else ()), *_shown(move)),
        look_again=CALM if step.phase is Phase.SHARING or not step.new else WATCHING,
    )


def _hold(move: _Move, step: Step) -> Hold | None:
    if step.phase is Phase.BLOCKED:
        return Hold(reason=Reason.NO_SPARE_GPU, message=_no_spare(move.configuration.accelerator))
    return move.proof.hold if step.phase is Phase.EVALUATING and isinstance(move.proof, Waiting) else None


def _unasked(outlook: Outlook, configuration: Configuration) -> Proof:
    """Return whether a variant that does not exist yet may answer clients."""
    if not alters_answers(outlook.request, configuration):
        return Harmless()
    return Waiting(hold=Hold(reason=Reason.EVALUATION_RUNNING, message="the new variant is asked once it is ready"))


def _shown(move: _Move) -> tuple[News, ...]:
    """Tell once that answers are no worse."""
    if not isinstance(move.proof, Harmless) or last_rollout(move.outlook).phase != Phase.EVALUATING:
        return ()
    return (
        News(type=EventType.NORMAL, reason=Reason.QUALITY_PROVEN, note=f"{move.variant.hash}: {move.proof.message}"),
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
        rollout=rollout.model_copy(
            update={**ENDED, **_remembered(move), "phase": STEADY, "last_change_at": now, "message": ""}
        ),
        receipt=receipt_of(rollout, (stable.configuration, before), (move.configuration, after), _proof(move), now),
        news=(
            *_shown(move),
            News(type=EventType.NORMAL, reason=Reason.PROMOTED, note=f"{after} serves instead of {before}"),
        ),
        look_again=WATCHING,
    )


def _remembered(move: _Move) -> Mapping[str, object]:
    """Return what status keeps of what served: to go back to it, or not to try it again."""
    before = move.stable.configuration if move.trigger == "BetterPlan" else None
    kept = {"restores": configuration_to_json(before) if before else ""}
    if move.trigger != "DidNotSave":
        return kept
    return kept | {"rejected": with_rejected(move.outlook, move.stable, Reason.CHANGE_DID_NOT_SAVE)}


def _proof(move: _Move) -> str:
    counted = move.proof.message.partition(":")[0] if isinstance(move.proof, Harmless) else ""
    asked = f"{counted}; " if counted else ""
    return f"{asked}{_stages_shown(move)}all replicas ready"


def _stages_shown(move: _Move) -> str:
    if not move.has_stages:
        return ""
    costs = costs_told(move.outlook, move.canary, move.stable) if move.canary else ""
    return f"kept its objectives beside what served in {move.number - 1} stage(s){costs and f', {costs}'}; "


def _situation(move: _Move) -> Situation:
    outlook, stable, canary = move.outlook, move.stable, move.canary
    wanted = max(bounded(replacing(outlook, stable, move.configuration, move.trigger), outlook.bounds), 1)
    rollout = outlook.snapshot.policy.spec.rollout
    staged = stages(wanted, parse_ratio(rollout.canary.step)) if move.has_stages else ()
    sized, harmless = running_target(outlook, stable), isinstance(move.proof, Harmless)
    first = staged[0] if staged else 1
    stage = staged[min(max(move.number, 1), len(staged)) - 1] if staged else wanted
    return Situation(
        old=stable.replicas,
        old_ready=stable.ready,
        new=canary.replicas if canary else 0,
        new_ready=canary.ready if canary else 0,
        wanted=wanted,
        spare=outlook.spare_replicas(move.configuration),
        one_less_carries=isinstance(sized, Target) and _carries(outlook, sized, stable.replicas - 1),
        allow_downtime=rollout.allow_downtime,
        stage=stage if harmless else first,
        proven=move.number > len(staged) or not staged,
        sharing=move.number > 0,
        harmless=harmless,
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
