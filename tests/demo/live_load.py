"""(b) Live traffic: five times the load and back; replicas follow both ways."""

from collections.abc import Callable
from dataclasses import dataclass

from costpolicy.units import MICROS_PER_UNIT, Money
from demo.small_model import POLICY
from demo.traffic import Traffic
from demo.world import Object, World, condition, is_true

CALM = 4.0
BUSY = 5 * CALM
"""Requests a second."""
NEAR = 0.25
NEARER = 0.15
"""Shares by which a Poisson load of 4, of 20 requests a second may waver when measured over half a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What a policy runs at one load."""

    replicas: int
    hourly: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One look: the policy's status, its Ready pods, and its recorded cost an hour."""

    status: Object
    ready_pods: int
    recorded: float | None

    def agrees(self, load: float, near: float) -> bool:
        """Tell whether this load is observed and API server, pods and Prometheus tell the same story."""
        current, observed = self.status.get("current"), self.status.get("observed")
        if not current or not observed or self.recorded is None:
            return False
        hourly = Money.parse(current["costPerHour"])
        return (
            abs(observed.get("requestsPerSecond", 0.0) - load) <= near * load
            and current["replicas"] == current["readyReplicas"] == self.ready_pods
            and abs(self.recorded * MICROS_PER_UNIT - hourly.micros) < 1
        )

    def text(self) -> str:
        """Return it for people."""
        current, observed = self.status.get("current", {}), self.status.get("observed", {})
        return (
            f"{observed.get('requestsPerSecond')} requests/s observed, {current.get('replicas')} replicas, "
            f"{self.ready_pods} Ready pods, {current.get('costPerHour')} an hour, {self.recorded} by Prometheus, "
            f"pending {self.status.get('scaling')}"
        )


def begins(world: World, clients: Traffic) -> Level:
    """Send the expected load and read what it costs."""
    world.journal.step(f"(b) live traffic: {CALM:g} requests/s, played by the stand-in, scraped by Prometheus")
    world.patch(POLICY, '{"spec":{"scaling":{"stabilization":{"scaleDown":"30s"}}}}')
    clients.load(CALM)
    return _level(world, "(b) load before", CALM, NEAR, lambda count: count >= 1)


def rises(world: World, before: Level) -> Level:
    """Wait until replicas have followed the higher load, and read what that costs."""
    world.journal.step(f"(b) replicas follow {BUSY:g} requests/s")
    return _level(world, "(b) load x 5", BUSY, NEARER, lambda count: count > before.replicas)


def keeps_its_promise(world: World) -> None:
    """Wait until what piled up while the replicas started is worked off: the objective is met at the higher load."""
    world.journal.step(f"(b) the promise is kept at {BUSY:g} requests/s")
    status = world.until(
        "the objective is met", lambda: world.status(POLICY), lambda seen: is_true(seen, "ObjectivesMet"), _objectives
    )
    current, observed = status["current"], status["observed"]
    text = (
        f"TTFT p95 {observed.get('ttftP95Seconds')} s observed with {current['readyReplicas']} ready replicas "
        f"(ObjectivesMet {condition(status, 'ObjectivesMet')})"
    )
    world.journal.row("(b) promise kept at x 5", text, current["costPerHour"], "API server: status")


def falls(world: World, before: Level) -> None:
    """Wait until replicas have followed the load down again."""
    world.journal.step(f"(b) replicas follow back to {CALM:g} requests/s")
    _level(world, "(b) load as before", CALM, NEAR, lambda count: count == before.replicas)


def _level(world: World, title: str, load: float, near: float, reached: Callable[[int], bool]) -> Level:
    """Wait until observed load, replicas, Ready pods and the recorded cost agree; the load may move on meanwhile."""

    def look() -> Sight:
        return Sight(
            status=world.status(POLICY), ready_pods=len(world.ready_pods(POLICY)), recorded=world.cost_series(POLICY)
        )

    seen = world.until(
        f"replicas follow {load:g} requests/s",
        look,
        lambda sight: sight.agrees(load, near) and reached(sight.ready_pods),
        Sight.text,
    )
    status, current, observed = seen.status, seen.status["current"], seen.status["observed"]
    text = (
        f"{observed['requestsPerSecond']:g} requests/s observed, TTFT p95 {observed.get('ttftP95Seconds', 'unknown')} s "
        f"(ObjectivesMet {condition(status, 'ObjectivesMet')}): {seen.ready_pods} Ready replica(s); "
        f"cost series {seen.recorded:.2f}"
    )
    world.journal.row(title, text, current["costPerHour"], "API server, Prometheus")
    return Level(replicas=seen.ready_pods, hourly=current["costPerHour"])


def _objectives(status: Object) -> str:
    seconds = status.get("observed", {}).get("ttftP95Seconds")
    return f"ObjectivesMet {condition(status, 'ObjectivesMet')}, TTFT p95 {seconds} s"
