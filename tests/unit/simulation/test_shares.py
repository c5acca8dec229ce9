"""Shares of requests inside a promise, and that the operator's questions about latencies find the same figures.

Not covered: readings themselves (test_engine.py).
"""

from datetime import UTC, datetime, timedelta

import pytest

from costpolicy.observe.days import RECENT, WEEKLY, Stretch
from costpolicy.observe.fleet import ObserveSettings, observe_fleet
from costpolicy.simulation.engine import Profile, Promise
from costpolicy.simulation.history import History
from costpolicy.simulation.metrics import SimulatedMetrics
from costpolicy.simulation.scrape import Scrape
from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.units import Money

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TRAFFIC = Traffic(curve=Constant(4.0))
PROFILE = Profile(
    step=0.01, step_per_request=0.0005, prefill_rate=20_000.0, max_running=256, load_time=timedelta(minutes=4)
)
READING = PROFILE.reading(TRAFFIC, 4.0, 0.0)


def test_half_keep_the_median_and_nineteen_in_twenty_the_95th_percentile():
    assert pytest.approx(0.5) == READING.share_within(Promise(ttft=READING.ttft_p50))
    assert pytest.approx(0.95) == READING.share_within(Promise(ttft=READING.ttft_p95))
    assert pytest.approx(0.95) == READING.share_within(Promise(inter_token=READING.inter_token_p95))


def test_both_latencies_must_keep_their_objective_and_nobody_keeps_one_below_the_queue():
    ttft, inter_token = READING.ttft_p95, READING.inter_token_p95
    waiting = PROFILE.reading(TRAFFIC, 4.0, 100.0)

    assert pytest.approx(0.95**2) == READING.share_within(Promise(ttft=ttft, inter_token=inter_token))
    assert 1.0 == READING.share_within(Promise())
    assert 0.0 == waiting.share_within(Promise(ttft=waiting.queued))
    assert pytest.approx(0.05) == READING.share_later_than(ttft)


def seen(metrics: SimulatedMetrics):
    scrape = Scrape(
        held=("nvidia-l40s", "OnDemand"),
        kernels="",
        at=NOW,
        offered=8.0,
        traffic=TRAFFIC,
        reading=READING,
        replicas=2,
        accelerators={},
        cost_per_hour=Money.parse("5.00"),
    )
    metrics.record({("default", "chat", "abc"): scrape})
    return observe_fleet(metrics, NOW, ObserveSettings()).of("default", "chat")


def test_the_operator_reads_the_simulated_percentiles_from_histograms():
    observed = seen(SimulatedMetrics(ObserveSettings()))

    assert pytest.approx(READING.ttft_p95, rel=0.01) == observed.ttft_p95
    assert pytest.approx(READING.inter_token_p95, rel=0.01) == observed.inter_token_p95
    assert pytest.approx(READING.ttft_p50, rel=0.01) == observed.ttft_p50


def test_of_half_of_the_engines_half_the_load_is_seen():
    metrics = SimulatedMetrics(ObserveSettings())
    metrics.scraped = 0.5
    observed = seen(metrics)

    assert (4.0, 1) == (observed.requests_per_second, observed.pods_up)


def test_history_keeps_a_high_percentile_of_the_window_only():
    history = History()
    for minute in range(200):
        history.record(NOW + timedelta(minutes=minute), float(minute), timedelta(minutes=99))

    assert NOW + timedelta(minutes=100) == history.begin
    assert (195.0, 199.0) == (dict(history.quantiles())[Stretch.ALL], dict(history.quantiles())[Stretch.MOST])


def test_history_has_a_quantile_of_each_day_back_from_now():
    history = History()
    for hour in range(9 * 24):
        history.record(NOW + timedelta(hours=hour), float(hour // 24), timedelta(days=7))
    found = dict(history.quantiles())

    days = [found[stretch] for stretch in (*RECENT, *WEEKLY)]
    assert [8.0, 7.0, 6.0, 5.0, 4.0, 2.0, 1.0] == days
