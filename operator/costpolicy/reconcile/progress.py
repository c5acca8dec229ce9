"""A change of configuration that is under way: its next step, its end, or its withdrawal."""

from datetime import datetime

from costpolicy.api.reasons import Reason
from costpolicy.api.status import Receipt, RolloutStatus
from costpolicy.kube.gateway import EventType, Object
from costpolicy.planning.explain import describe
from costpolicy.planning.plan import Target
from costpolicy.reconcile.change import Change, Keep, newly_edited, rollback_asked
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
from costpolicy.reconcile.steady import steady
from costpolicy.rollout.replicas import bounded
from costpolicy.rollout.transition import CRASH_LIMIT, UNSCHEDULABLE_LIMIT, Phase, Situation, Step, next_step
from costpolicy.rollout.verdict import Hold


def progress(
    outlook: Outlook, stable: LiveVariant, canary: LiveVariant | None, change: Change | None, now: datetime
) -> Course:
    """Return the next step of a change; ``canary`` is its variant, or ``None`` before it exists (then ``change``)."""
    configuration = canary.configuration if canary else change.target.configuration if change else None
    variant = outlook.rendered_again(canary) if canary else outlook.rendered(change.target) if change else None
    if configuration is None or variant is None:  # the canary's record was removed: it cannot be judged any more
        return steady(outlook, stable, Keep(), now)
    sized = outlook.sized(configuration, outlook.demands.now)
    wanted = bounded(sized.replicas if isinstance(sized, Target) else stable.replicas, outlook.bounds)
    step = next_step(
        _situation(outlook, stable, canary, max(wanted, 1), variant_size=configuration.accelerators_per_replica)
    )
    rollout = _advanced(outlook, (stable.hash, variant.hash), change, step, now)
    if step.phase is Phase.PROMOTED:
        return _promoted(outlook, stable, variant.hash, variant.objects, step, rollout, now)
    variants = [again(outlook, stable, step.old)]
    if step.new:
        variants.append(WantedVariant(hash=variant.hash, role="Canary", replicas=step.new, objects=variant.objects))
    blocked = (
        Hold(reason=Reason.NO_SPARE_GPU, message=_no_spare(configuration.accelerator))
        if step.phase is Phase.BLOCKED
        else None
    )
    begun = () if canary or not step.new else (_begun(describe(configuration), rollout),)
    return Course(
        variants=tuple(variants),
        service=None if step.shared else stable.hash,
        rollout=rollout,
        hold=blocked,
        news=begun,
        look_again=WATCHING if step.new else CALM,
    )


def _promoted(  # noqa: PLR0913 - the parts of one step
    outlook: Outlook,
    stable: LiveVariant,
    hash_: str,
    objects: tuple[Object, ...],
    step: Step,
    rollout: RolloutStatus,
    now: datetime,
) -> Course:
    new = outlook.snapshot.live.variant(hash_)
    before = describe(stable.configuration, stable.replicas) if stable.configuration else stable.hash
    after = describe(new.configuration, step.new) if new and new.configuration else hash_
    return Course(
        variants=(
            WantedVariant(hash=hash_, role="Stable", replicas=step.new, objects=objects),
            # The old one drains: it goes with the next decision, after the Service has named the new one.
            again(outlook, stable, stable.replicas, role="Retiring"),
        ),
        service=hash_,
        rollout=rollout.model_copy(
            update={"phase": STEADY, "trigger": "", "started_at": None, "last_change_at": now, "message": ""}
        ),
        receipt=Receipt(
            at=now,
            change=rollout.message or rollout.trigger,
            before=before,
            after=after,
            proof="all replicas ready",
        ),
        news=(News(type=EventType.NORMAL, reason=Reason.PROMOTED, note=f"{after} serves instead of {before}"),),
        look_again=WATCHING,
    )


def withdraw(
    outlook: Outlook, stable: LiveVariant, canary: LiveVariant, reason: tuple[Reason, str], now: datetime
) -> Course:
    """Return the course without the canary: the stable variant gets all traffic, and the failure is remembered."""
    word, message = reason
    rollout = last_rollout(outlook).model_copy(
        update={"phase": SUPERSEDED, "trigger": "SpecChange", "started_at": None}
    )
    if word != SUPERSEDED:
        rollout = rollout.model_copy(
            update={
                "phase": Reason.ROLLED_BACK,
                "last_change_at": now,
                "failed_variant": canary.hash,
                "failed_reason": word,
                "failed_generation": outlook.snapshot.policy.metadata.generation,
                "trigger": last_rollout(outlook).trigger,
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


def must_go(outlook: Outlook, canary: LiveVariant, now: datetime) -> tuple[Reason, str] | None:
    """Return why a canary is taken back: the user's word, its own failure, or a newer edit of the policy."""
    if rollback_asked(outlook.snapshot):
        return Reason.ROLLED_BACK, "the annotation costpolicy.dev/rollback=now took the change back"
    if canary.crashed and canary.restarts >= CRASH_LIMIT and not canary.ready:
        return Reason.ENGINE_DIED, f"{canary.failure}; see kubectl logs --previous"
    if canary.unschedulable and not canary.ready and now - canary.created >= UNSCHEDULABLE_LIMIT:
        return Reason.CANARY_UNSCHEDULABLE, canary.failure
    target = outlook.plan.target
    if target and newly_edited(outlook.snapshot) and outlook.rendered(target).hash != canary.hash:
        return SUPERSEDED, "the policy was edited again"
    return None


def _situation(
    outlook: Outlook, stable: LiveVariant, canary: LiveVariant | None, wanted: int, *, variant_size: int
) -> Situation:
    target = canary.configuration if canary else outlook.plan.target.configuration if outlook.plan.target else None
    supply = outlook.supply(target) if target else None
    spare = outlook.snapshot.capacity.spare_replicas(supply.offering, variant_size) if supply else 0
    sized = running_target(outlook, stable)
    return Situation(
        old=stable.replicas,
        old_ready=stable.ready,
        new=canary.replicas if canary else 0,
        new_ready=canary.ready if canary else 0,
        wanted=wanted,
        spare=spare,
        one_less_carries=isinstance(sized, Target) and _carries(outlook, sized, stable.replicas - 1),
        allow_downtime=outlook.snapshot.policy.spec.rollout.allow_downtime,
    )


def _carries(outlook: Outlook, sized: Target, replicas: int) -> bool:
    """Return whether that many replicas carry the demand; bounds of ``spec.scaling`` are a wish, not a promise."""
    promised = outlook.snapshot.policy.spec.objectives.availability.min_ready_replicas
    carried = sized.capacity_per_replica * replicas >= outlook.request.demand.requests_per_second
    return carried and replicas >= promised


def _advanced(
    outlook: Outlook, hashes: tuple[str, str], change: Change | None, step: Step, now: datetime
) -> RolloutStatus:
    before = last_rollout(outlook)
    going_on = before.to_variant == hashes[1] and before.started_at is not None
    return before.model_copy(
        update={
            "phase": str(step.phase),
            "trigger": change.trigger if change else before.trigger,
            "from_variant": hashes[0],
            "to_variant": hashes[1],
            "started_at": before.started_at if going_on else now,
            "phase_since": before.phase_since if going_on and before.phase == str(step.phase) else now,
            "message": change.message if change else before.message,
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
