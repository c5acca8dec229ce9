"""Every fleet query against a real Prometheus that holds recorded vLLM series; numbers are worked out by
hand.

Covered: attribution by relabelled labels and by costpolicy_pod_info (with and without honorLabels), double
scraping, data parallelism, offered load under saturation, draining, crash and refusal, counter resets, NaN,
idle, stale and vanished engines, two clusters in one Prometheus, prices, history from recorded series, the
number of queries. Not covered: staleness markers and the adapter's failures (test_scraping,
test_prometheus_adapter).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from contract.observe.fleet_tape import fleet_tape
from contract.observe.tapes import BEGIN, END, HOUR, Tape
from costpolicy.api.reasons import Reason
from costpolicy.observe.answers import AnswerFigure
from costpolicy.observe.fleet import FleetObservations, ObserveSettings, observe_fleet
from costpolicy.observe.prometheus import PrometheusSource
from costpolicy.observe.questions import MAX_QUERIES
from costpolicy.observe.source import MetricsSource, Missing, Sample
from costpolicy.units import Money

AT = datetime.fromtimestamp(END, tz=UTC)


@pytest.fixture(scope="module")
def source(backfilled: Callable[[Tape], "object"]) -> PrometheusSource:
    return backfilled(fleet_tape()).source()


@pytest.fixture(scope="module")
def fleet(source: PrometheusSource) -> FleetObservations:
    return observe_fleet(source, AT, ObserveSettings())


@pytest.mark.parametrize("namespace", ["relabelled", "joined", "dishonoured", "twice"])
def test_reads_one_recorded_h100_engine_however_it_is_scraped(fleet: FleetObservations, namespace: str) -> None:
    variant = fleet.of_variant(namespace, "chat", "aaa")
    assert pytest.approx(variant.requests_per_second) == 3020 / HOUR
    assert pytest.approx({"length": 3020 / HOUR, "stop": 0, "abort": 0, "error": 0, "repetition": 0}) == (
        variant.finished_per_second
    )
    assert pytest.approx(variant.prompt_tokens) == 3625633 / 3020
    assert pytest.approx(variant.output_tokens) == 602306 / 3020
    assert pytest.approx(variant.prefix_hit_ratio) == 2739904 / 3625633
    assert pytest.approx(variant.cached_tokens) == 2739904 / 3020
    assert pytest.approx(variant.generated_tokens_per_second) == 602306 / HOUR
    assert variant.kv_cache_size_tokens == 462944
    assert variant.waiting == 0
    assert variant.running == 0
    assert variant.kv_cache_usage == 0
    assert variant.preemptions_per_second == 0
    assert variant.pods_up == 1
    assert variant.last_sample == AT
    assert variant.fresh


def test_reads_quantiles_and_their_buckets_of_the_recorded_h100_engine(fleet: FleetObservations) -> None:
    variant = fleet.of_variant("relabelled", "chat", "aaa")
    # Rank 0.5 x 3020 = 1510 lies in (0.25, 0.5], which holds the ranks 1390 to 1865.
    assert pytest.approx(variant.ttft_p50) == 0.25 + 0.25 * (1510 - 1390) / (1865 - 1390)
    # Rank 0.95 x 3020 = 2869 lies in (1, 2.5], which holds the ranks 2563 to 3020.
    assert pytest.approx(variant.ttft_p95) == 1 + 1.5 * (2869 - 2563) / (3020 - 2563)
    assert pytest.approx((variant.ttft.lower, variant.ttft.upper), abs=1e-9) == (1.0, 2.5)
    # Rank 0.95 x 599286 = 569321.7 lies in (0.025, 0.05], which holds the ranks 397304 to 572672.
    assert pytest.approx(variant.inter_token_p95) == 0.025 + 0.025 * (569321.7 - 397304) / (572672 - 397304)
    assert pytest.approx((variant.inter_token.lower, variant.inter_token.upper), abs=1e-9) == (0.025, 0.05)
    # Of requests: rank 0.95 x 3020 = 2869 lies in the same bucket, which holds the ranks 2098 to 3020.
    of_requests = 0.025 + 0.025 * (2869 - 2098) / (3020 - 2098)
    assert pytest.approx(variant.request_inter_token.value) == of_requests


@pytest.mark.parametrize("namespace", ["relabelled", "parallel", "two-variants", "slow"])
def test_quantiles_are_those_of_prometheus(source: PrometheusSource, fleet: FleetObservations, namespace: str) -> None:
    for name, figure in (("time_to_first_token", "ttft_p95"), ("inter_token_latency", "inter_token_p95")):
        rates = f'rate(vllm:{name}_seconds_bucket{{namespace="{namespace}"}}[5m])'
        asked = source.query(f"histogram_quantile(0.95, sum by (variant, le) ({rates}))", AT)
        for sample in asked:
            ours = getattr(fleet.of_variant(namespace, "chat", sample.labels["variant"]), figure)
            assert ours == pytest.approx(sample.value, rel=1e-9)
    assert asked or namespace == "slow"


@pytest.mark.parametrize("namespace", ["relabelled", "joined", "twice"])
def test_reads_limits_long_answers_and_what_is_generated_for_nobody(fleet: FleetObservations, namespace: str) -> None:
    variant = fleet.of_variant(namespace, "chat", "aaa")
    assert pytest.approx(variant.answer(AnswerFigure.LIMIT)) == 602306 / 3020
    # Rank 0.99 x 3020 = 2989.8 lies in (200, 500], which holds the ranks 1555 to 3020.
    assert pytest.approx(variant.answer(AnswerFigure.LONG)) == 200 + 300 * (2989.8 - 1555) / (3020 - 1555)
    assert pytest.approx(variant.answer(AnswerFigure.ABANDONED), abs=1e-9) == 0.0
    assert pytest.approx(fleet.of(namespace, "chat").cut_share) == 1.0
    # The one hung-up client in five of the namespace "abandoned" left tokens that are in no finished request.
    assert pytest.approx(fleet.of("abandoned", "chat").answer(AnswerFigure.ABANDONED)) == 0.2


def test_says_when_a_bucket_is_too_wide_for_the_objective(fleet: FleetObservations) -> None:
    policy = fleet.of("relabelled", "chat")
    assert policy.keeps_ttft(timedelta(seconds=2.5)) is True
    assert policy.keeps_ttft(timedelta(seconds=1)) is False
    coarse = policy.keeps_ttft(timedelta(seconds=2))
    assert isinstance(coarse, Missing)
    assert coarse.reason == Reason.RESOLUTION_TOO_COARSE
    assert "1 to 2.5 s" in coarse.message
    assert policy.keeps_inter_token(timedelta(milliseconds=50)) is True


def test_a_percentile_beyond_the_last_boundary_misses_what_lies_below_it(fleet: FleetObservations) -> None:
    policy = fleet.of("slow", "chat")
    assert policy.ttft_p95 == 2560
    assert policy.keeps_ttft(timedelta(seconds=2560)) is False
    assert isinstance(policy.keeps_ttft(timedelta(hours=1)), Missing)


def test_a_pod_with_two_owners_counts_once_and_does_not_fail_the_fleet(fleet: FleetObservations) -> None:
    assert pytest.approx(fleet.of("torn", "chat").requests_per_second) == 3020 / HOUR


def test_adds_the_engines_of_a_data_parallel_server(fleet: FleetObservations) -> None:
    variant = fleet.of_variant("parallel", "chat", "aaa")
    assert pytest.approx(variant.requests_per_second) == 40 / HOUR
    assert pytest.approx(variant.prompt_tokens) == 2320 / 20
    assert variant.kv_cache_size_tokens == 16384
    assert variant.pods_up == 1


def test_a_replica_is_as_full_as_its_fullest_data_parallel_rank(fleet: FleetObservations) -> None:
    assert pytest.approx(fleet.of_variant("ranks", "chat", "aaa").kv_cache_usage) == (0.9 + 0.3) / 2


def test_adds_the_pods_of_a_variant(fleet: FleetObservations) -> None:
    variant = fleet.of_variant("two-pods", "chat", "aaa")
    assert pytest.approx(variant.requests_per_second) == 2 * 3020 / HOUR
    assert pytest.approx(variant.prompt_tokens) == 3625633 / 3020
    assert variant.pods_up == 2


def test_keeps_variants_apart_and_weighs_their_shapes_by_load(fleet: FleetObservations) -> None:
    policy = fleet.of("two-variants", "chat")
    first, second = policy.variants
    assert (first.variant, second.variant) == ("aaa", "bbb")
    assert first.requests_per_second + second.requests_per_second == pytest.approx(policy.requests_per_second)
    weighted = first.prompt_tokens * first.requests_per_second + second.prompt_tokens * second.requests_per_second
    assert weighted / policy.requests_per_second == pytest.approx(policy.prompt_tokens)
    assert max(first.ttft_p95, second.ttft_p95) == policy.ttft_p95


def test_a_saturated_engine_does_not_read_as_low_demand(fleet: FleetObservations) -> None:
    # Two first tokens a second leave while the queue grows by three a second: five arrive.
    assert pytest.approx(fleet.of("saturated", "chat").requests_per_second) == 5
    assert pytest.approx(fleet.of("saturated", "chat").waiting) == 3 * HOUR


def test_a_draining_queue_does_not_read_as_high_demand(fleet: FleetObservations) -> None:
    assert pytest.approx(fleet.of("draining", "chat").requests_per_second) == 1


def test_a_queue_lost_in_a_crash_does_not_read_as_negative_demand(fleet: FleetObservations) -> None:
    # One first token a second until the crash 150 s ago and again from 135 s ago on.
    assert pytest.approx(fleet.of("crashed", "chat").requests_per_second, rel=0.02) == (150 + 135) / 300


def test_refused_requests_are_demand(fleet: FleetObservations) -> None:
    assert pytest.approx(fleet.of("refusing", "chat").requests_per_second) == 2 + 1 + 0.5


def test_idle_engines_have_no_latency_rather_than_none_at_all(fleet: FleetObservations) -> None:
    variant = fleet.of_variant("idle", "chat", "aaa")
    assert variant.requests_per_second == 0
    for figure in (variant.ttft_p50, variant.ttft, variant.prompt_tokens, variant.prefix_hit_ratio):
        assert isinstance(figure, Missing)
        assert figure.reason == Reason.NO_TRAFFIC
    verdict = fleet.of("idle", "chat").keeps_ttft(timedelta(seconds=1))
    assert isinstance(verdict, Missing)
    assert verdict.reason == Reason.NO_TRAFFIC


def test_not_a_number_is_missing(fleet: FleetObservations) -> None:
    usage = fleet.of("nan", "chat").kv_cache_usage
    assert isinstance(usage, Missing)
    assert usage.reason == Reason.NO_SAMPLES


def test_engines_last_seen_four_minutes_ago_are_not_acted_on(fleet: FleetObservations) -> None:
    policy = fleet.of("stale", "chat")
    assert not policy.fresh
    for figure in (policy.requests_per_second, policy.waiting, policy.ttft_p95):
        assert isinstance(figure, Missing)
        assert "2026-11-01T00:56:00Z" in figure.message


@pytest.mark.parametrize("namespace", ["vanished", "never-existed"])
def test_nothing_at_all_is_missing_and_not_zero(fleet: FleetObservations, namespace: str) -> None:
    policy = fleet.of(namespace, "chat")
    assert tuple(variant for variant in policy.variants if variant.fresh) == ()
    for figure in (policy.requests_per_second, policy.waiting, policy.ttft_p95, policy.cost_per_hour):
        assert isinstance(figure, Missing)
        assert figure.reason == Reason.NO_SAMPLES


def test_matchers_keep_two_clusters_in_one_prometheus_apart(source: PrometheusSource) -> None:
    rates = {
        cluster: observe_fleet(source, AT, ObserveSettings(matchers=f'cluster="{cluster}"'))
        .of("same", "chat")
        .requests_per_second
        for cluster in ("a", "b")
    }
    assert pytest.approx(rates) == {"a": 3020 / HOUR, "b": 400 / HOUR}


def test_matchers_hide_what_is_not_in_the_cluster(source: PrometheusSource) -> None:
    seen = observe_fleet(source, AT, ObserveSettings(matchers='cluster="a"')).policies()
    assert seen == (("same", "chat"),)


def test_accelerators_and_their_price_count_once_for_two_operators(fleet: FleetObservations) -> None:
    variant = fleet.of_variant("priced", "chat", "aaa")
    assert variant.accelerators == {"ready": 4, "starting": 2}
    assert Money.parse("14.94") == variant.cost_per_hour
    assert Money.parse("14.94") == fleet.of("priced", "chat").cost_per_hour


def test_history_gives_a_high_percentile_and_how_far_back_it_reaches(fleet: FleetObservations) -> None:
    policy = fleet.of("history", "chat")
    # 101 samples 0 to 100: the 95th percentile is 95 exactly, and within the first day the most of them counts.
    rates = {sample.labels["stretch"]: sample.value for sample in fleet.answers["over_days"]["history", "chat", ""]}
    assert pytest.approx(rates) == {"most": 100, "all": 95, "0": 95}
    assert policy.requests_per_second_p95 == 100
    # The beginning is located to ten minutes, from the evaluation steps within the window.
    assert isinstance(policy.span, timedelta)
    assert timedelta(minutes=50) <= policy.span <= timedelta(hours=1)


def test_recorded_hours_are_read_seven_hours_apart_and_stay_the_same_until_the_next(source: PrometheusSource) -> None:
    now, later = (observe_fleet(source, AT + wait, ObserveSettings()) for wait in (timedelta(), timedelta(minutes=3)))
    policy = now.of("hours", "chat")
    window = policy.windows["aaa"][0]

    assert [31, 31, 31] == [each.until.day for each in policy.windows["aaa"]]
    assert [8, 15, 22] == [each.until.hour for each in policy.windows["aaa"]]
    assert (7200, 1.0, 1000, 250, 400, 0.5, 0.02) == (
        window.requests,
        window.requests_per_second,
        window.prompt_tokens,
        window.output_tokens,
        window.cached_tokens,
        window.ttft,
        window.inter_token,
    )
    assert window.speculated is None
    assert () == policy.windows["bbb"], "without a TTFT there is nothing to compare"
    proposed = [("eagle:3:example/head", 100_000, 300_000, 120_000)] * 3
    assert proposed == [each.speculated for each in policy.windows["ccc"]]
    assert later.of("hours", "chat").windows == policy.windows
    assert () == policy.variants, "an hour long ago is no variant of now"


def test_saturation_is_read_by_kernels_whatever_variant_was_saturated(fleet: FleetObservations) -> None:
    found = fleet.of("full", "chat").saturations["nvidia-l40s/1x1/bf16/auto"]

    assert (121 + 61, 4.5) == (found.minutes, found.requests_per_second), "medians: 4 and 5"
    assert pytest.approx((1000, 250, 400)) == (found.prompt_tokens, found.output_tokens, found.cached_tokens)
    assert {} == fleet.of("full", "other").saturations, "without a shape nothing can be predicted"


def test_missing_rules_and_an_operator_that_is_not_scraped_are_told_apart(fleet: FleetObservations) -> None:
    assert not fleet.operator_scraped
    span = fleet.of("relabelled", "chat").span
    assert isinstance(span, Missing)
    assert span.reason == Reason.RULES_MISSING
    assert "does not scrape the operator" in span.message


def test_retention_is_read(fleet: FleetObservations) -> None:
    assert timedelta(days=36500) == fleet.retention


@dataclass
class Counting:
    """Counts what the real source is asked."""

    inner: MetricsSource
    asked: list[str]

    def query(self, promql: str, at: datetime) -> tuple[Sample, ...]:
        self.asked.append(promql)
        return self.inner.query(promql, at)

    def retention(self) -> timedelta | None:
        return self.inner.retention()


def test_the_number_of_queries_does_not_depend_on_the_fleet(source: PrometheusSource) -> None:
    crowded, lonely = Counting(source, []), Counting(source, [])
    observe_fleet(crowded, AT, ObserveSettings())
    observe_fleet(lonely, AT, ObserveSettings(matchers='cluster="a"'))
    assert len(lonely.asked) == len(crowded.asked) <= MAX_QUERIES
    assert all(len(promql) < 2 * 4096 for promql in crowded.asked), "proxies limit the length of an address"


def test_a_second_look_at_the_same_moment_sees_the_same(source: PrometheusSource, fleet: FleetObservations) -> None:
    assert fleet == observe_fleet(source, AT, ObserveSettings())
    assert fleet.at.timestamp() > BEGIN


def test_costs_of_the_last_week_are_zero_without_accelerators_and_absent_with_two_currencies(
    fleet: FleetObservations,
) -> None:
    costs = fleet.of("spent", "chat").costs
    begin = AT - timedelta(hours=7)

    assert all(when.hour % 3 == 0 and when.minute == 0 for when in costs)
    assert {Money.parse("3.72")} == {cost for when, cost in costs.items() if when >= begin}
    assert {Money(0)} == {cost for when, cost in costs.items() if when < begin}
    assert 7 <= len(costs) <= 8  # 23 hours
    assert {Money(0)} == set(fleet.of("never-existed", "chat").costs.values())
    assert all(when < begin for when in fleet.of("torn-currency", "chat").costs)
