"""The replica loop: what serves stays, and its replicas follow the load (minutes, stabilised)."""

from dataclasses import replace
from datetime import datetime, timedelta

from costpolicy.api.reasons import Reason
from costpolicy.api.status import RolloutStatus, ScalingStatus
from costpolicy.kube.gateway import EventType
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.demand import Demand
from costpolicy.planning.explain import describe
from costpolicy.planning.plan import Target
from costpolicy.planning.speculation import ordered
from costpolicy.reconcile.ahead import Ahead, ahead_of
from costpolicy.reconcile.autoscaling import Autoscaling, autoscaling_of
from costpolicy.reconcile.change import Keep
from costpolicy.reconcile.course import CALM, INFEASIBLE, STEADY, WATCHING, Course, WantedVariant, again, last_rollout
from costpolicy.reconcile.decision import News
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.outlook import Outlook
from costpolicy.rollout.replicas import Pending, ReplicaStep, bounded, next_replicas
from costpolicy.units import parse_duration


def begin(outlook: Outlook) -> Course:
    """Return the first deployment, or nothing where no plan is possible."""
    target = outlook.plan.target
    if target is None:
        return Course()
    variant = outlook.rendered(target)
    replicas = bounded(target.replicas, outlook.bounds)
    note = f"{describe(target.configuration, target.replicas)} for {target.cost_per_hour.text(2)} {outlook.request.currency} an hour"
    return Course(
        variants=(WantedVariant(hash=variant.hash, role="Stable", replicas=replicas, objects=variant.objects),),
        service=variant.hash,
        rollout=RolloutStatus(phase=STEADY, to_variant=variant.hash),
        news=(News(type=EventType.NORMAL, reason=Reason.PLANNED, note=note),),
        look_again=WATCHING,
    )


def steady(outlook: Outlook, stable: LiveVariant, keep: Keep, now: datetime) -> Course:
    """Return the stable variant with the replicas that the load needs."""
    step, coming = _followed(outlook, stable, now)
    return Course(
        variants=(again(outlook, stable, step.replicas),),
        service=stable.hash,
        rollout=last_rollout(outlook).model_copy(
            update={
                "phase": _waiting_for(keep) if keep.owed else STEADY,
                "trigger": "SpecChange" if keep.owed else "",
                "from_variant": "",
                "to_variant": stable.hash,
                "started_at": None,
                "proposed_variant": keep.proposed[0] if keep.proposed else "",
                "proposed_since": keep.proposed[1] if keep.proposed else None,
            }
        ),
        scaling=waiting(step),
        ahead=coming.status() if coming else None,
        hold=keep.hold,
        asked=keep.asked,
        news=(*_scaled(stable, step, outlook, coming), *(keep.asked.news if keep.asked else ())),
        look_again=min(step.look_again or CALM, CALM),
    )


def _waiting_for(keep: Keep) -> str:
    return keep.hold.reason if keep.hold else INFEASIBLE


def waiting(step: ReplicaStep) -> ScalingStatus | None:
    """Return what status has to remember of a step that waits for its stabilization time."""
    pending = step.pending
    return ScalingStatus(pending_replicas=pending.replicas, pending_since=pending.since) if pending else None


def follow_load(outlook: Outlook, stable: LiveVariant, now: datetime) -> ReplicaStep:
    """Return how many replicas of what serves the load needs, of now and of a rise that is due, stabilised."""
    step, _ = _followed(outlook, stable, now)
    return step


def _followed(outlook: Outlook, stable: LiveVariant, now: datetime) -> tuple[ReplicaStep, Ahead | None]:
    """Return the same, and the rise, where the operator itself says how many replicas run and it needs more than now."""
    led = autoscaling_of(outlook.snapshot)
    if stable.hash in led.led:
        return _led(outlook, stable, led), None
    wanted, coming = _wanted(outlook, stable), ahead_of(outlook, stable)
    if coming is not None and coming.replicas > wanted:
        wanted = coming.replicas
    else:
        coming = None
    if outlook.demands.doubtful:
        wanted = max(wanted, stable.replicas)
    scaling, status = outlook.snapshot.policy.spec.scaling, outlook.snapshot.policy.status
    remembered = status.scaling if status else None
    step = next_replicas(
        stable.replicas,
        bounded(wanted, outlook.bounds),
        Pending(replicas=remembered.pending_replicas, since=remembered.pending_since) if remembered else None,
        (parse_duration(scaling.stabilization.scale_up), parse_duration(scaling.stabilization.scale_down)),
        now,
    )
    return step, coming


def _led(outlook: Outlook, stable: LiveVariant, led: Autoscaling) -> ReplicaStep:
    """Return what an autoscaler runs.  Nights at 0, which it could not end, are the operator's; so are mornings."""
    if outlook.bounds.maximum == 0 and led.foreign is None:
        return ReplicaStep(replicas=0)
    if stable.replicas == 0:
        return ReplicaStep(replicas=bounded(_wanted(outlook, stable), outlook.bounds))
    return ReplicaStep(replicas=stable.replicas)


def _wanted(outlook: Outlook, stable: LiveVariant) -> int:
    """Return the replicas that the load needs.

    Without a measurement of the load, or without an answer to it, what runs is kept: nothing is taken away on doubt.
    Where the calibrated prediction has no answer, however many replicas, more may still be better: then the prediction
    alone says how many, and never fewer than run.
    """
    demand, configuration = outlook.demands.now, stable.configuration
    if demand is None or configuration is None:
        return max(stable.replicas, 1)
    sized = outlook.sized_while_it_serves(configuration, demand)
    if isinstance(sized, Target):
        most = _plain_replicas(outlook, configuration, demand)
        return sized.replicas if most is None else min(sized.replicas, max(most, stable.replicas))
    guessed = outlook.sized_by_prediction(configuration, demand)
    return max(stable.replicas, guessed.replicas if isinstance(guessed, Target) else 1)


def _plain_replicas(outlook: Outlook, configuration: Configuration, demand: Demand) -> int | None:
    """Return how many replicas would do without the speculation that nobody ordered, if some would.

    No more are added for it: where it needs more it is taken back, and meanwhile must not take the accelerators that its
    successor starts on.
    """
    if configuration.proposer is None or ordered(outlook.request):
        return None
    plain = outlook.sized(replace(configuration, proposer=None), demand)
    return plain.replicas if isinstance(plain, Target) else None


def _scaled(stable: LiveVariant, step: ReplicaStep, outlook: Outlook, coming: Ahead | None) -> tuple[News, ...]:
    if step.replicas == stable.replicas:
        return ()
    demand = outlook.demands.now
    load = f"{demand.requests_per_second:.3g} requests/s" if demand else "the policy's bounds"
    if coming is not None and step.replicas > stable.replicas:
        minutes = coming.within // timedelta(minutes=1)
        load = f"{coming.requests_per_second:.3g} requests/s, to which it rose within {minutes} minutes on days before"
    note = f"{stable.replicas} -> {step.replicas} replicas for {load}"
    return (News(type=EventType.NORMAL, reason=Reason.SCALED, note=note),)
