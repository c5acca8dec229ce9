"""Queues, bursts and percentiles against what is known exactly.

Covered: M/M/1 and M/M/c, gamma quantiles, the renewal function of gamma distributed gaps, limits. Not covered: how
well they join to a latency (tests/scenarios/test_random_arrivals.py).
"""

from math import exp, factorial, lgamma, log

import pytest

from costpolicy.perf.arrivals import mates, peakedness
from costpolicy.perf.percentiles import Moments
from costpolicy.perf.queueing import Queue, queue, waiting_share
from costpolicy.perf.shape import Workload


def erlang_c(servers, utilization):
    load = servers * utilization
    waiting = load**servers / factorial(servers) / (1 - utilization)
    return waiting / (sum(load**n / factorial(n) for n in range(servers)) + waiting)


@pytest.mark.parametrize("servers", [1, 2, 10, 40])
@pytest.mark.parametrize(("utilization", "above"), [(0.7, 3.0), (0.9, 1.2), (0.97, 1.1)])
def test_the_mean_wait_of_poisson_arrivals_is_erlangs_or_a_little_more(servers, utilization, above):
    found = queue(waiting_share(utilization, servers), utilization, 1.0, 1.0).moments
    assert 0.97 < found.mean * (1 - utilization) / erlang_c(servers, utilization) < above


def test_one_server_waits_as_pollaczek_and_khinchine_say():
    found = queue(waiting_share(0.8, 1), 0.8, 1.0, 0.5)
    assert found.moments.mean == pytest.approx(0.8 / (2 * 0.2))


def test_percentiles_of_a_wait_that_few_have():
    seldom, often = Queue(0.03, 10.0).quantiles(), Queue(0.5, 10.0).quantiles()
    assert (0.0, 0.0) == (seldom.p50, seldom.p95)
    assert seldom.p99 == pytest.approx(10.0 * log(3.0))
    assert often.p95 == pytest.approx(10.0 * log(10.0))


def test_a_full_queue_is_long_but_finite():
    assert 0 < queue(1.0, 5.0, 4.0, 1.0).moments.mean < 1e4


def test_a_wait_as_variable_as_an_exponential_one_has_its_percentiles():
    found = Moments(2.0, 3.0, 9.0).quantiles()
    assert found.mean == 5.0
    assert [found.p50, found.p95, found.p99] == pytest.approx(
        [2 + 3 * log(2), 2 + 3 * log(20), 2 + 3 * log(100)], rel=0.03
    )


def test_the_sum_of_many_small_waits_is_nearly_normal():
    found = Moments(0.0, 10.0, 1.0).quantiles()
    assert [found.p50, found.p95, found.p99] == pytest.approx([10.0, 11.645, 12.326], rel=0.02)


@pytest.mark.parametrize("variance", [0.0, 1.0, 30.0, 1e6])
def test_percentiles_are_in_order_however_rare_a_wait_is(variance):
    found = Moments(1.0, 1.0, variance).quantiles()
    assert 1.0 <= found.p50 <= found.p95 <= found.p99
    assert found.mean <= found.p95


def test_without_any_wait_all_percentiles_are_the_floor():
    found = Moments(3.0, 0.0, 0.0).quantiles()
    assert (3.0, 3.0, 3.0, 3.0) == (found.mean, found.p50, found.p95, found.p99)


def gamma_cdf(shape, x):
    term = total = 1 / shape
    count = 0
    while term > 1e-14 * total:
        count += 1
        term *= x / (shape + count)
        total += term
    return total * exp(-x + shape * log(x) - lgamma(shape))


def renewals(cv, arrivals):
    """Mean arrivals within a time after an arrival, gamma distributed gaps: the sum over the n-th arrival."""
    shape = cv**-2
    return sum(gamma_cdf(n * shape, shape * arrivals) for n in range(1, 400))


@pytest.mark.parametrize("cv", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("arrivals", [0.01, 0.1, 1.0, 10.0])
def test_mates_of_an_arrival_are_those_of_a_renewal_process(cv, arrivals):
    found = mates(Workload(prompt_tokens=1, output_tokens=1, arrival_cv=cv), arrivals)
    all_mates = (cv**2 - 1) / 2
    assert found / all_mates == pytest.approx((renewals(cv, arrivals) - arrivals) / all_mates, abs=0.11)


def test_poisson_arrivals_have_no_mates_and_regular_ones_fewer_than_none():
    poisson, regular = (Workload(prompt_tokens=1, output_tokens=1, arrival_cv=cv) for cv in (1.0, 0.5))
    assert (0.0, 1.0) == (mates(poisson, 3.0), peakedness(poisson, 30.0))
    assert -0.375 < mates(regular, 3.0) < 0
    assert 0 < peakedness(regular, 30.0) < 1


def test_bursts_crowd_less_the_more_answers_vary_in_length():
    equal, varied = (Workload(prompt_tokens=1, output_tokens=1, arrival_cv=2.0, length_cv=cv) for cv in (0.0, 1.0))
    assert peakedness(equal, 1e6) == pytest.approx(4.0, rel=0.01)
    assert peakedness(varied, 1e6) == pytest.approx(2.5, rel=0.01)
