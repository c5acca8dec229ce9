"""What a look at a policy depended on: while it stays equal, another look would find nothing to do."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from costpolicy.api.policy import CostPolicy
from costpolicy.catalog.prices import PriceList
from costpolicy.observe.ahead import Rises
from costpolicy.observe.observation import PolicyObservation
from costpolicy.observe.source import Missing
from costpolicy.planning.demand import Demand
from costpolicy.reconcile.ahead import expected_rate
from costpolicy.reconcile.budget import monthly_budget, recorded_month
from costpolicy.reconcile.demand import Demands, demands
from costpolicy.reconcile.fleet import Fleet
from costpolicy.reconcile.saturation import ENOUGH
from costpolicy.reconcile.snapshot import MetricsDown
from costpolicy.reconcile.unscraped import scrapable, with_unscraped
from costpolicy.rollout.standby import FORGOTTEN
from costpolicy.rollout.windows import Bounds, inside_window, replica_bounds
from costpolicy.savings.month import hourly_ceiling, month_of, stretch_of
from costpolicy.simulation.metrics import Answered
from costpolicy.simulation.serving import Key
from costpolicy.units import parse_duration


class Revision(NamedTuple):
    """Equal only while nothing at all has changed."""

    moves: int
    others: object
    metrics: Answered
    prices: PriceList
    calendar: object


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a look depended on; equal grounds have equal answers.

    Attributes:
        moves: of the store; a version of everything in the cluster but what policies' status says.
        others: which policies change beside it.
        load: that replicas follow, of now and with what is expected on top of it.
        amounts: what the metrics amount to beside that.
        caveat: what limits them.
        calendar: bounds of schedules, and whether a window is open.
        now, rises: of which ``load`` is made.
        seen: what the metrics said.
    """

    moves: int
    others: object
    prices: PriceList
    load: object
    amounts: object
    caveat: Missing | None
    calendar: object
    now: Demand | None
    rises: Rises
    seen: PolicyObservation | MetricsDown

    @property
    def beside(self) -> object:
        """All but the load."""
        return self.moves, self.others, self.prices, self.amounts, self.caveat, self.calendar


def grounds_of(policy: CostPolicy, fleet: Fleet, seen: PolicyObservation | MetricsDown, revision: Revision) -> Grounds:
    """Return what a look depends on that finds a fleet and sees of a policy's metrics what is given, when the world is of a
    revision.
    """
    pods = fleet.capacity.pods_of(*key_of(policy))
    now, rises, amounts = _weighed(policy, seen, scrapable(pods, fleet.at, fleet.rate_window))
    return Grounds(
        moves=revision.moves,
        others=revision.others,
        prices=fleet.prices,
        load=_load(now, rises),
        amounts=amounts,
        caveat=fleet.caveat(parse_duration(policy.spec.measurement.window)),
        calendar=revision.calendar,
        now=now,
        rises=rises,
        seen=seen,
    )


def moved(policy: CostPolicy, grounds: Grounds, seen: PolicyObservation, engines: Mapping[str, int]) -> Grounds:
    """Return grounds of which nothing but what is seen of the metrics is another.

    Args:
        policy: whose grounds they are.
        grounds: before.
        seen: what the metrics say now.
        engines: that may have been scraped, by variant.
    """
    now, rises, amounts = _weighed(policy, seen, engines)
    return replace(grounds, load=_load(now, rises), amounts=amounts, now=now, rises=rises, seen=seen)


def _load(now: Demand | None, rises: Rises) -> object:
    return None if now is None else (now, [expected_rate(now, rise) for rise in rises.values()])


def _weighed(
    policy: CostPolicy, seen: PolicyObservation | MetricsDown, engines: Mapping[str, int]
) -> tuple[Demand | None, Rises, object]:
    """Return the load of now, what is expected on top of it, and what the metrics amount to beside that."""
    if isinstance(seen, MetricsDown):
        return None, {}, seen
    observed = with_unscraped(seen, engines)
    load = demands(policy.spec, observed)
    return load.now, observed.rises, _amounts(policy, observed, load)


def key_of(policy: CostPolicy) -> Key:
    """Return namespace and name of a policy."""
    return policy.metadata.namespace, policy.metadata.name


def _amounts(policy: CostPolicy, observed: PolicyObservation, load: Demands) -> object:
    objectives = policy.spec.objectives
    return (
        load.planning,
        load.doubtful,
        load.now is None,
        objectives.ttft and observed.keeps_ttft(parse_duration(objectives.ttft.p95)),
        objectives.inter_token_latency
        and observed.keeps_inter_token(parse_duration(objectives.inter_token_latency.p95)),
        observed.fresh,
        observed.pods_up,
        observed.windows,
        _enough(observed),
    )


def _enough(observed: PolicyObservation) -> object:
    """Return what saturated engines showed: how many minutes of it were seen only matters until they are enough."""
    return {kernels: replace(seen, minutes=min(seen.minutes, ENOUGH)) for kernels, seen in observed.saturations.items()}


def calendar_of(policy: CostPolicy, now: datetime) -> object:
    """Return what of a policy moves with the time alone."""
    scaling, windows = policy.spec.scaling, policy.spec.rollout.maintenance_windows
    passing = _money(policy, now), _remembers(policy, now)
    if not scaling.schedules and not windows:
        return passing
    default = Bounds(minimum=scaling.min_replicas, maximum=scaling.max_replicas)
    return passing, replica_bounds(scaling.schedules, default, now), inside_window(windows, now)


def _money(policy: CostPolicy, now: datetime) -> object:
    """Return what of a policy's passing moves with the time alone: the month, and what a budget leaves of it."""
    spending, monthly = policy.status.spending if policy.status else None, monthly_budget(policy.spec)
    if spending is None or monthly is None:
        return now.year, now.month
    month, (begin, _) = recorded_month(spending), month_of(now)
    return begin, stretch_of(now), hourly_ceiling(monthly, month, now) if month.until >= begin else None


def _remembers(policy: CostPolicy, now: datetime) -> bool:
    """Return whether a loss of Spot capacity is still remembered."""
    standby = policy.status.standby if policy.status else None
    return standby is not None and now < standby.changed_at + FORGOTTEN
