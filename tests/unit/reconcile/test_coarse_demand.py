"""From observations to demand.

Covered: rounding that keeps status still.  Not covered: which source wins (tests/unit/reconcile/test_decide.py, scenarios).
"""

from collections.abc import Callable

import pytest

from builders import policy
from costpolicy.observe.observation import PolicyObservation
from costpolicy.reconcile.demand import demands

Measured = Callable[[float], PolicyObservation]


@pytest.mark.parametrize(("rate", "planned"), [(2.0, 2.0), (2.01, 2.1), (0.123, 0.13), (12.34, 13.0), (987.0, 990.0)])
def test_load_is_rounded_up_to_two_digits_so_that_status_does_not_flutter(
    measured: Measured, rate: float, planned: float
):
    found = demands(policy().spec, measured(rate))

    assert found.now is not None
    assert planned == pytest.approx(found.now.requests_per_second)
    assert planned == pytest.approx(found.planning.requests_per_second)


def test_no_load_stays_no_load(measured: Measured):
    found = demands(policy().spec, measured(0.0))

    assert found.now is not None
    assert 0.0 == found.now.requests_per_second
