"""Conditions of a route: is it served, is it calibrated, does anything go to cheaper tiers, can every tier answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from costpolicy.api.conditions import Condition, ConditionType, condition, find
from costpolicy.api.reasons import Reason
from costpolicy.api.validation import Problem
from costpolicy.reconcile.routes.router_state import RouterState, Trouble
from costpolicy.reconcile.routes.tiers import ServedTier
from costpolicy.reconcile.routes.view import RouteView
from costpolicy.reconcile.snapshot import MetricsDown


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteAnswer:
    """What the conditions of a route are made of.

    Attributes:
        configuration: ConfigMap that the router is to have; empty: there is none to have.
        problem: what keeps the whole router from being as it should, and only the user can mend.
        metrics_down: why traffic cannot be read, if so.
        currency: of all prices.
    """

    view: RouteView
    state: RouterState
    trouble: Trouble
    configuration: str
    problem: Problem | None
    metrics_down: MetricsDown | None
    currency: str

    @property
    def stalled(self) -> Problem | None:
        """The gravest of what only the user can mend."""
        if self.problem is not None:
            return self.problem
        if self.view.problems:
            return self.view.problems[0]
        if self.trouble.secret:
            return Problem(reason=Reason.SECRET_MISSING, message=_missing_secret(self.view, self.trouble.secret))
        return None


def conditions(answer: RouteAnswer) -> tuple[Condition, ...]:
    """Return the conditions of a route, for its generation."""
    found = (
        *_summary(answer),
        _metrics(answer),
        _calibrated(answer.view),
        _routing(answer.view),
        _tiers_ready(answer.view),
        *_compressing(answer.view),
    )
    generation = answer.view.route.metadata.generation
    return tuple(one.model_copy(update={"observed_generation": generation}) for one in found)


def _summary(answer: RouteAnswer) -> tuple[Condition, Condition, Condition]:
    stalled, serving = answer.stalled, _serves(answer)
    waiting = None if serving else _waiting(answer)
    if waiting is None:
        note = f"the route is served all the same; {stalled.message}" if stalled else ""
        ready = condition(ConditionType.READY, True, Reason.SERVING, note)
    else:
        ready = condition(ConditionType.READY, False, waiting.reason, waiting.message)
    progress = waiting is not None and stalled is None
    return (
        ready,
        condition(ConditionType.RECONCILING, progress, Reason(ready.reason), ready.message if progress else ""),
        condition(
            ConditionType.STALLED,
            stalled is not None,
            stalled.reason if stalled else Reason(ready.reason),
            stalled.message if stalled else "",
        ),
    )


def _serves(answer: RouteAnswer) -> bool:
    """Return whether the router answers as this generation says; a change that comes from elsewhere leaves it so."""
    view, before = answer.view, answer.view.route.status
    if view.rendered is None or not answer.state.ready or all(tier.waiting for tier in view.served):
        return False
    ready = find(before.conditions, ConditionType.READY) if before else None
    acted = before is not None and before.observed_generation == view.route.metadata.generation
    return answer.state.serves(answer.configuration) or bool(acted and ready and ready.status == "True")


def _waiting(answer: RouteAnswer) -> Problem:
    """Return what an unserved route waits for."""
    trouble = answer.trouble
    if answer.stalled is not None:
        return answer.stalled
    if trouble.died:
        return Problem(reason=Reason.ROUTER_DIED, message=f"a router's container ended by itself: {trouble.died}")
    if trouble.unschedulable:
        message = f"a pod of the router finds no node: {trouble.unschedulable}"
        return Problem(reason=Reason.UNSCHEDULABLE, message=message)
    if answer.state.serves(answer.configuration):
        told = "; ".join(_unanswered(answer.view))
        return Problem(reason=Reason.TIER_NOT_READY, message=f"no tier can answer: {told}")
    return Problem(reason=Reason.WAITING_FOR_REPLICAS, message="the router's replicas start with the configuration")


def _missing_secret(view: RouteView, said: str) -> str:
    spec = view.route.spec
    refs = [tier.external.api_key_secret_ref for tier in spec.tiers if tier.external]
    refs += [spec.router.master_key_secret_ref, spec.router.database_secret_ref]
    refs += [tenant.key_secret_ref for tenant in spec.attribution.tenants]
    named = ", ".join(dict.fromkeys(f"{ref.name} ({ref.key})" for ref in refs if ref is not None))
    advice = f"; this route names {named}: create what is missing" if named else ""
    return f"the router's pods wait: {said}{advice}"


def _metrics(answer: RouteAnswer) -> Condition:
    down = answer.metrics_down
    if down is not None:
        return condition(ConditionType.METRICS_AVAILABLE, False, down.reason, down.message)
    if answer.view.spending.basis == "Seen":
        return condition(ConditionType.METRICS_AVAILABLE, True, Reason.METRICS_FOUND)
    message = "no token of this route was counted in the last day: shares are those that thresholds lead to expect"
    return condition(ConditionType.METRICS_AVAILABLE, False, Reason.NO_TRAFFIC, message)


def _calibrated(view: RouteView) -> Condition:
    distrusted = [one.distrust for one in view.thresholds if one.distrust is not None]
    if distrusted:
        return condition(ConditionType.CALIBRATED, False, distrusted[0].reason, distrusted[0].message)
    proven = "; ".join(f"{one.tier}: {one.proof.message}" for one in view.thresholds if one.proof)
    return condition(ConditionType.CALIBRATED, True, Reason.THRESHOLDS_PROVEN, proven)


def _routing(view: RouteView) -> Condition:
    routed = [f"{one.tier} below {_plain(one.below)}" for one in view.thresholds if one.below]
    if routed:
        message = f"{', '.join(routed)}; {view.trusted} all the rest"
        return condition(ConditionType.ROUTING, True, Reason.ROUTED, message)
    why = next((one.problem for one in view.thresholds if one.problem is not None), None)
    reason, because = (why.reason, f": {why.message}") if why else (Reason.CALIBRATION_MISSING, "")
    who = view.trusted or "no tier"
    return condition(ConditionType.ROUTING, False, reason, f"{who} answers everything{because}")


def _tiers_ready(view: RouteView) -> Condition:
    waiting = list(_unanswered(view))
    if not waiting:
        return condition(ConditionType.TIERS_READY, True, Reason.TIERS_ANSWER)
    unserved = next((tier.reason for tier in view.tiers.values() if isinstance(tier, Problem)), Reason.TIER_NOT_READY)
    return condition(ConditionType.TIERS_READY, False, unserved, "; ".join(waiting))


def _compressing(view: RouteView) -> Iterator[Condition]:
    found = view.compressing
    if found is None:
        return
    reason = found.problem.reason if found.problem else Reason.COMPRESSION_PROVEN
    yield condition(ConditionType.COMPRESSING, found.problem is None, reason, found.message)


def _unanswered(view: RouteView) -> Iterator[str]:
    instead = {tier.name: tier.fallbacks for tier in view.rendered.tiers} if view.rendered else {}
    able = {tier.name for tier in view.served if not tier.waiting}
    for name, tier in view.tiers.items():
        if isinstance(tier, Problem):
            yield tier.message
        elif tier.waiting:
            others = [other for other in instead.get(name, ()) if other in able]
            told = f"{others[0]} answers in its place" if others else "nobody answers in its place"
            yield f"tier {name}: {_called(tier)} is not ready ({tier.waiting}); {told}"


def _called(tier: ServedTier) -> str:
    return f"CostPolicy {tier.spec.policy_ref.name}" if tier.spec.policy_ref else tier.name


def _plain(share: Fraction | None) -> str:
    return f"{float(share or 0):g}"
