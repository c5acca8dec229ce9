"""Days of recorded hours make predictions of the simulated truth better, and plans follow.

The simulated engine has a latency model of its own; how fast it is against the planner's is what the scenarios vary.
Covered: a deployment slower and one as fast as predicted, both against the same without recorded hours; stillness.
Not covered: real engines; p95 against mean (corrections are of the mean, tests/unit/perf/test_calibration.py).
"""

from dataclasses import dataclass
from math import log
from statistics import fmean

import pytest

from costpolicy.observe.fleet import ObserveSettings
from costpolicy.observe.questions import QUESTIONS
from costpolicy.observe.window import LoadWindow, load_windows
from costpolicy.reconcile.calibration import comparisons
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.reconcile.reconciler import Defaults, Reconciler
from costpolicy.simulation.engine import Efficiency
from costpolicy.simulation.traffic import Constant, Curve, Daily, Traffic
from costpolicy.simulation.world import Moment, World
from faulty import Deaf
from stories import HOUR, KEY, L40S, MINUTE, START, chat, prices
from unit.perf.conftest import make_shape

DAY = 24 * HOUR
STEP = 30 * MINUTE
SETTINGS = ObserveSettings(rate_window=HOUR, max_age=HOUR)
"""Coarse, so that days fit into seconds."""
WINDOWS = QUESTIONS["load_windows"](SETTINGS.scope())
SLOWER = Efficiency(bandwidth=0.6, arithmetic=0.35)
"""Both latencies are more than half as much again as predicted."""
AS_PREDICTED = Efficiency(bandwidth=1.0, arithmetic=0.7)
TTFT = 0.5


@dataclass
class Case:
    """A world after days, and what it was before the last one."""

    world: World
    yesterday: dict[str, float]

    def last_day(self) -> list[Moment]:
        """Moments with traffic in the last day."""
        since = self.world.clock.now() - DAY
        return [moment for moment in self.world.timeline if moment.at >= since and moment.ttft_p95 is not None]

    def missed(self) -> float:
        """Share of the last day's moments that missed an objective."""
        return fmean(_missed(moment) for moment in self.last_day())

    def cost(self) -> float:
        """Mean micro-units an hour over the last day."""
        return fmean(moment.cost_per_hour.micros for moment in self.last_day())

    def hours(self) -> tuple[LoadWindow, ...]:
        """Recorded hours of the last day."""
        since = self.world.clock.now() - DAY
        found = load_windows(self.world.metrics.query(WINDOWS, self.world.clock.now()))
        return tuple(window for window in found if window.until >= since)


def _missed(moment: Moment) -> bool:
    return (moment.ttft_p95 or 0.0) > TTFT


def lived(efficiency: Efficiency, curve: Curve, *, recorded: bool) -> Case:
    """Four days of a policy on L40S, with or without recorded hours."""
    world = World(START, settings=SETTINGS, efficiency=efficiency)
    world.cluster.add_node("l40s", L40S, 60)
    world.apply(prices())
    objectives = {"ttft": {"p95": f"{TTFT * 1000:g}ms"}}
    world.apply(chat(hardware={"accelerators": [L40S]}, objectives=objectives, scaling={"maxReplicas": 60}))
    world.traffic[KEY] = Traffic(curve=curve)
    if not recorded:
        deaf = Deaf(world.metrics, lambda asked: asked == WINDOWS)
        watch = FleetWatch(world.gateway, deaf, world.clock, SETTINGS)
        world._reconciler = Reconciler(world.gateway, watch, world.clock, Defaults())
    world.run(3 * DAY, step=STEP)
    yesterday = world.status(*KEY).get("calibration", {})
    world.run(DAY, step=STEP)
    return Case(world=world, yesterday=yesterday)


@pytest.fixture(scope="module")
def slower() -> tuple[Case, Case]:
    known, unknown = (lived(SLOWER, Daily(trough=15.0, peak=25.0), recorded=recorded) for recorded in (True, False))
    return known, unknown


@pytest.fixture(scope="module")
def as_predicted() -> tuple[Case, Case]:
    known, unknown = (lived(AS_PREDICTED, Constant(40.0), recorded=recorded) for recorded in (True, False))
    return known, unknown


def test_a_deployment_slower_than_predicted_gets_what_it_needs(slower: tuple[Case, Case]):
    known, unknown = slower

    assert known.missed() < 0.1
    assert unknown.missed() > 0.5
    assert known.cost() > unknown.cost()
    assert known.yesterday["ttftFactor"] > 1.3
    assert 0 == unknown.yesterday["windows"]
    assert 1.0 == unknown.yesterday["ttftFactor"]


def test_a_deployment_as_fast_as_predicted_gets_cheaper_and_keeps_its_objectives(as_predicted: tuple[Case, Case]):
    known, unknown = as_predicted

    assert 0.0 == known.missed() == unknown.missed()
    assert known.cost() < unknown.cost()
    assert 1.0 < known.yesterday["ttftMargin"] < 1.35
    assert 1.0 < known.yesterday["interTokenMargin"] < 1.12


def errors(of: Case, *, corrected: bool) -> tuple[float, float]:
    """Mean absolute log error of TTFT and inter-token latency over the last day, by what was believed before it."""
    shape = make_shape("meta-llama/Llama-3.1-8B", L40S, max_num_seqs=256, max_model_len=131072)
    found = list(comparisons(shape, of.hours()))
    assert found
    ttft, inter_token = (of.yesterday[name] if corrected else 1.0 for name in ("ttftFactor", "interTokenFactor"))
    return (
        fmean(abs(log((each.ttft or 0) / ttft)) for each in found),
        fmean(abs(log((each.inter_token or 0) / inter_token)) for each in found),
    )


def test_corrected_predictions_are_closer_to_the_truth_of_the_next_day(slower: tuple[Case, Case]):
    before, after = (errors(slower[0], corrected=corrected) for corrected in (False, True))

    assert all(late < early / 2 for early, late in zip(before, after, strict=True))


def test_predictions_that_were_right_stay_right(as_predicted: tuple[Case, Case]):
    assert max(errors(as_predicted[0], corrected=True)) < 0.08


def test_between_two_hours_nothing_is_written(as_predicted: tuple[Case, Case]):
    world = as_predicted[0].world
    writing = 0
    for _ in range(14):
        writes = world.store.writes
        world.run(HOUR, step=STEP)
        writing += world.store.writes != writes

    assert writing <= 4  # two recorded hours come and two of a week ago go
