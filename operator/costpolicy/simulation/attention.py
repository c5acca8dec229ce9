"""An operator that is only asked when its answer may have changed.

A real operator looks at each policy twice a minute, and nearly always finds nothing to do; in a week that is twenty
thousand looks.  Here a look is left out if the last one changed nothing and everything that it depended on is the same:
the cluster, prices, and what the metrics amount to (demand in the two digits that are planned for, objectives kept or
not, recorded hours).  While something depends on time (a change under way, a hold), every look is taken.
Where the load moves, or replicas wait for their stabilization time, the replica loop is asked by itself: while it would do
and remember nothing else, the rest is not looked at.
So decisions are the same and come at the same times; only the traffic that status shows, of now and expected, may be older.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from costpolicy.api.conditions import ConditionType, find
from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.api.reasons import Reason
from costpolicy.api.status import CostPolicyStatus
from costpolicy.api.types import CapacityType
from costpolicy.kube.gateway import Gateway
from costpolicy.observe.observation import PolicyObservation
from costpolicy.observe.source import MetricsSource
from costpolicy.reconcile.course import CALM, STEADY
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.reconcile.inputs import Inputs
from costpolicy.reconcile.outlook import Outlook, look_ahead
from costpolicy.reconcile.reconciler import Reconciler
from costpolicy.reconcile.steady import follow_load, waiting
from costpolicy.simulation.grounds import Grounds, Revision, calendar_of, grounds_of, key_of
from costpolicy.simulation.serving import Key
from costpolicy.simulation.world import World, has_prices_to_come

_LASTING: Final = (Reason.STEADY, Reason.SAVING_TOO_SMALL, Reason.DOES_NOT_PAY_BACK, Reason.ROLLED_BACK)
"""Holds that no time ends."""

_SHOWN: Final = (
    *("observed", "calibration", "target", "recommended", "uncapped_target", "playbook", "playbook_saves_per_month"),
    *("current", "spending", "scaling"),
)
"""Fields of a status that say what was found, and that no decision is made on; see ``_decided``."""


class AttentiveOperator:
    """The real reconciler in a world, looking when there is something to see.

    ``gateway`` and ``metrics`` stand between it and the world; by default nothing does.
    """

    def __init__(self, world: World, gateway: Gateway | None = None, metrics: MetricsSource | None = None) -> None:
        self._world = world
        self._gateway = gateway or world.gateway
        self._watch = FleetWatch(self._gateway, metrics or world.metrics, world.clock, world.settings)
        self._reconciler = Reconciler(self._gateway, self._watch, world.clock, world.defaults)
        self._settled: dict[Key, tuple[Revision, Grounds]] = {}
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
                revision = self._revision(policy)
                self._settled[key] = (revision, grounds_of(policy, self._watch.look(), revision))
        return again

    def _unchanged(self, key: Key, revision: Revision, grounds: Grounds) -> bool:
        """Return whether the grounds of the last look still hold, the revision first: it is cheap."""
        policy = self._gateway.policy(*key)
        if not isinstance(policy, CostPolicy):
            return False
        newest, moved = self._revision(policy), False
        if newest != revision:
            found = grounds_of(policy, self._watch.look(), newest)
            if found.beside != grounds.beside:
                return False
            moved = found.load != grounds.load
            grounds = found
        if (moved or _waits(policy)) and not self._keeps_replicas(key, policy, grounds):
            return False
        self._settled[key] = (newest, grounds)
        return True

    def _keeps_replicas(self, key: Key, policy: CostPolicy, grounds: Grounds) -> bool:
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

    def _revision(self, policy: CostPolicy) -> Revision:
        now, world = self._world.clock.now(), self._world
        books = self._gateway.price_books()
        changing = any(isinstance(book, PriceBook) and has_prices_to_come(book, now) for book in books)
        return Revision(
            moves=world.store.moves,
            others=self._others(policy),
            metrics=world.metrics.revision(key_of(policy), now),
            changing=now if changing else None,
            calendar=calendar_of(policy, now),
        )

    def _others(self, policy: CostPolicy) -> object:
        """Return in which phase the other policies are: how many may change at once is limited."""
        everyone = (each for each in self._gateway.policies() if isinstance(each, CostPolicy))
        return [
            (each.key, each.status.rollout.phase)
            for each in everyone
            if each.key != policy.key and each.status is not None and each.status.rollout is not None
        ]


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
