"""How many questions one cycle asks of Prometheus, whatever the number of policies.  Not covered: what they say."""

from datetime import UTC, datetime, timedelta

import pytest

from costpolicy.observe.fleet import ObserveSettings
from costpolicy.observe.source import Sample
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.simulation.world import World
from large_fleet import fleet_of

MOST = 25
START = datetime(2026, 11, 24, 15, 20, tzinfo=UTC)


class Counting:
    """A Prometheus that knows nothing and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def query(self, promql: str, at: datetime) -> tuple[Sample, ...]:
        self.asked.append(promql)
        return ()

    def retention(self) -> timedelta | None:
        return None


@pytest.mark.parametrize("policies", [1, 1000])
def test_a_cycle_asks_at_most_25_questions_and_those_of_the_ledger_are_among_them(policies: int):
    world, prometheus = World(START), Counting()
    for one in fleet_of(policies):
        document = one.to_json()
        del document["status"]["measurement"]  # so that the ledger is due for it
        world.apply(document)
    watch = FleetWatch(world.gateway, prometheus, world.clock, ObserveSettings())
    fleet = watch.look()

    assert policies == len(fleet.policies)
    assert 0 < len(prometheus.asked) <= MOST
    assert any("costpolicy_variant:ledger:hour" in promql for promql in prometheus.asked)
