"""What one reconcile costs besides input and output, and what is written when nothing changed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bench.figures import Figure, cpu_seconds, milliseconds
from bench.stored import StoredCluster
from builders import policy_document, price_book_document
from costpolicy.kube.gateway import Gateway
from costpolicy.kube.mirror import MirrorGateway
from costpolicy.observe.fleet import ObserveSettings
from costpolicy.perf.prediction import prediction
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.reconcile.reconciler import Defaults, Reconciler
from costpolicy.savings.playbook.replans import Case
from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.world import World

START = datetime(2026, 11, 23, tzinfo=UTC)
OFFERED = {"nvidia-l40s": "1.86", "nvidia-a100-80gb": "3.43", "nvidia-h100-80gb": "6.88", "nvidia-h200": "7.91"}
NODES_OF_EACH = 8
POLICIES_WRITTEN = 20
REPEATS = 40
KEY = ("default", "chat-000")
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
    world.run(CYCLE * 2 * len(Case), CYCLE)  # and for a playbook of the load that is observed then
    return world


def reconciler_of(world: World, gateway: Gateway) -> Reconciler:
    """A reconciler like the operator's, which reads and writes through a gateway."""
    watch = FleetWatch(gateway, world.metrics, world.clock, ObserveSettings())
    return Reconciler(gateway, watch, world.clock, Defaults())


def mirror_of(world: World) -> MirrorGateway:
    """The operator's own mirror of the world; it refuses to ask or write anything that is not in memory."""
    mirror = MirrorGateway(StoredCluster(world.store))
    mirror.refresh()
    return mirror


def figures() -> Iterator[Figure]:
    """Yield CPU of one reconcile and writes of ten cycles."""
    world = settled_world(1)
    yield _unchanged("one reconcile, nothing changed, CPU", reconciler_of(world, mirror_of(world)))
    yield _planned_anew(world)
    yield _of_the_playbook(world)
    yield _unchanged("the same, nothing changed, with the simulated API server", reconciler_of(world, world.gateway))
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


def _unchanged(name: str, reconciler: Reconciler) -> Figure:
    """Time a policy whose cluster and metrics were just read, and that has its last plan and its whole playbook."""
    for _ in range(len(Case) + 1):
        reconciler.reconcile(*KEY)
    return milliseconds(name, cpu_seconds(lambda: reconciler.reconcile(*KEY), REPEATS), "20 ms")


def _of_the_playbook(world: World) -> Figure:
    """Time the reconciles that make one plan more for the playbook, none of it predicted yet: some ten after each change of
    what it depends on.
    """
    mirror = mirror_of(world)
    watch = FleetWatch(mirror, world.metrics, world.clock, ObserveSettings())
    watch.look()
    fresh = [Reconciler(mirror, watch, world.clock, Defaults()) for _ in range(REPEATS)]
    for reconciler in fresh:
        reconciler.reconcile(*KEY)
    spent = cpu_seconds(lambda: fresh.pop().reconcile(*KEY), REPEATS, prediction.cache_clear)
    return milliseconds("one reconcile with a plan for the playbook, CPU", spent, "20 ms")


def _planned_anew(world: World) -> Figure:
    """Time reconcilers that have never planned, and nothing predicted: what a change of requests' lengths costs at most."""
    mirror = mirror_of(world)
    watch = FleetWatch(mirror, world.metrics, world.clock, ObserveSettings())
    watch.look()
    fresh = [Reconciler(mirror, watch, world.clock, Defaults()) for _ in range(REPEATS)]
    spent = cpu_seconds(lambda: fresh.pop().reconcile(*KEY), REPEATS, prediction.cache_clear)
    return milliseconds("one reconcile, planned anew, CPU", spent, "20 ms")
