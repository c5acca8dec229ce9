"""The conditions of a decision: what the policy's owner, kstatus and the on-call engineer are told."""

from dataclasses import dataclass
from functools import partial

from costpolicy.api.conditions import Condition, ConditionType, condition
from costpolicy.api.evaluated import QualityStatus
from costpolicy.api.reasons import Reason
from costpolicy.api.types import RolloutMode
from costpolicy.api.validation import Problem
from costpolicy.observe.observation import PolicyObservation
from costpolicy.observe.source import Missing
from costpolicy.planning.plan import Plan
from costpolicy.reconcile.autoscaling import scaling_conditions
from costpolicy.reconcile.budget import Spending, within_budget
from costpolicy.reconcile.course import Course
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.quality import quality_condition
from costpolicy.reconcile.snapshot import MetricsDown, Snapshot
from costpolicy.rollout.transition import Phase
from costpolicy.units import Money, parse_duration

_INTER_TOKEN = "inter-token latency"  # noqa: S105 - a token of text
_ADVICE_ONLY = (RolloutMode.OFF, RolloutMode.RECOMMEND)
_ORDINARY = (
    Reason.SAVING_TOO_SMALL,
    Reason.DOES_NOT_PAY_BACK,
    Reason.IN_TRANSITION,
    Reason.OTHERS_CHANGING,
    Reason.REVALIDATING,
    Reason.SPOT_LOST,
    Reason.EVALUATION_RUNNING,
    Reason.QUALITY_INFERIOR,
)
"""Holds that end by themselves, or that nobody would want to end: no reason to look."""
_PHASES = {
    Phase.SURGING.value: Reason.SURGING,
    Phase.EVALUATING.value: Reason.EVALUATION_RUNNING,
    Phase.SHARING.value: Reason.SHARING,
    Phase.REPLACING.value: Reason.REPLACING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the conditions are about; ``course`` is ``None`` in modes that only advise."""

    snapshot: Snapshot
    plan: Plan
    course: Course | None
    cost_per_hour: Money | Missing
    spending: Spending
    quality: QualityStatus | None


def conditions(answer: Answer) -> tuple[Condition, ...]:
    """Return every condition, without transition times."""
    generation = answer.snapshot.policy.metadata.generation
    found = (
        *_summary(answer),
        _metrics(answer.snapshot),
        _objectives(answer.snapshot),
        within_budget(answer.snapshot.policy.spec, answer.plan, answer.cost_per_hour, answer.spending),
        quality_condition(answer.snapshot, answer.quality),
        *_rollout(answer),
        *(scaling_conditions(answer.snapshot) if answer.course else ()),
    )
    return tuple(one.model_copy(update={"observed_generation": generation}) for one in found)


def stalled(problem: Problem, snapshot: Snapshot) -> tuple[Condition, ...]:
    """Return the conditions of a policy that only its owner can mend; what serves keeps it Ready."""
    generation = snapshot.policy.metadata.generation
    stable = snapshot.live.stable
    serving = stable is not None and stable.ready > 0
    note = f"what served before still does; {problem.message}" if serving else problem.message
    found = (
        condition(ConditionType.READY, serving, Reason.SERVING if serving else problem.reason, note),
        condition(ConditionType.RECONCILING, False, problem.reason),
        condition(ConditionType.STALLED, True, problem.reason, problem.message),
        _metrics(snapshot),
    )
    return tuple(one.model_copy(update={"observed_generation": generation}) for one in found)


def _summary(answer: Answer) -> tuple[Condition, Condition, Condition]:
    stable = answer.snapshot.live.stable
    if answer.snapshot.mode in _ADVICE_ONLY or (answer.plan.infeasible and stable is None):
        return _advice(answer)
    return _serving(answer, stable)


def _advice(answer: Answer) -> tuple[Condition, Condition, Condition]:
    plan = answer.plan
    if plan.infeasible is None:
        return (
            condition(ConditionType.READY, True, Reason.PLANNED, _planned(answer)),
            condition(ConditionType.RECONCILING, False, Reason.PLANNED),
            condition(ConditionType.STALLED, False, Reason.PLANNED),
        )
    reason = plan.infeasible.reason
    message = plan.infeasible.message
    return (
        condition(ConditionType.READY, False, reason, message),
        condition(ConditionType.RECONCILING, False, reason),
        condition(ConditionType.STALLED, True, reason, message),
    )


def _planned(answer: Answer) -> str:
    """Return what a plan is worth to the owner of a Deployment that is only advised on; others see it in ``target``."""
    target, cost, currency = answer.plan.target, answer.cost_per_hour, answer.snapshot.prices.currency
    if answer.snapshot.policy.spec.target_ref is None or target is None or isinstance(cost, Missing):
        return "a plan exists"
    best = min(filter(None, (target, answer.plan.recommended)), key=lambda one: one.compared_cost)
    if best.cost_per_hour >= cost:
        return f"what runs costs {cost.text(2)} {currency} an hour, and no plan costs less"
    proof = "" if best is target else "; it can alter answers, so prove quality first"
    proof += " (for one request at a time, which is assumed)" if answer.plan.demand.assumed else ""
    return (
        f"what runs costs {cost.text(2)} {currency} an hour, a plan {best.cost_per_hour.text(2)}: "
        f"{(cost - best.cost_per_hour).monthly().text(2)} a month less; costpolicy render --patch prints the change{proof}"
    )


def _serving(answer: Answer, stable: LiveVariant | None) -> tuple[Condition, Condition, Condition]:
    ready = _ready(answer, stable)
    course = answer.course
    owed = course is not None and course.rollout is not None and course.rollout.trigger == "SpecChange"
    stuck = _stuck(answer) if owed else None
    waiting = ready.status != "True" and not _acted_before(answer.snapshot)
    reconciling = (owed or waiting) and stuck is None
    message = "the current generation is being rolled out" if reconciling else ""
    reason = Reason.PROGRESSING if reconciling else Reason(ready.reason)
    return (
        ready,
        condition(ConditionType.RECONCILING, reconciling, reason, message),
        stuck or condition(ConditionType.STALLED, False, reason),
    )


def _ready(answer: Answer, stable: LiveVariant | None) -> Condition:
    course = answer.course
    wanted = course.variants[0].replicas if course and course.variants else 0
    promised = min(answer.snapshot.policy.spec.objectives.availability.min_ready_replicas, wanted)
    ready = sum(variant.ready for variant in answer.snapshot.live.variants)
    if stable is not None and wanted == 0:
        return condition(ConditionType.READY, True, Reason.SCHEDULED_TO_ZERO, "a schedule wants no replica now")
    if stable is not None and ready >= promised:
        return condition(ConditionType.READY, True, Reason.SERVING, f"at least {promised} replica(s) ready")
    reason, message = _not_ready(stable, ready, promised)
    return condition(ConditionType.READY, False, reason, message)


def _stuck(answer: Answer) -> Condition | None:
    """Return why the user's edit cannot be carried out without the user: no plan for it, or its variant failed."""
    infeasible, hold = answer.plan.infeasible, answer.course.hold if answer.course else None
    if infeasible is not None:
        reason = infeasible.reason
        return condition(ConditionType.STALLED, True, reason, f"the last edit has no plan: {infeasible.message}")
    if hold is not None and hold.reason == Reason.ROLLED_BACK:
        return condition(ConditionType.STALLED, True, Reason.ROLLED_BACK, f"the last edit failed: {hold.message}")
    return None


def _acted_before(snapshot: Snapshot) -> bool:
    """Return whether this generation was Ready once: what happens later is not the work on a new generation."""
    status = snapshot.policy.status
    if status is None or status.observed_generation != snapshot.policy.metadata.generation:
        return False
    ready = next((one for one in status.conditions if one.type == ConditionType.READY), None)
    reconciling = next((one for one in status.conditions if one.type == ConditionType.RECONCILING), None)
    was_ready = ready is not None and ready.status == "True" and ready.observed_generation == status.observed_generation
    return was_ready or (reconciling is not None and reconciling.status == "False" and bool(status.variants))


def _not_ready(stable: LiveVariant | None, ready: int, promised: int) -> tuple[Reason, str]:
    count = f"{ready} of {promised} replica(s) ready"
    if stable is None or not stable.failure:
        return Reason.WAITING_FOR_REPLICAS, f"{count}; a large model takes minutes to load"
    if stable.unschedulable:
        return Reason.UNSCHEDULABLE, f"{count}: {stable.failure}"
    return Reason.ENGINE_DIED, f"{count}: {stable.failure}; see kubectl logs --previous"


def _metrics(snapshot: Snapshot) -> Condition:
    observed, caveat = snapshot.observed, snapshot.caveat
    if isinstance(observed, MetricsDown):
        return condition(ConditionType.METRICS_AVAILABLE, False, observed.reason, observed.message)
    for figure in (observed.requests_per_second, observed.prompt_tokens):
        if isinstance(figure, Missing):
            return condition(ConditionType.METRICS_AVAILABLE, False, figure.reason, figure.message)
    if caveat is not None:
        return condition(ConditionType.METRICS_AVAILABLE, False, caveat.reason, caveat.message)
    return condition(ConditionType.METRICS_AVAILABLE, True, Reason.METRICS_FOUND)


def _objectives(snapshot: Snapshot) -> Condition:
    observed, wanted = snapshot.observed, snapshot.policy.spec.objectives
    if isinstance(observed, MetricsDown):
        return condition(
            ConditionType.OBJECTIVES_MET, None, observed.reason, "latencies are not measured at the moment"
        )
    kept, speculating = [], _speculating(snapshot, observed)
    for name, objective, keeps in (
        ("TTFT", wanted.ttft, observed.keeps_ttft),
        (_INTER_TOKEN, wanted.inter_token_latency, partial(observed.keeps_inter_token, speculating=speculating)),
    ):
        if objective is None:
            continue
        answer = keeps(parse_duration(objective.p95))
        if isinstance(answer, Missing):
            return condition(ConditionType.OBJECTIVES_MET, None, answer.reason, f"{name}: {answer.message}")
        if not answer and name == _INTER_TOKEN and observed.only_steps(speculating):
            message = (
                f"{name}: no request finished of late, and with speculative decoding a step, which is what else is "
                f"measured, yields several tokens"
            )
            return condition(ConditionType.OBJECTIVES_MET, None, Reason.MEASURED_PER_STEP, message)
        if not answer:
            message = f"{name} p95 misses its objective of {objective.p95}"
            return condition(ConditionType.OBJECTIVES_MET, False, Reason.OBJECTIVE_MISSED, message)
        kept.append(f"{name} p95 keeps {objective.p95}")
    return condition(ConditionType.OBJECTIVES_MET, True, Reason.OBJECTIVES_KEPT, "; ".join(kept))


def _speculating(snapshot: Snapshot, observed: PolicyObservation) -> frozenset[str]:
    """Return the observed variants whose steps may yield several tokens: where one speculates, also what went lately."""
    known = {one.hash: one.configuration for one in snapshot.live.variants if one.configuration is not None}
    plain = {hash_ for hash_, configuration in known.items() if configuration.proposer is None}
    return frozenset(one.variant for one in observed.variants) - plain if len(plain) < len(known) else frozenset()


def _rollout(answer: Answer) -> tuple[Condition, Condition]:
    course = answer.course
    rollout = course.rollout if course else None
    under_way = rollout is not None and rollout.phase in _PHASES
    progress = condition(
        ConditionType.ROLLOUT_IN_PROGRESS,
        under_way,
        _PHASES[rollout.phase] if under_way and rollout else Reason.STEADY,
        "; ".join(filter(None, (rollout.message, rollout.evidence))) if under_way and rollout else "",
    )
    hold = course.hold if course else None
    if hold is None:
        return progress, condition(ConditionType.ROLLOUT_BLOCKED, False, Reason.STEADY)
    blocked = hold.reason not in _ORDINARY
    return progress, condition(ConditionType.ROLLOUT_BLOCKED, blocked, hold.reason, hold.message)
