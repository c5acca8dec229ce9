"""(b) Live traffic: five times the load and back; replicas follow both ways."""

from collections.abc import Callable
from dataclasses import dataclass

from costpolicy.units import Money
from demo.small_model import POLICY
from demo.traffic import Traffic
from demo.world import Object, World, condition

CALM = 4.0
BUSY = 5 * CALM
"""Requests a second."""
NEAR = 0.3
"""A Poisson load measured over half a minute wavers by less than this share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What a policy runs at one load."""

    replicas: int
    hourly: str


def begins(world: World, clients: Traffic) -> Level:
    """Send the expected load and read what it costs."""
    world.journal.step(f"(b) live traffic: {CALM:g} requests/s, played by the stand-in, scraped by Prometheus")
    world.patch(POLICY, '{"spec":{"scaling":{"stabilization":{"scaleDown":"30s"}}}}')
    clients.load(CALM)
    return _level(world, "(b) load before", CALM, lambda current: current["replicas"] >= 1)


def rises(world: World, before: Level) -> Level:
    """Wait until replicas have followed the higher load, and read what that costs."""
    world.journal.step(f"(b) replicas follow {BUSY:g} requests/s")
    return _level(world, "(b) load x 5", BUSY, lambda current: current["replicas"] > before.replicas)


def falls(world: World, before: Level) -> None:
    """Wait until replicas have followed the load down again."""
    world.journal.step(f"(b) replicas follow back to {CALM:g} requests/s")
    _level(world, "(b) load as before", CALM, lambda current: current["replicas"] == before.replicas)


def _level(world: World, title: str, load: float, reached: Callable[[Object], bool]) -> Level:
    def settled(status: Object) -> bool:
        current, observed = status.get("current", {}), status.get("observed", {})
        rate = observed.get("requestsPerSecond", 0.0)
        all_ready = current.get("replicas") == current.get("readyReplicas")
        return abs(rate - load) <= NEAR * load and all_ready and "scaling" not in status and reached(current)

    status = world.until(f"replicas follow {load:g} requests/s", lambda: world.status(POLICY), settled, _shown)
    current, observed = status["current"], status["observed"]
    hourly = Money.parse(current["costPerHour"])
    recorded = world.until(
        "Prometheus has recorded the same cost",
        lambda: world.cost_series(POLICY),
        lambda value: value is not None and abs(value * 1_000_000 - hourly.micros) < 1,
    )
    count = len(world.ready_pods(POLICY))
    world.expect(count == current["replicas"], f"{current['replicas']} Ready pods", count)
    seen = (
        f"{observed['requestsPerSecond']:g} requests/s observed, TTFT p95 {observed.get('ttftP95Seconds', 'unknown')} s "
        f"(ObjectivesMet {condition(status, 'ObjectivesMet')}): {count} Ready replica(s); cost series {recorded:.2f}"
    )
    world.journal.row(title, seen, current["costPerHour"], "API server, Prometheus")
    return Level(replicas=current["replicas"], hourly=current["costPerHour"])


def _shown(status: Object) -> str:
    current, observed = status.get("current", {}), status.get("observed", {})
    return (
        f"{observed.get('requestsPerSecond')} requests/s observed, {current.get('replicas')} replicas, "
        f"{current.get('readyReplicas')} ready, {current.get('costPerHour')} an hour, pending {status.get('scaling')}"
    )
