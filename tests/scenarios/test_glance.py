"""What is read from scrapes while only the load moves is what the questions would be answered.

Covered: each step of days in which load moves, saturates engines, changes its shape, and in which engines come and go.
Not covered: that decisions are the same as without it (test_shipped.py).
"""

from datetime import timedelta

import pytest

from costpolicy.observe.fleet import observe_fleet
from costpolicy.observe.observation import PolicyObservation
from costpolicy.simulation.attention import AttentiveOperator
from costpolicy.simulation.glance import glance
from costpolicy.simulation.metrics import Answered
from costpolicy.simulation.play import play
from costpolicy.simulation.scenario import shipped_scenario
from costpolicy.simulation.world import World

_READ = (
    *("variant", "requests_per_second", "prompt_tokens", "output_tokens", "cached_tokens", "prefix_hit_ratio"),
    *("ttft", "inter_token", "request_inter_token", "waiting", "pods_up", "last_sample", "fresh"),
)
"""What decisions read of a variant while nothing but the load moves."""


def read(seen: PolicyObservation) -> object:
    """What decisions read of an observation meanwhile."""
    variants = [{name: getattr(variant, name) for name in _READ} for variant in seen.variants]
    days = seen.requests_per_second_p95, seen.shape_over_days, seen.span, seen.rises
    return variants, days, seen.windows, seen.saturations


class Comparing:
    """The operator; each step, what was asked is compared with what is read, glance upon glance."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.inner = AttentiveOperator(world)
        self.known: dict[tuple[str, str], tuple[PolicyObservation, Answered]] = {}
        self.glanced = self.looked = 0

    def reconcile(self, namespace: str, name: str) -> timedelta | None:
        world, now, key = self.world, self.world.clock.now(), (namespace, name)
        newest = world.metrics.revision(key, now)
        if world.metrics.outage is None:
            asked = observe_fleet(world.metrics, now, world.settings).of(namespace, name)
            seen = None
            if key in self.known:
                before, known = self.known[key]
                seen = glance(before, known, newest, world.metrics, now, world.settings.max_age)
            if seen is not None:
                assert read(asked) == read(seen)
            self.known[key] = (seen or asked, newest)
            self.glanced += seen is not None
            self.looked += seen is None
        return self.inner.reconcile(namespace, name)


@pytest.mark.parametrize(
    ("name", "length", "share"),
    [
        ("daily-wave", "30h", 0.9),
        ("last-accelerators", "84h", 0.9),
        ("retry-storm", "72h", 0.5),
        ("days-and-nights", "30h", 0.9),
        ("half-the-engines", "60h", 0.5),
        ("spot-loss", "40h", 0.5),
        ("bad-canary", "60h", 0.5),
        ("half-the-metrics", "60h", 0.5),
    ],
)
def test_a_glance_reads_what_the_questions_are_answered(name: str, length: str, share: float):
    operators: list[Comparing] = []

    def employ(world: World) -> Comparing:
        operators.append(Comparing(world))
        return operators[-1]

    play(shipped_scenario(name).model_copy(update={"length": length}), employ)
    [operator] = operators

    assert operator.glanced >= share * (operator.glanced + operator.looked)
