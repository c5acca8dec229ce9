"""Nothing is written while nothing changes, however much time passes.

Covered: metrics that stopped coming. A clock in a message would be a write a cycle for
each policy, and each write wakes every watcher. Not covered: a cooldown (unit/rollout), traffic that flutters.
"""

from datetime import UTC, datetime, timedelta

from builders import policy_document, price_book_document
from costpolicy.observe.fleet import ObserveSettings
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.reconcile.reconciler import Defaults, Reconciler
from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.world import World

START = datetime(2026, 11, 23, tzinfo=UTC)
KEY = ("default", "chat")


def test_engines_that_are_not_scraped_any_more_are_told_once_not_in_every_cycle():
    world = World(START)
    world.cluster.add_node("gpu-1", "nvidia-h100-80gb", 8)
    world.apply(price_book_document())
    world.apply(policy_document(traffic={"requestsPerSecond": 2}))
    world.traffic[KEY] = Traffic(curve=Constant(2.0))
    world.run(timedelta(minutes=20), timedelta(minutes=2))
    watch = FleetWatch(world.gateway, world.metrics, world.clock, ObserveSettings())
    operator = Reconciler(world.gateway, watch, world.clock, Defaults())
    written = []

    for _ in range(9):  # not long enough for Prometheus to forget the series altogether
        before = world.store.writes
        operator.reconcile(*KEY)
        written.append(world.store.writes - before)
        world.clock.advance(timedelta(seconds=20))

    conditions = {each["type"]: each for each in world.status(*KEY)["conditions"]}
    assert "NoSamples" == conditions["MetricsAvailable"]["reason"]
    assert 1 == sum(written), written
