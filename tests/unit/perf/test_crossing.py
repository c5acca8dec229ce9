"""Where a strain reaches 1: found to a thousandth and from below, whatever the curve, in few questions.

Covered: proportional, flat, kinked and steep strains, crossings at both ends; flows with even and uneven stays.
Not covered: which strains there are (test_open_loop).
"""

from collections.abc import Callable
from math import exp, inf, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.perf.crossing import NEARLY_IDLE, crossing, running_at

MOST_QUESTIONS = 25

STRAINS: dict[str, Callable[[float], float]] = {
    "proportional": lambda n: n / 40.0,
    "flat, then proportional": lambda n: max(0.6, n / 70.0),
    "flat, then a queue": lambda n: 0.5 + (0.01 / (90.0 - n) if n < 90.0 else inf),
    "a kink just before 1": lambda n: max(0.9 + n / 10_000.0, (n / 50.0) ** 8),
    "a step": lambda n: 0.3 if n < 17.0 else 5.0,
    "saturating": lambda n: 1.02 * n / (n + 1.0),
}


def ends(strain: Callable[[float], float], highest: float) -> tuple[float, float]:
    return strain(NEARLY_IDLE), strain(highest)


@pytest.mark.parametrize("name", STRAINS)
def test_is_the_last_point_that_is_not_strained_to_a_thousandth(name: str):
    asked = []

    def strain(running: float) -> float:
        asked.append(running)
        return STRAINS[name](running)

    found = crossing(strain, 256.0, ends(STRAINS[name], 256.0))

    assert STRAINS[name](found) <= 1.0 < STRAINS[name](found * exp(0.001) * (1.0 + 1e-9))
    assert len(asked) <= MOST_QUESTIONS


def test_is_the_highest_where_nothing_is_strained_and_next_to_nothing_where_all_is():
    assert 256.0 == crossing(lambda n: n / 300.0, 256.0, (NEARLY_IDLE / 300.0, 256.0 / 300.0))
    assert pytest.approx(NEARLY_IDLE) == crossing(lambda n: 2.0 + n, 256.0, (2.0, 258.0))


@given(
    step=st.floats(0.001, 0.1),
    each=st.floats(0.0, 0.01),
    bend=st.floats(0.0, 0.02),
    share=st.floats(0.001, 0.999),
    highest=st.floats(1.0, 4096.0),
)
def test_a_flow_is_reached_by_as_many_requests_as_its_rate_times_their_stay(
    step: float, each: float, bend: float, share: float, highest: float
):
    asked = []

    def flow(running: float) -> float:
        asked.append(running)
        return running / (step + each * running + bend * max(0.0, running - highest / 3.0))

    full = flow(highest)
    rate = share * full

    found = running_at(rate, flow, highest, (flow(NEARLY_IDLE), full))

    assert flow(found) <= rate * (1.0 + 1e-9)
    assert abs(log(rate / flow(found))) < 0.01
    assert len(asked) <= MOST_QUESTIONS + 4
