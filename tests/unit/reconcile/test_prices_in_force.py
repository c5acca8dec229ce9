"""Prices are worked out when they may be others.  Not covered: which of several prices holds (test_prices.py)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from builders import price_book_document
from costpolicy.api.types import CapacityType
from costpolicy.observe.fleet import ObserveSettings
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.simulation.world import World
from costpolicy.units import Money

START = datetime(2026, 11, 24, 23, 50, tzinfo=UTC)
MINUTES = timedelta(minutes=10)
LATER = {"effectiveFrom": "2026-11-25T00:10:00Z"}


@dataclass
class Adjusted:
    """A clock that somebody sets."""

    time: datetime

    def now(self) -> datetime:
        return self.time


def watched(*prices: dict[str, str]) -> tuple[World, FleetWatch]:
    world = World(START)
    write(world, *prices)
    return world, FleetWatch(world.gateway, None, world.clock, ObserveSettings())


def write(world: World, *prices: dict[str, str]) -> None:
    offerings = [{"accelerator": "nvidia-l40s", "capacityType": "OnDemand", **price} for price in prices]
    world.apply(price_book_document(offerings=offerings))


def paid(watch: FleetWatch) -> Money:
    return watch.look().prices.hourly()["nvidia-l40s", CapacityType.ON_DEMAND]


def test_a_price_that_begins_to_hold_is_in_force_from_that_moment_on():
    world, watch = watched({"hourly": "2.00"}, {"hourly": "1.50", **LATER})

    seen = []
    for _ in range(4):
        seen.append(paid(watch))
        world.clock.advance(MINUTES)

    assert [Money.parse(price) for price in ("2.00", "2.00", "1.50", "1.50")] == seen


def test_a_clock_that_is_set_back_brings_the_former_price_back():
    world, _ = watched({"hourly": "2.00"}, {"hourly": "1.50", **LATER})
    clock = Adjusted(START + 3 * MINUTES)
    watch = FleetWatch(world.gateway, None, clock, ObserveSettings())
    assert Money.parse("1.50") == paid(watch)

    clock.time = START

    assert Money.parse("2.00") == paid(watch)


def test_an_edited_book_is_in_force_at_the_next_look():
    world, watch = watched({"hourly": "2.00"})
    assert Money.parse("2.00") == paid(watch)

    write(world, {"hourly": "1.75"})
    world.clock.advance(MINUTES)

    assert Money.parse("1.75") == paid(watch)


def test_prices_that_stay_are_not_worked_out_again():
    world, watch = watched({"hourly": "2.00"}, {"hourly": "1.50", **LATER})
    before = watch.look().prices
    world.clock.advance(MINUTES)

    assert watch.look().prices is before
