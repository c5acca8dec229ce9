"""An operator that is only asked when its answer may have changed.

A real operator looks at each policy twice a minute, and nearly always finds nothing to do; in a week that is twenty
thousand looks.  Here a look is left out if the last one changed nothing and everything that it depended on is the same:
the cluster, prices, and what the metrics amount to (demand in the two digits that are planned for, objectives kept or
not, recorded hours).  While something depends on time (a change under way, a hold), every look is taken.
Where only the load moves a glance at the scrapes tells what the metrics amount to.  Then, and while replicas wait for their
stabilization time, the replica loop is asked by itself: while it would do and remember nothing else, the rest is not looked at.
So decisions are the same and come at the same times; only the traffic that status shows, of now and expected, may be older.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from costpolicy.api.conditions import ConditionType, find
from costpolicy.api.policy import CostPolicy
from costpolicy.api.reasons import Reason
from costpolicy.api.status import CostPolicyStatus
from costpolicy.api.types import CapacityType
from costpolicy.kube.gateway import Gateway
from costpolicy.observe.observation import PolicyObservation
from costpolicy.observe.source import MetricsSource
from costpolicy.reconcile.course import CALM, STEADY
from costpolicy.reconcile.decision import Decision
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.reconcile.outlook import Outlook
from costpolicy.reconcile.reconciler import Reconciler
from costpolicy.reconcile.snapshot import MetricsDown
from costpolicy.reconcile.steady import follow_load, waiting
from costpolicy.reconcile.supply import Capacity
from costpolicy.reconcile.unscraped import scrapable
from costpolicy.simulation.glance import glance
from costpolicy.simulation.grounds import Grounds, Revision, calendar_of, grounds_of, key_of, moved
from costpolicy.simulation.serving import Key
from costpolicy.simulation.world import World

_LASTING: Final = (Reason.STEADY, Reason.SAVING_TOO_SMALL, Reason.DOES_NOT_PAY_BACK, Reason.ROLLED_BACK)
"""Holds that no time ends."""

_SHOWN: Final = (
    *("observed", "calibration", "target", "recommended", "uncapped_target", "playbook", "playbook_saves_per_month"),
    *("current", "spending", "scaling"),
)
"""Fields of a status that say what was found, and that no decision is made on; see ``_said``."""


class AttentiveOperator:
    """The real reconciler in a world, looking when there is something to see.

    ``gateway`` and ``metrics`` stand between it and the world; by default nothing does.
    """

    def __init__(self, world: World, gateway: Gateway | None = None, metrics: MetricsSource | None = None) -> None:
        self._world = world
        self._sees_the_world = gateway is None and metrics is None
        self._gateway = gateway or world.gateway
        self._watch = FleetWatch(self._gateway, metrics or world.metrics, world.clock, world.settings)
        self._reconciler = Reconciler(self._gateway, self._watch, world.clock, world.defaults, self._decided)
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
            if not written or (written == 1 and _said(policy) == _said(before)):
                revision, outlook = self._revision(policy), self._outlooks.get(key)
                seen = outlook.snapshot.observed if outlook else self._seen(key)
                self._settled[key] = (revision, grounds_of(policy, self._watch.look(), seen, revision))
        return again

    def _unchanged(self, key: Key, revision: Revision, grounds: Grounds) -> bool:
        """Return whether the grounds of the last look still hold, the revision first: it is cheap."""
        policy = self._gateway.policy(*key)
        if not isinstance(policy, CostPolicy):
            return False
        newest, load_moved = self._revision(policy), False
        if newest != revision:
            if newest.moves != revision.moves:
                return False
            found = self._glance(policy, revision, newest, grounds)
            if found is None:
                found = grounds_of(policy, self._watch.look(), self._seen(key), newest)
            if found.beside != grounds.beside:
                return False
            load_moved = found.load != grounds.load
            grounds = found
        if (load_moved or _waits(policy)) and not self._keeps_replicas(key, policy, grounds):
            return False
        self._settled[key] = (newest, grounds)
        return True

    def _seen(self, key: Key) -> PolicyObservation | MetricsDown:
        """Return what the metrics say of a policy now."""
        observations = self._watch.look().observations
        return observations if isinstance(observations, MetricsDown) else observations.of(*key)

    def _glance(self, policy: CostPolicy, known: Revision, newest: Revision, grounds: Grounds) -> Grounds | None:
        """Return the grounds of now where nothing but the load can have changed; ``None`` where that takes a look."""
        alike = known._replace(metrics=newest.metrics) == newest
        if not self._sees_the_world or not alike or not isinstance(grounds.seen, PolicyObservation):
            return None
        world, now = self._world, self._world.clock.now()
        seen = glance(grounds.seen, known.metrics, newest.metrics, world.metrics, now, world.settings.max_age)
        if seen is None:
            return None
        pods = Capacity(nodes=(), pods=world.gateway.pods()).pods_of(*key_of(policy))
        return moved(policy, grounds, seen, scrapable(pods, now, world.settings.rate_window))

    def _keeps_replicas(self, key: Key, policy: CostPolicy, grounds: Grounds) -> bool:
        """Return whether the replica loop would keep what runs and wait for what it waits for, and nothing else does."""
        outlook, now = self._outlooks.get(key), self._world.clock.now()
        stable = outlook.snapshot.live.stable if outlook else None
        if outlook is None or stable is None or self._watch.ledgers.awaits(policy, now):
            return False
        observed = outlook.snapshot.observed
        if isinstance(observed, PolicyObservation):
            observed = replace(observed, rises=grounds.rises)
        told = outlook.snapshot.policy.model_copy(update={"status": policy.status})
        outlook = replace(
            outlook,
            demands=replace(outlook.demands, now=grounds.now),
            snapshot=replace(outlook.snapshot, observed=observed, policy=told),
        )
        step = follow_load(outlook, stable, now)
        return step.replicas == stable.replicas and waiting(step) == (policy.status and policy.status.scaling)

    def _decided(self, decision: Decision) -> None:
        """Keep what was decided on: while nothing but the load changes, replicas follow from it."""
        if decision.outlook is not None:
            self._outlooks[key_of(decision.outlook.snapshot.policy)] = decision.outlook

    def _revision(self, policy: CostPolicy) -> Revision:
        now, world = self._world.clock.now(), self._world
        return Revision(
            moves=world.store.moves,
            others=self._others(policy),
            metrics=world.metrics.revision(key_of(policy), now),
            prices=world.prices(),
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


def _said(policy: CostPolicy) -> object:
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
