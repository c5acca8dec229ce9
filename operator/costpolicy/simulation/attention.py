"""An operator that is only asked when its answer may have changed.

A real operator looks at each policy twice a minute, and nearly always finds nothing to do; in a week that is twenty
thousand looks.  Here a look is left out if the last one changed nothing and everything that it depended on is the same:
the cluster, prices, and what the metrics amount to (demand in the two digits that are planned for, objectives kept or
not, recorded hours).  While something depends on time (a change under way, a hold), every look is taken.
Where the load moves, or replicas wait for their stabilization time, the replica loop is asked by itself: while it would do
and remember nothing else, the rest is not looked at.
So decisions are the same and come at the same times; only the traffic that status shows, of now and expected, may be older.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from costpolicy.api.conditions import ConditionType, find
from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.api.reasons import Reason
from costpolicy.api.status import CostPolicyStatus
from costpolicy.api.types import CapacityType
from costpolicy.catalog.prices import PriceList
from costpolicy.kube.gateway import Gateway
from costpolicy.observe.ahead import Rises
from costpolicy.observe.observation import PolicyObservation
from costpolicy.observe.source import MetricsSource
from costpolicy.planning.demand import Demand
from costpolicy.reconcile.ahead import expected_rate
from costpolicy.reconcile.budget import monthly_budget, recorded_month
from costpolicy.reconcile.course import CALM, STEADY
from costpolicy.reconcile.demand import Demands, demands
from costpolicy.reconcile.fleet import Fleet, FleetWatch
from costpolicy.reconcile.inputs import Inputs
from costpolicy.reconcile.outlook import Outlook, look_ahead
from costpolicy.reconcile.reconciler import Reconciler
from costpolicy.reconcile.saturation import ENOUGH
from costpolicy.reconcile.snapshot import MetricsDown
from costpolicy.reconcile.steady import follow_load, waiting
from costpolicy.reconcile.unscraped import scrapable, with_unscraped
from costpolicy.rollout.standby import FORGOTTEN
from costpolicy.rollout.windows import Bounds, inside_window, replica_bounds
from costpolicy.savings.month import hourly_ceiling, month_of, stretch_of
from costpolicy.simulation.serving import Key
from costpolicy.simulation.world import World, has_prices_to_come
from costpolicy.units import parse_duration

_LASTING: Final = (Reason.STEADY, Reason.SAVING_TOO_SMALL, Reason.DOES_NOT_PAY_BACK, Reason.ROLLED_BACK)
"""Holds that no time ends."""

_SHOWN: Final = (
    *("observed", "calibration", "target", "recommended", "uncapped_target", "playbook", "playbook_saves_per_month"),
    *("current", "spending", "scaling"),
)
"""Fields of a status that say what was found, and that no decision is made on; see ``_decided``."""


@dataclass(frozen=True, slots=True)
class _Grounds:
    """What a look depended on; equal grounds have equal answers.

    Attributes:
        moves: of the store; a version of everything in the cluster but what policies' status says.
        others: which policies change beside it.
        load: that replicas follow, of now and with what is expected on top of it.
        amounts: what the metrics amount to beside that.
        calendar: bounds of schedules, and whether a window is open.
        now, rises: of which ``load`` is made.
    """

    moves: int
    others: object
    prices: PriceList
    load: object
    amounts: object
    calendar: object
    now: Demand | None = field(compare=False)
    rises: Rises = field(compare=False)


class AttentiveOperator:
    """The real reconciler in a world, looking when there is something to see.

    ``gateway`` and ``metrics`` stand between it and the world; by default nothing does.
    """

    def __init__(self, world: World, gateway: Gateway | None = None, metrics: MetricsSource | None = None) -> None:
        self._world = world
        self._gateway = gateway or world.gateway
        self._watch = FleetWatch(self._gateway, metrics or world.metrics, world.clock, world.settings)
        self._reconciler = Reconciler(self._gateway, self._watch, world.clock, world.defaults)
        self._settled: dict[Key, tuple[object, _Grounds]] = {}
        self._outlooks: dict[Key, Outlook] = {}

    def reconcile(self, namespace: str, name: str) -> timedelta | None:
        """Look at a policy, or see that nothing can have changed."""
        key = (namespace, name)
        known = self._settled.pop(key, None)
        if known is not None and self._unchanged(key, *known):
            return CALM
        self._outlooks.pop(key, None)
        before, writes = self._gateway.policy(namespace, name), self._world.store.writes
        again = self._reconciler.reconcile(namespace, name)
        policy = self._gateway.policy(namespace, name)
        if isinstance(policy, CostPolicy) and isinstance(before, CostPolicy) and _is_calm(policy):
            written = self._world.store.writes - writes
            if not written or (written == 1 and _decided(policy) == _decided(before)):
                self._settled[key] = (self._revision(policy), self._grounds(policy))
        return again

    def _unchanged(self, key: Key, revision: object, grounds: _Grounds) -> bool:
        """Return whether the grounds of the last look still hold; the revision, which is cheap, is asked first."""
        policy = self._gateway.policy(*key)
        if not isinstance(policy, CostPolicy):
            return False
        newest, moved = self._revision(policy), False
        if newest != revision:
            found = self._grounds(policy)
            if replace(found, load=grounds.load) != grounds:
                return False
            moved = found.load != grounds.load
            grounds = found
        if (moved or _waits(policy)) and not self._keeps_replicas(key, policy, grounds):
            return False
        self._settled[key] = (newest, grounds)
        return True

    def _keeps_replicas(self, key: Key, policy: CostPolicy, grounds: _Grounds) -> bool:
        """Return whether the replica loop would keep what runs and wait for what it waits for, and nothing else does."""
        outlook = self._outlook(key, policy)
        stable = outlook.snapshot.live.stable if outlook else None
        if outlook is None or stable is None or self._watch.look().ledgers.of(*key) is not None:
            return False
        observed = outlook.snapshot.observed
        if isinstance(observed, PolicyObservation):
            observed = replace(observed, rises=grounds.rises)
        outlook = replace(
            outlook,
            demands=replace(outlook.demands, now=grounds.now),
            snapshot=replace(outlook.snapshot, observed=observed),
        )
        step = follow_load(outlook, stable, self._world.clock.now())
        return step.replicas == stable.replicas and waiting(step) == (policy.status and policy.status.scaling)

    def _outlook(self, key: Key, policy: CostPolicy) -> Outlook | None:
        """Return the outlook since the last look: only the load that replicas follow has changed since."""
        if key not in self._outlooks:
            snapshot = self._reconciler.gather(policy, self._watch.look())
            if not isinstance(snapshot.inputs, Inputs):
                return None
            self._outlooks[key] = look_ahead(snapshot, snapshot.inputs, self._world.clock.now())
        return self._outlooks[key]

    def _revision(self, policy: CostPolicy) -> object:
        """Return a value that is equal only while nothing at all has changed."""
        now, world = self._world.clock.now(), self._world
        books = (book for book in self._gateway.price_books() if isinstance(book, PriceBook))
        changing = any(has_prices_to_come(book, now) for book in books)
        return (
            world.store.moves,
            self._others(policy),
            world.metrics.revision((policy.metadata.namespace, policy.metadata.name), now),
            now if changing else None,
            _calendar(policy, now),
        )

    def _others(self, policy: CostPolicy) -> object:
        """Return in which phase the other policies are: how many may change at once is limited."""
        everyone = (each for each in self._gateway.policies() if isinstance(each, CostPolicy))
        return [
            (each.key, each.status.rollout.phase)
            for each in everyone
            if each.key != policy.key and each.status is not None and each.status.rollout is not None
        ]

    def _grounds(self, policy: CostPolicy) -> _Grounds:
        fleet = self._watch.look()
        observed = _observed(policy, fleet)
        now, rises, amounts = _weighed(policy, observed, fleet)
        return _Grounds(
            moves=self._world.store.moves,
            others=self._others(policy),
            prices=fleet.prices,
            load=None if now is None else (now, [expected_rate(now, rise) for rise in rises.values()]),
            amounts=amounts,
            calendar=_calendar(policy, self._world.clock.now()),
            now=now,
            rises=rises,
        )


def _weighed(
    policy: CostPolicy, observed: PolicyObservation | MetricsDown, fleet: Fleet
) -> tuple[Demand | None, Rises, object]:
    """Return the load of now, what is expected on top of it, and what the metrics amount to beside that."""
    if isinstance(observed, MetricsDown):
        return None, {}, observed
    load, window = demands(policy.spec, observed), parse_duration(policy.spec.measurement.window)
    return load.now, observed.rises, (_amounts(policy, observed, load), fleet.caveat(window))


def _observed(policy: CostPolicy, fleet: Fleet) -> PolicyObservation | MetricsDown:
    """Return what is seen of a policy, engines that are not scraped included."""
    observations, key = fleet.observations, (policy.metadata.namespace, policy.metadata.name)
    if isinstance(observations, MetricsDown):
        return observations
    pods = fleet.capacity.pods_of(*key)
    return with_unscraped(observations.of(*key), scrapable(pods, fleet.at, fleet.rate_window))


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


def _calendar(policy: CostPolicy, now: datetime) -> object:
    scaling, windows = policy.spec.scaling, policy.spec.rollout.maintenance_windows
    passing = _money(policy, now), _remembers(policy, now)
    if not scaling.schedules and not windows:
        return passing
    default = Bounds(minimum=scaling.min_replicas, maximum=scaling.max_replicas)
    return passing, replica_bounds(scaling.schedules, default, now), inside_window(windows, now)


def _money(policy: CostPolicy, now: datetime) -> object:
    """Return what of a policy's passing moves with the time alone: the month, and what a budget leaves of it."""
    spending, monthly = policy.status.spending if policy.status else None, monthly_budget(policy.spec)
    begin, _ = month_of(now)
    if spending is None or monthly is None:
        return begin
    month = recorded_month(spending)
    return begin, stretch_of(now), hourly_ceiling(monthly, month, now) if month.until >= begin else None


def _remembers(policy: CostPolicy, now: datetime) -> bool:
    """Return whether a loss of Spot capacity is still remembered."""
    standby = policy.status.standby if policy.status else None
    return standby is not None and now < standby.changed_at + FORGOTTEN


def _decided(policy: CostPolicy) -> object:
    """Return what status says but for what no further look depends on.

    That is what it only shows: of traffic, of plans, of what runs and of the month, whose ceiling is among the grounds; and
    what replicas wait for, which the replica loop is asked at every step.  On Spot how many were ready tells what was lost.
    """
    status = policy.status
    if status is None:
        return None
    shown: dict[str, object] = dict.fromkeys(_SHOWN)
    if status.current is not None and status.current.capacity_type != CapacityType.SPOT:
        shown["variants"] = bool(status.variants)
    return status.model_copy(update=shown)


def _stands_in(status: CostPolicyStatus) -> bool:
    """Return whether something stands in for Spot capacity, or will in a moment."""
    lost = status.standby is not None and status.standby.lost > 0
    return lost or any(one.role == "Standby" and one.replicas for one in status.variants)


def _waits(policy: CostPolicy) -> bool:
    """Return whether replicas wait for their stabilization time."""
    return policy.status is not None and policy.status.scaling is not None


def _is_calm(policy: CostPolicy) -> bool:
    """Return whether nothing of a policy but its replicas waits for a time."""
    status = policy.status
    if status is None or _stands_in(status) or status.rollout is None or status.rollout.phase != STEADY:
        return False
    blocked = find(status.conditions, ConditionType.ROLLOUT_BLOCKED)
    return blocked is not None and blocked.reason in _LASTING
