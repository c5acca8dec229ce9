"""The model against measurements: memory, closed loop, arrivals at random.

Covered: every row of tests/data/measurements but the twelve that its README leaves out. The bounds are what
the model reaches, rounded up; they guard against regressions. Not covered: accelerators, models and formats
that nobody measured for us (perf/uncertainty.py has margins for them); cross-validation, since nothing is
refitted here.
"""

from collections.abc import Iterable
from statistics import mean

from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.latency import Latency
from costpolicy.perf.memory import memory_fit
from costpolicy.perf.open_loop import open_loop


def predicted(measured) -> Latency:
    if measured.rate:
        found = open_loop(measured.shape, measured.workload, measured.rate)
    else:
        found = closed_loop(measured.shape, measured.workload, measured.concurrency, measured.rounds)
    assert isinstance(found, Latency), f"{measured.name}: {found}"
    return found


def mean_error(pairs: Iterable[tuple[float, float]]) -> float:
    """Mean absolute relative error of (predicted, measured) pairs."""
    return mean(abs(guess / truth - 1.0) for guess, truth in pairs)


def test_every_measurement_is_used(published, own):
    assert (119, 27) == (len(published), len(own))


def test_ttft_of_published_rows_is_within_10_percent_on_average(published):
    assert 0.10 > mean_error((predicted(row).ttft.mean, row.ttft) for row in published)


def test_inter_token_latency_of_published_rows_is_within_5_percent_on_average(published):
    assert 0.05 > mean_error((predicted(row).inter_token.mean, row.inter_token) for row in published)


def test_predictions_of_published_rows_are_not_biased(published):
    found = [(predicted(row), row) for row in published]
    assert 0.03 > abs(mean(guess.ttft.mean / row.ttft - 1.0 for guess, row in found))
    assert 0.02 > abs(mean(guess.inter_token.mean / row.inter_token - 1.0 for guess, row in found))


def test_inter_token_latency_transfers_to_an_8b_model_that_nothing_was_fitted_on(own):
    closed = [row for row in own if row.concurrency]
    assert 0.10 > mean_error((predicted(row).inter_token.mean, row.inter_token) for row in closed)


def test_ttft_transfers_to_an_8b_model_below_the_api_servers_limit(own):
    rows = [row for row in own if 0 < row.concurrency <= 64]
    assert 0.20 > mean_error((predicted(row).ttft.mean, row.ttft) for row in rows)


def test_throughput_of_closed_loops_is_within_10_percent_on_average(own):
    closed = [row for row in own if row.concurrency]
    assert 0.10 > mean_error((predicted(row).output_tokens_per_second, row.output_tokens_per_second) for row in closed)


def test_random_arrivals_at_bf16_are_within_20_percent_at_the_median_below_half_load(own):
    rows = [row for row in own if row.rate == 30 and row.shape.weights == "bf16"]
    assert [True] == [0.2 > abs(predicted(row).ttft.p50 / row.ttft - 1.0) for row in rows]
    assert [True] == [0.1 > abs(predicted(row).inter_token.p50 / row.inter_token - 1.0) for row in rows]


def test_p95_under_random_arrivals_is_within_a_factor_of_2(own):
    rows = [row for row in own if row.rate]
    assert len(rows) == 4
    for row in rows:
        guess = predicted(row)
        assert 0.5 < guess.ttft.p95 / row.ttft_p95 < 2.0, row.name
        assert 0.5 < guess.inter_token.p95 / row.inter_token_p95 < 2.0, row.name


def test_kv_cache_tokens_are_within_half_a_percent_of_what_the_engine_reports(own):
    assert 0.005 > max(abs(memory_fit(row.shape).kv_cache_tokens / row.kv_cache_tokens - 1.0) for row in own)


def test_weights_are_within_1_percent_of_what_the_engine_loads(own):
    assert 0.011 > max(abs(memory_fit(row.shape).weights_bytes / 2**30 / row.weights_gib - 1.0) for row in own)
