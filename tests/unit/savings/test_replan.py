"""What longer steps and older engines cost, by two plans.

Covered: on which side of a deployment's own measurements something that makes steps longer lies.  Not covered: what it is
and how it is told (tests/unit/savings/audit), other demands (there too).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from asking import offered, request
from builders import configuration
from costpolicy.catalog.accelerators import accelerators
from costpolicy.perf.calibration import Comparison, calibrate
from costpolicy.perf.uncertainty import uncertainty
from costpolicy.planning.calibration import CalibrationBook
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest
from costpolicy.savings.replan import Replanner, Saving, with_and_without

H100 = accelerators()["nvidia-h100-80gb"]
RUNNING = configuration(accelerator=H100.name)
SHARE = Fraction(1, 10)


def book(windows: int, ratio: float) -> CalibrationBook:
    """What so many recorded hours say, in each of which latencies were ``ratio`` times those predicted."""
    seen = [
        Comparison(
            at=datetime(2026, 11, 2, tzinfo=UTC) + index * timedelta(hours=7),
            requests=5000,
            ttft=ratio,
            inter_token=ratio,
        )
        for index in range(windows)
    ]
    return CalibrationBook(running=RUNNING, family=H100.family, calibration=calibrate(uncertainty(H100), seen))


def asked(calibration: CalibrationBook | None) -> PlanRequest:
    asking = request(
        offered(H100.name),
        running=RUNNING,
        objectives={"ttft": {"p95": "500ms"}, "interTokenLatency": {"p95": "30ms"}},
        traffic={"requestsPerSecond": 600, "promptTokens": 1200, "outputTokens": 150},
        scaling={"maxReplicas": 1000},
    )
    return replace(asking, calibration=calibration)


def cost(asking: PlanRequest) -> int:
    target = plan(asking).target
    assert target is not None
    return target.cost_per_hour.micros


@pytest.mark.parametrize("calibration", [None, book(0, 1.0)])
def test_what_was_only_predicted_was_predicted_without_it_so_that_now_costs_more(calibration: CalibrationBook | None):
    asking = asked(calibration)
    saving = Replanner(asking).saving_of_steps(asking.demand, SHARE)

    assert isinstance(saving, Saving)
    assert saving.per_month.micros == (cost(replace(asking, step_factor=1 / 0.9)) - cost(asking)) * 730 > 0
    assert (replace(asking, step_factor=1 / 0.9), asking) == with_and_without(asking, SHARE)


def test_what_was_measured_was_measured_with_it_so_that_it_costs_less_without():
    asking = asked(book(30, 1.3))
    saving = Replanner(asking).saving_of_steps(asking.demand, SHARE)

    assert isinstance(saving, Saving)
    assert saving.per_month.micros == (cost(asking) - cost(replace(asking, step_factor=0.9))) * 730 > 0
    assert (asking, replace(asking, step_factor=0.9)) == with_and_without(asking, SHARE)


def test_steps_of_no_other_length_save_nothing():
    asking = asked(None)
    saving = Replanner(asking).saving_of_steps(asking.demand, Fraction(0))

    assert isinstance(saving, Saving)
    assert (0, 0.0) == (saving.per_month.micros, saving.accelerators_freed)
