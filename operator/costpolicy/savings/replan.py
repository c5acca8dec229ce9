"""What something would save: the cheapest plan with it and without it, in money and in capacity.

Accelerators are paid by the hour, so work that is not done saves money only where the cheapest plan gets smaller; the
capacity that it frees is told beside that.
"""

from dataclasses import dataclass, replace
from typing import Protocol

from costpolicy.api.missing import Missing
from costpolicy.api.policy import CostPolicySpec
from costpolicy.api.reasons import Reason
from costpolicy.catalog.accelerators import accelerators
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


class Replanner:
    """Plans for the same policy, whatever is asked of it; each question is answered once."""

    def __init__(self, request: PlanRequest) -> None:
        self._request = request
        self._answers: list[tuple[PlanRequest, Target | Missing]] = []

    def target(self, demand: Demand, spec: CostPolicySpec | None = None) -> Target | Missing:
        """Return the cheapest plan for a demand, also for another text of the policy."""
        request = replace(self._request, demand=demand, spec=spec or self._request.spec)
        for asked, answer in self._answers:
            if asked == request:
                return answer
        found = plan(request)
        answer = found.target or _no_plan(found.infeasible.message if found.infeasible else "")
        self._answers.append((request, answer))
        return answer

    def cost_per_hour(self, demand: Demand) -> Money | Missing:
        """See :class:`Pricing`."""
        found = self.target(demand)
        return found if isinstance(found, Missing) else found.cost_per_hour

    def saving(self, before: Demand, after: Demand) -> Saving | Missing:
        """See :class:`Pricing`."""
        now, then = self.target(before), self.target(after)
        if isinstance(now, Missing):
            return now
        if isinstance(then, Missing):
            return then
        less = Money(max(now.cost_per_hour.micros - then.cost_per_hour.micros, 0))
        freed = self._busy(now, before) - self._busy(now, after)
        return Saving(per_month=less.monthly(), accelerators_freed=round(max(freed, 0.0), 3))

    def _busy(self, target: Target, demand: Demand) -> float:
        """Return how many accelerators of a configuration a demand keeps busy, in fractions."""
        configuration = target.configuration
        replica = Evaluation(replace(self._request, demand=demand)).replica(
            configuration, accelerators()[configuration.accelerator]
        )
        capacity = replica.capacity.requests_per_second
        return demand.requests_per_second / capacity * configuration.accelerators_per_replica if capacity > 0 else 0.0


def nothing_saved() -> Saving:
    """Return that nothing is saved."""
    return Saving(per_month=ZERO, accelerators_freed=0.0)


def _no_plan(why: str) -> Missing:
    return Missing(reason=Reason.INFEASIBLE, message=f"there is no plan to compare with: {why}")
