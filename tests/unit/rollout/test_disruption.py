"""What a change of configuration costs by itself.

Covered: figures worked out by hand, and that more to do never costs less.
Not covered: what is done with it (test_verdict.py).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.api.operation import Canary
from costpolicy.planning.demand import Demand
from costpolicy.rollout.disruption import canary_time, cold_cache_time, disruption_cost, lost_capacity, start_time
from costpolicy.units import Money

HOUR = timedelta(hours=1)
DEMAND = Demand(requests_per_second=5, prompt_tokens=1000, output_tokens=250, cached_tokens=750, source="Observed")


def test_a_change_costs_its_accelerators_while_they_load():
    """16 GB at 0.5 GB/s are 32 s, and the engine needs three minutes: 212 s of 3,600."""
    assert timedelta(seconds=212) == start_time(16_000_000_000)
    assert Money.parse("2.12") == disruption_cost(Money.parse("36.00"), 16_000_000_000, timedelta(0))
    assert Money.parse("38.12") == disruption_cost(Money.parse("36.00"), 16_000_000_000, HOUR)


@pytest.mark.parametrize(
    ("replicas", "canary", "minutes"),
    [
        (1, Canary(), 40),  # one stage
        (4, Canary(), 100),  # 1, 2, 3 and 4 of 4 replicas, 40 minutes each
        (2, Canary(step="50%", duration="20m"), 45),  # 1 and 2 of 2, half an hour each
        (4, Canary(duration="0s"), 0),
    ],
)
def test_evidence_costs_the_replicas_that_show_it(replicas: int, canary: Canary, minutes: int):
    assert timedelta(minutes=minutes) == canary_time(replicas, canary)


def test_a_cold_cache_costs_the_work_that_a_full_one_saves():
    """Of 400,000 tokens 75 % are found again: 300,000 to compute, at 2 requests a second of 250 + 250 computed tokens."""
    assert timedelta(seconds=300) == cold_cache_time(DEMAND, 400_000, 2.0)
    assert timedelta(0) == cold_cache_time(replace(DEMAND, cached_tokens=0.0), 400_000, 2.0)


@pytest.mark.parametrize(("tokens", "capacity"), [(0, 2.0), (-5, 2.0), (400_000, 0.0)])
def test_without_a_cache_or_without_capacity_there_is_nothing_to_fill(tokens: int, capacity: float):
    assert timedelta(0) == cold_cache_time(DEMAND, tokens, capacity)


def test_replicas_that_are_replaced_one_by_one_cost_the_capacity_that_is_missing_meanwhile():
    """Three times 212 s without a replica of 3.60 an hour."""
    assert Money.parse("0.636") == lost_capacity(Money.parse("3.60"), 3, 16_000_000_000)
    assert Money(0) == lost_capacity(Money.parse("3.60"), 0, 16_000_000_000)
    assert Money(0) == lost_capacity(Money.parse("3.60"), -2, 16_000_000_000)


@given(
    cached=st.tuples(st.floats(0, 999), st.floats(0, 999)),
    tokens=st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)),
    missing=st.tuples(st.integers(0, 99), st.integers(0, 99)),
    weights=st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)),
)
def test_more_to_do_never_costs_less(
    cached: tuple[float, float], tokens: tuple[int, int], missing: tuple[int, int], weights: tuple[int, int]
):
    def total(pick: Callable[..., Any]) -> Money:
        cold = cold_cache_time(replace(DEMAND, cached_tokens=pick(cached)), pick(tokens), 2.0)
        lost = lost_capacity(Money.parse("3.60"), pick(missing), pick(weights))
        return disruption_cost(Money.parse("36.00"), pick(weights), cold) + lost

    assert total(min) <= total(max)
