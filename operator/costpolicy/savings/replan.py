"""What something would save: the cheapest plan with it and without it, in money and in capacity.

Accelerators are paid by the hour, so work that is not done saves money only where the cheapest plan gets smaller; the
capacity that it frees is told beside that.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from costpolicy.api.missing import Missing
from costpolicy.api.policy import CostPolicySpec
from costpolicy.api.reasons import Reason
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engines import Engine
from costpolicy.planning.demand import Demand
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.plan import Target
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest
from costpolicy.units import ZERO, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What is saved a month (0 where no accelerator goes), and how many accelerators' worth of work is not done any more."""

    per_month: Money
    accelerators_freed: float


class Pricing(Protocol):
    """What plans cost."""

    def cost_per_hour(self, demand: Demand) -> Money | Missing:
        """Return the cost of the cheapest plan for a demand."""

    def saving(self, before: Demand, after: Demand) -> Saving | Missing:
        """Return what it saves when one demand becomes another."""

    def saving_of_steps(self, demand: Demand, share: Fraction) -> Saving | Missing:
        """Return what it saves when every step takes a share (below 1) less than now: something was switched off."""

    def saving_of_release(self, demand: Demand, old: Engine, new: Engine) -> Saving | Missing:
        """Return what it saves that one release of the engine can do what another cannot; both are as fast by the model."""


class Replanner:
    """Plans for the same policy, whatever is asked of it; each question is answered once."""

    def __init__(self, request: PlanRequest) -> None:
        self._request = request
        self._answers: list[tuple[PlanRequest, Target | Missing]] = []

    def target(self, demand: Demand, spec: CostPolicySpec | None = None) -> Target | Missing:
        """Return the cheapest plan for a demand, also for another text of the policy."""
        return self._planned(replace(self._request, demand=demand, spec=spec or self._request.spec))

    def cost_per_hour(self, demand: Demand) -> Money | Missing:
        """See :class:`Pricing`."""
        found = self.target(demand)
        return found if isinstance(found, Missing) else found.cost_per_hour

    def saving(self, before: Demand, after: Demand) -> Saving | Missing:
        """See :class:`Pricing`."""
        return self._saving(replace(self._request, demand=before), replace(self._request, demand=after))

    def saving_of_steps(self, demand: Demand, share: Fraction) -> Saving | Missing:
        """See :class:`Pricing`."""
        asked = replace(self._request, demand=demand)
        return self._saving(*with_and_without(asked, share))

    def saving_of_release(self, demand: Demand, old: Engine, new: Engine) -> Saving | Missing:
        """See :class:`Pricing`."""
        asked = replace(self._request, demand=demand)
        return self._saving(replace(asked, engine=old), replace(asked, engine=new))

    def _planned(self, request: PlanRequest) -> Target | Missing:
        for asked, answer in self._answers:
            if asked == request:
                return answer
        found = plan(request)
        answer = found.target or _no_plan(found.infeasible.message if found.infeasible else "")
        self._answers.append((request, answer))
        return answer

    def _saving(self, before: PlanRequest, after: PlanRequest) -> Saving | Missing:
        now, then = self._planned(before), self._planned(after)
        if isinstance(now, Missing):
            return now
        if isinstance(then, Missing):
            return then
        less = Money(max(now.cost_per_hour.micros - then.cost_per_hour.micros, 0))
        # Less work is counted on the accelerators that do it; another engine may only be better on others.
        freed = _busy(now, before) - _busy(now if before.engine == after.engine else then, after)
        return Saving(per_month=less.monthly(), accelerators_freed=round(max(freed, 0.0), 3))


def with_and_without(request: PlanRequest, share: Fraction) -> tuple[PlanRequest, PlanRequest]:
    """Return the question with something that makes every step longer, and without it: steps a share (below 1) shorter.

    What was measured of the deployment was measured with it, so steps get shorter than that; what is only predicted is
    predicted of an engine without it, so steps are longer with it.
    """
    left = float(1 - share)
    if request.calibration is not None and request.calibration.calibration.samples:
        return request, replace(request, step_factor=request.step_factor * left)
    return replace(request, step_factor=request.step_factor / left), request


def nothing_saved() -> Saving:
    """Return that nothing is saved."""
    return Saving(per_month=ZERO, accelerators_freed=0.0)


def _busy(target: Target, request: PlanRequest) -> float:
    """Return how many accelerators of a configuration the demand of a question keeps busy, in fractions."""
    configuration = target.configuration
    replica = Evaluation(request).replica(configuration, accelerators()[configuration.accelerator])
    capacity, rate = replica.capacity.requests_per_second, request.demand.requests_per_second
    return rate / capacity * configuration.accelerators_per_replica if capacity > 0 else 0.0


def _no_plan(why: str) -> Missing:
    return Missing(reason=Reason.INFEASIBLE, message=f"there is no plan to compare with: {why}")
