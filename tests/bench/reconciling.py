"""What one reconcile costs besides input and output, and what is written when nothing changed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bench.figures import Figure, cpu_seconds, milliseconds
from builders import policy_document, price_book_document
from costpolicy.observe.fleet import ObserveSettings
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.reconcile.reconciler import Defaults, Reconciler
from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.world import World

START = datetime(2026, 11, 23, tzinfo=UTC)
OFFERED = {"nvidia-l40s": "1.86", "nvidia-a100-80gb": "3.43", "nvidia-h100-80gb": "6.88", "nvidia-h200": "7.91"}
NODES_OF_EACH = 8
POLICIES_WRITTEN = 20
REPEATS = 40
CYCLE, CYCLES = timedelta(seconds=30), 10


def settled_world(policies: int) -> World:
    """A world in which so many policies were planned, loaded, and have served for a while."""
    world = World(START)
    offerings = [{"accelerator": name, "capacityType": "OnDemand", "hourly": price} for name, price in OFFERED.items()]
    for accelerator in OFFERED:
        for number in range(NODES_OF_EACH):
            world.cluster.add_node(f"{accelerator}-{number}", accelerator, 8)
    world.apply(price_book_document(offerings=offerings))
    for number in range(policies):
        name = f"chat-{number:03d}"
        world.apply(policy_document(name, model={"name": f"llama-{number}"}, traffic={"requestsPerSecond": 2}))
        world.traffic["default", name] = Traffic(curve=Constant(2.0))
    world.run(timedelta(minutes=8), timedelta(minutes=2))  # enough for every engine to load and be scraped
    return world


def reconciler_of(world: World) -> Reconciler:
    """A reconciler like the operator's on the world."""
    watch = FleetWatch(world.gateway, world.metrics, world.clock, ObserveSettings())
    return Reconciler(world.gateway, watch, world.clock, Defaults())


def figures() -> Iterator[Figure]:
    """Yield CPU of one reconcile and writes of ten cycles."""
    world = settled_world(1)
    reconciler = reconciler_of(world)
    reconciler.reconcile("default", "chat-000")
    spent = cpu_seconds(lambda: reconciler.reconcile("default", "chat-000"), REPEATS)
    yield milliseconds("one reconcile, cluster and metrics just read, CPU", spent, "20 ms")
    world = settled_world(POLICIES_WRITTEN)
    world.run(CYCLE * CYCLES, CYCLE)  # the five-minute rates are those of the steady load from here on
    before = world.store.writes
    world.run(CYCLE * CYCLES, CYCLE)
    ready = sum(moment.ready > 0 for moment in world.timeline[-POLICIES_WRITTEN:])
    yield Figure(
        name=f"writes in {CYCLES} cycles of {POLICIES_WRITTEN} policies where nothing changed",
        value=str(world.store.writes - before),
        aim="0",
        spread=f"{ready} of {POLICIES_WRITTEN} serving; the simulated cluster's own writes included",
    )
