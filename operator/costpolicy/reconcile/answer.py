"""The status of a decision: what is found, planned and done, in the API's words."""

from datetime import datetime

from costpolicy.api.conditions import ConditionType, condition, merge_conditions
from costpolicy.api.figures import Infeasible, LatencyFigures, PlanSummary, Prediction, TargetStatus
from costpolicy.api.reasons import Reason
from costpolicy.api.status import CostPolicyStatus, VariantStatus
from costpolicy.api.validation import Problem
from costpolicy.observe.source import Missing
from costpolicy.perf.latency import Quantiles
from costpolicy.planning.demand import Demand
from costpolicy.planning.plan import Target
from costpolicy.reconcile.acceptance import speculation_status
from costpolicy.reconcile.budget import asked_per_hour, spending_of, spending_status
from costpolicy.reconcile.calibration import calibration_status
from costpolicy.reconcile.conditions import Answer, conditions, stalled
from costpolicy.reconcile.course import Course
from costpolicy.reconcile.live import Live
from costpolicy.reconcile.measurement import Measurement, begun
from costpolicy.reconcile.observed import observed_traffic
from costpolicy.reconcile.outlook import Outlook
from costpolicy.reconcile.playbook import played
from costpolicy.reconcile.snapshot import Snapshot
from costpolicy.units import Money

MAX_HISTORY = 10


def answer(outlook: Outlook, course: Course | None, measured: Measurement, now: datetime) -> CostPolicyStatus:
    """Return the status that says what was decided and why."""
    snapshot, plan = outlook.snapshot, outlook.plan
    before = snapshot.policy.status or CostPolicyStatus()
    currency = snapshot.prices.currency
    cost = asked_per_hour(snapshot)
    found = conditions(
        Answer(
            snapshot=snapshot,
            plan=plan,
            course=course,
            cost_per_hour=cost,
            spending=outlook.spending,
            quality=outlook.findings.quality,
        )
    )
    if course is not None and course.receipt is not None:
        history = (course.receipt, *measured.history)[:MAX_HISTORY]
        measured = Measurement(status=begun(course.receipt), history=history)
    book = played(outlook)
    return CostPolicyStatus(
        observed_generation=snapshot.policy.metadata.generation,
        conditions=merge_conditions(before.conditions, found, now),
        current=_current(snapshot, cost),
        target=_target(plan.target, plan.demand, currency),
        recommended=_target(plan.recommended, plan.demand, currency),
        uncapped_target=_target(plan.uncapped, plan.demand, currency),
        infeasible=Infeasible(reason=plan.infeasible.reason, message=plan.infeasible.message)
        if plan.infeasible
        else None,
        why_not_cheaper=plan.why_not_cheaper,
        variants=_variants(snapshot, course),
        rollout=course.rollout if course else before.rollout,
        standby=course.standby if course else None,
        quality=outlook.findings.quality,
        scaling=course.scaling if course else None,
        ahead=course.ahead if course else None,
        observed=observed_traffic(snapshot.observed, before.observed, now),
        calibration=calibration_status(outlook.request.calibration),
        speculation=speculation_status(outlook.request),
        spending=spending_status(outlook.spending, currency),
        measurement=measured.status,
        playbook=book.rows,
        playbook_saves_per_month=book.together,
        history=measured.history,
    ).within_limit()


def stalled_answer(snapshot: Snapshot, problem: Problem, now: datetime) -> CostPolicyStatus:
    """Return the status of a policy that only its owner can mend; what it said about what runs stays."""
    before = snapshot.policy.status or CostPolicyStatus()
    return before.model_copy(
        update={
            "observed_generation": snapshot.policy.metadata.generation,
            "conditions": merge_conditions(before.conditions, stalled(problem, snapshot), now),
            "current": _current(snapshot, asked_per_hour(snapshot)),
            "variants": _variants(snapshot, None),
            "spending": spending_status(spending_of(snapshot, now), snapshot.prices.currency),
        }
    ).within_limit()


def unreadable_answer(generation: int, message: str, live: Live) -> CostPolicyStatus:
    """Return the status of a stored policy that no longer parses; without times, so that it is written once.

    What serves keeps it Ready, as for every policy that only its owner can mend.
    """
    serving = live.stable is not None and live.stable.ready > 0
    ready = Reason.SERVING if serving else Reason.INVALID_POLICY
    note = f"what served before still does; {message}" if serving else message
    told = (
        condition(ConditionType.READY, serving, ready, note, generation=generation),
        condition(ConditionType.STALLED, True, Reason.INVALID_POLICY, message, generation=generation),
    )
    return CostPolicyStatus(observed_generation=generation, conditions=told)


def _several(ranks: int) -> int | None:
    return ranks if ranks > 1 else None


def _current(snapshot: Snapshot, cost: Money | Missing) -> PlanSummary | None:
    stable = snapshot.live.stable
    if stable is None or stable.configuration is None:
        return None
    configuration = stable.configuration
    return PlanSummary(
        variant=stable.hash,
        accelerator=configuration.accelerator,
        capacity_type=configuration.capacity_type,
        accelerators_per_replica=configuration.accelerators_per_replica,
        tensor_parallel_size=configuration.tensor_parallel_size,
        data_parallel_size=_several(configuration.data_parallel_size),
        weights=configuration.weights,
        kv_cache_dtype=configuration.kv_cache_dtype,
        replicas=stable.replicas,
        ready_replicas=stable.ready,
        cost_per_hour=cost.text() if isinstance(cost, Money) else None,
        currency=snapshot.prices.currency,
    )


def _target(target: Target | None, demand: Demand, currency: str) -> TargetStatus | None:
    if target is None:
        return None
    configuration = target.configuration
    per_million = target.cost_per_million_tokens(demand)
    return TargetStatus(
        accelerator=configuration.accelerator,
        capacity_type=configuration.capacity_type,
        accelerators_per_replica=configuration.accelerators_per_replica,
        replicas=target.replicas,
        tensor_parallel_size=configuration.tensor_parallel_size,
        data_parallel_size=_several(configuration.data_parallel_size),
        weights=configuration.weights,
        kv_cache_dtype=configuration.kv_cache_dtype,
        max_num_seqs=configuration.max_num_seqs,
        max_num_batched_tokens=configuration.max_num_batched_tokens,
        cost_per_hour=target.cost_per_hour.text(),
        marginal_cost_per_hour=target.marginal_cost_per_hour.text(),
        cost_per_million_tokens=per_million.text() if per_million else None,
        currency=currency,
        assumed_traffic=demand.assumed,
        predicted=Prediction(
            ttft_seconds=_figures(target.predicted.ttft),
            inter_token_latency_seconds=_figures(target.predicted.inter_token),
            output_tokens_per_second=_rounded(target.predicted.output_tokens_per_second * target.replicas),
            kv_cache_tokens=int(target.memory.kv_cache_tokens),
            weights_bytes=int(target.memory.weights_bytes),
        ),
    )


def _figures(quantiles: Quantiles) -> LatencyFigures:
    return LatencyFigures(mean=_rounded(quantiles.mean), p50=_rounded(quantiles.p50), p95=_rounded(quantiles.p95))


def _rounded(value: float) -> float:
    """Return two significant digits: a prediction is not better than that, and status must not flutter."""
    return float(f"{value:.2g}")


def _variants(snapshot: Snapshot, course: Course | None) -> tuple[VariantStatus, ...]:
    if snapshot.policy.spec.target_ref is not None:
        return ()  # what runs is somebody else's
    stable = snapshot.live.stable
    roles = {wanted.hash: wanted.role for wanted in course.variants} if course else {}
    return tuple(
        VariantStatus(
            hash=variant.hash,
            template_revision=variant.record.template_revision if variant.record else 0,
            image=variant.image,
            replicas=variant.replicas,
            ready_replicas=variant.ready,
            role=roles.get(variant.hash, "Stable" if stable and variant.hash == stable.hash else "Retiring"),
        )
        for variant in snapshot.live.variants[-4:]
    )
